"""``python -m hack.rights``: the rights that tests used, beside those that the chart grants.

Each session of tests leaves in ``build/rights`` what its control planes' audit logs tell. The table
names the test that used a right first. Ends with status 1 where somebody asks for more than was
granted, or, unless only ``--some`` tests were run, a right is granted that nobody uses.
"""

from __future__ import annotations

import argparse
import bisect
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hack.chart.programs import ROOT, FetchError
from hack.chart.render import RenderError
from hack.testbed.rights import Right, Use, chart, granted, kept

FOLDER = ROOT / "build" / "rights"
UNUSED = "never used"
ALL, ONE = "all", "one"  # namespaces that a request was about


@dataclass(frozen=True, slots=True)
class Row:
    """A right; ``by`` the role that gives it, ``test`` who used it first: "" where there is none.

    ``about`` says of how many namespaces, ``refused`` which test was told no.
    """

    right: Right
    by: str
    test: str
    about: tuple[str, ...] = ()
    refused: str = ""

    @property
    def problem(self) -> str:
        if self.refused:
            return "refused"
        if not self.by:
            return "not granted"
        return "" if self.test else UNUSED


def compare(may: Mapping[Right, str], used: Iterable[tuple[Use, str]]) -> list[Row]:
    """Return a row for each right that is granted or was used; ``used`` is with its test."""
    found: dict[Right, list[tuple[Use, str]]] = {right: [] for right in may}
    for use, test in sorted(used, key=lambda one: one[0].first):
        found.setdefault(use.right, []).append((use, test))
    return [_row(right, may.get(right, ""), some) for right, some in sorted(found.items())]


def _row(right: Right, by: str, used: Sequence[tuple[Use, str]]) -> Row:
    allowed = [(use, test) for use, test in used if use.allowed]
    refused = [test for use, test in used if not use.allowed]
    return Row(
        right,
        by,
        test=allowed[0][1] if allowed else "",
        about=tuple(sorted({ONE if use.namespaced else ALL for use, _ in allowed})),
        refused=refused[0] if refused else "",
    )


def during(first: str, begun: Sequence[tuple[str, str]]) -> str:
    """Return the test of a session that ran at a time; ``begun`` is in order."""
    position = bisect.bisect_right([when for when, _ in begun], first)
    return begun[position - 1][1] if position else "before the first test"


def read(folder: Path) -> list[tuple[Use, str]]:
    """Return what was used in all sessions, each with its test."""
    found = []
    for file in folder.glob("*/used-*.json"):
        tests = file.with_name("tests.json")
        begun = json.loads(tests.read_text()) if tests.exists() else []
        found += [(use, during(use.first, begun)) for use in kept(file)]
    return found


def table(rows: Iterable[Row]) -> str:
    """Return a line for each right, in columns."""
    cells = [("account", "verb", "of", "namespaces", "", "used first by")]
    for row in rows:
        test = (row.refused or row.test).removeprefix("tests/")
        about = ", ".join(row.about)
        cells.append((row.right.account, row.right.verb, row.right.of, about, row.problem, test))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ("  ".join(map(str.ljust, line, widths)).rstrip() for line in cells)
    return "\n".join(lines)


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Rights that tests used, beside the chart's.")
    parser.add_argument("--some", action="store_true", help="only some tests were run")
    parser.add_argument("--quiet", action="store_true", help="say nothing when all is well")
    options = parser.parse_args(words)
    used = read(FOLDER)
    if not used:
        print(f"rights: {FOLDER} tells of no session: run the tests first", file=sys.stderr)
        return 1
    try:
        rows = compare(granted(chart()), used)
    except (FetchError, RenderError) as error:
        print(f"rights: {error}", file=sys.stderr)
        return 1
    wrong = [row for row in rows if row.problem and not (options.some and row.problem == UNUSED)]
    if wrong or not options.quiet:
        print(table(rows), flush=True)
    for row in wrong:
        print(f"rights: {_remedy(row)}", file=sys.stderr)
    return 1 if wrong else 0


def _remedy(row: Row) -> str:
    if row.problem == UNUSED:
        return f"{row.right}: no test uses it: take it out of {row.by}, or test what it is for"
    test = row.refused or row.test
    return f"{row.right}: {row.problem} in {test}: grant it in the chart, or do without"


if __name__ == "__main__":
    sys.exit(main())
