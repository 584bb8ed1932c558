"""What a command answers, alike in every run: times, spans, ids and digests by their names.

Tables are laid out anew behind that: a column is as wide as what then stands in it.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from itertools import groupby

_SPAN = r"\d+(?:\.\d+)?[smhd](?: ?\d+[smh])?"
_CHANGING = [  # in the order in which it is replaced
    (r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uid>"),
    (r"\b[0-9a-f]{64}\b", "<digest>"),
    (r"(@\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)-[0-9a-f]{6}", r"\1-<id>"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z| UTC)", "<time>"),
    (r"((?:Resource Version|Serial|Plan Hash): +)\w+", r"\1<n>"),
    (rf"\b{_SPAN}(?= ago| left)", "<span>"),
    (rf"(?<= for ){_SPAN}(?=[ ,:(])", "<span>"),
    (rf"(?<= devices, ){_SPAN}$", "<span>"),
]
_AGES = {"AGE", "Age", "took"}  # columns that hold a span and nothing else
_AGE = re.compile(rf"{_SPAN}(?: \(x\d+ over {_SPAN}\))?")


def same_in_every_run(said: str, width: int | None = None) -> str:
    """``said`` by names; lines of more than ``width`` columns go on below their last cell."""
    lines = [line.rstrip() for line in said.strip("\n").splitlines()]
    found = [line for block in _blocks(lines) for line in _laid_out(block)]
    return "\n".join(part for line in found for part in _wrapped(line, width))


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    """What stands between empty lines; kubectl sets a table below ``Events:`` without one."""
    for between, found in groupby(lines, lambda line: line in ("", "Events:")):
        block = list(found)
        yield from ([line] for line in block) if between else [block]


def _laid_out(block: list[str]) -> list[str]:
    """Columns begin behind what is blank in all lines for two places or more; a line has one."""
    places = range(max(map(len, block)) if len(block) > 1 else 0)
    blank = [all(line[n : n + 1] in ("", " ") for line in block) for n in places]
    starts = [0, *(n for n in places[2:] if blank[n - 2] and blank[n - 1] and not blank[n])]
    columns = [
        _column([line[start:end].rstrip() for line in block], start, end)
        for start, end in zip(starts, [*starts[1:], None], strict=True)
    ]
    return ["".join(cells).rstrip() for cells in zip(*columns, strict=True)]


def _column(cells: list[str], start: int, end: int | None) -> list[str]:
    """Cells by names, as wide as the widest, and as far from the next column as before."""
    gap = 0 if end is None else end - start - max(map(len, cells))
    named = [_named(cell, ages=cells[0].strip() in _AGES) for cell in cells]
    return [cell.ljust(max(map(len, named)) + gap) for cell in named]


def _named(cell: str, *, ages: bool) -> str:
    if ages and _AGE.fullmatch(cell):
        return "<span>"
    for pattern, name in _CHANGING:
        cell = re.sub(pattern, name, cell)
    return cell


def _wrapped(line: str, width: int | None) -> list[str]:
    if width is None or len(line) <= width:
        return [line]
    cells = re.match(r"(?:.*\S {2,})?", line)  # all but the last
    return textwrap.wrap(
        line,
        width,
        subsequent_indent=" " * (cells.end() if cells else 0),
        break_long_words=False,
        break_on_hyphens=False,
    )
