"""One section of the report: figures for the JSON file, a table for people, bars to meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.table import Table


@dataclass(frozen=True)
class Bar:
    """A measured value against its bound; ``least``: the value must reach it, else not pass it."""

    words: str
    value: float
    bound: float
    least: bool = False

    @property
    def held(self) -> bool:
        return self.value >= self.bound if self.least else self.value <= self.bound


@dataclass(frozen=True)
class Section:
    """``figures`` join the report's top level; ``skipped`` says why there are none."""

    title: str
    figures: dict[str, Any] = field(default_factory=dict)
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    bars: Sequence[Bar] = ()
    notes: Sequence[str] = ()
    skipped: str = ""

    def table(self) -> Table:
        table = Table(*self.columns, title=self.title, title_justify="left")
        for at, column in enumerate(table.columns):
            column.no_wrap, column.justify = True, "left" if at == 0 else "right"
        for row in self.rows:
            table.add_row(*row)
        return table
