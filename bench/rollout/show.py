"""The results as a table for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rich.console import Console
from rich.table import Table

from .figures import Bar, Figures, cpu_ms, figure, per_second
from .work import Run

_PEERS = ("goosebit", "hawkbit", "petiole")


def line(run: Run) -> str:
    """One run in words."""
    said = (
        f"{len(run.trace.ended)} of {run.devices} ended in {run.trace.seconds:.1f} s "
        f"({per_second(run):g}/s), {cpu_ms(run):g} ms CPU a device, {run.lost} counts lost"
    )
    if run.kind != "speed":
        said += f", {len(run.trace.begun)} exposed"
    if run.lost:
        told, trace = run.counted, run.trace
        said += f" ({trace.succeeded} ok and {trace.failed} failed"
        said += f", the server says {told.succeeded} and {told.failed})"
    if run.stop_seconds is not None:
        said += f", last began {run.stop_seconds:.3f} s after the deciding failure"
    return said


def results(console: Console, found: Mapping[str, Figures], judged: Sequence[Bar]) -> None:
    """Print all figures side by side, then the bars."""
    table = Table(title="rollouts of a 32 KiB artefact", title_justify="left")
    table.add_column("")
    for peer in _PEERS:
        table.add_column(peer, justify="right")
    for name, path in _rows(found):
        cells = [figure(found, peer, *path) for peer in _PEERS]
        table.add_row(name, *("-" if cell is None else f"{cell:,.6g}" for cell in cells))
    console.print(table)
    if judged:
        console.print(_bars(judged))
    for peer in found:
        console.print(f"[bold]{peer}[/bold]: {found[peer]['setting']}", highlight=False)


def _rows(found: Mapping[str, Figures]) -> list[tuple[str, tuple[str, ...]]]:
    def keys(field: str, sort: Callable[[str], float] = float) -> list[str]:
        return sorted(
            {key for figures in found.values() for key in figures.get(field, {})}, key=sort
        )

    sizes, shares = keys("devicesPerSecond"), keys("exposed")
    return [
        *((f"devices/s, {n} devices", ("devicesPerSecond", n)) for n in sizes),
        *((f"of them ended, {n} devices", ("finished", n)) for n in sizes),
        ("server CPU ms a device", ("serverCpuMsPerDevice",)),
        ("client CPU ms a device", ("clientCpuMsPerDevice",)),
        ("server memory MiB", ("memoryMiB", "rss")),
        ("server memory MiB, peak", ("memoryMiB", "peak")),
        ("counts lost", ("countsLost",)),
        *((f"exposed, {s} % failing", ("exposed", s)) for s in shares),
        *((f"seconds to the end, {s} % failing", ("secondsFailing", s)) for s in shares),
        *((f"seconds to stop, {s} % failing", ("stopSecondsFailing", s)) for s in shares),
        ("seconds to stop", ("stopSeconds",)),
        ("API-server writes a stage", ("apiWritesPerStage",)),
    ]


def _bars(judged: Sequence[Bar]) -> Table:
    table = Table(title="bars", title_justify="left")
    for title in ("", "Petiole", ""):
        table.add_column(title)
    words = {True: "[green]met[/green]", False: "[red]missed[/red]", None: "-"}
    for bar in judged:
        table.add_row(bar.text, bar.value, words[bar.met])
    return table
