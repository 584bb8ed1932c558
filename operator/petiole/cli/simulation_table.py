"""The outcome of a simulation as tables for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table

from petiole.simulation.assumptions import Assumptions
from petiole.simulation.policy import Policy
from petiole.simulation.study import Chance, Passed, Spread, Study
from petiole.view.words import duration


def show(console: Console, played: Policy, assumed: Assumptions, studies: Sequence[Study]) -> None:
    """Print what the policy does with each build, and why rollouts ended without promotion."""
    console.print(_table(played, assumed, studies))
    for study in studies:
        for message, times in study.messages:
            text = f"{study.build} build, {times} of {study.runs} runs: {message}"
            console.print(text, markup=False, highlight=False)


def _table(played: Policy, assumed: Assumptions, studies: Sequence[Study]) -> Table:
    fleet = f"{played.namespace}/{played.name}"
    runs = f"{studies[0].runs} {'rollout' if studies[0].runs == 1 else 'rollouts'} of each build"
    table = Table(title=f"{fleet}: {assumed.devices:,} devices, {runs}", title_justify="left")
    table.add_column("")
    for study in studies:
        fails = assumed.good if study.build == "good" else assumed.bad
        table.add_column(f"{study.build} build\n{_percent(fails)} fail", justify="right")

    def row(name: str, cell: Callable[[Study], str], *, end: bool = False) -> None:
        table.add_row(name, *(cell(study) for study in studies), end_section=end)

    row("stopped", lambda s: _chance(s.stopped))
    row("promoted", lambda s: _chance(s.promoted))
    row("undecided", lambda s: _chance(s.undecided))
    row("unfinished", lambda s: _chance(s.unfinished), end=True)
    row("devices exposed, mean", lambda s: _mean(s.exposed))
    row("devices exposed, p90", lambda s: f"{s.exposed.p90:,.0f}")
    row("failures, mean", lambda s: _mean(s.failed))
    row("time to stop, mean / p90", lambda s: _time(s.deciding), end=True)
    for index, passed in enumerate(studies[0].stages):
        last = index == len(studies[0].stages) - 1
        row(f"stage {passed.name} passed after", _stage(index), end=last)
    row("grants, mean", lambda s: f"{s.grants.mean:,.0f}")
    row("reports, mean", lambda s: f"{s.reports.mean:,.0f}")
    row("halts, mean", lambda s: f"{s.halts.mean:,.2f}")
    row("status writes, mean", lambda s: f"{s.writes.mean:,.1f}")
    return table


def _stage(index: int) -> Callable[[Study], str]:
    def cell(study: Study) -> str:
        passed: Passed = study.stages[index]
        often = "" if passed.share in (0.0, 1.0) else f" ({_percent(passed.share)})"
        return _time(passed.seconds) + often

    return cell


def _chance(chance: Chance) -> str:
    return f"{_percent(chance.share)} ({_percent(chance.lower)} .. {_percent(chance.upper)})"


def _mean(spread: Spread) -> str:
    return f"{spread.mean:,.1f} +- {spread.error:,.1f}"


def _time(spread: Spread | None) -> str:
    return "-" if spread is None else f"{duration(spread.mean)} / {duration(spread.p90)}"


def _percent(share: float) -> str:
    return f"{100.0 * share:.1f}".removesuffix(".0") + " %"
