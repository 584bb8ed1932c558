"""``python -m bench.learning.drift``: false alarms and delays of the drift detector, by simulation.

Fleets are played for years without drift, each series begun anew after an alarm as after a new
revision, and with a share of inputs that the model becomes unsure of. Every rule sees the same
windows. Exit status 1 when a bar is missed: false alarms above the asked rate beyond what chance
explains, or a shift of 15 % at 20 devices with 50 inferences each found after more than 3 windows.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from scipy import stats

from petiole.learning import drift

from . import drift_plot
from .drift_fields import Field, play, reference
from .drift_peers import PEERS

OUTPUT = Path("build/bench")
YEAR_MINUTES = 365.25 * 24 * 60
OURS = "Petiole"
CALM_WINDOWS = 60  # before the shift
AFTER = 60  # windows in which a shift may be found
PEER_WINDOWS = 5_000  # that a peer is played without drift
DAY = 86400.0
Row = dict[str, Any]


@dataclass(frozen=True)
class Calm:
    """Fleets without drift: ``fleets`` series of ``windows`` windows at an asked rate."""

    name: str
    field: Field
    asked: int
    fleets: int
    windows: int
    baseline: float = 0.0


@dataclass(frozen=True)
class Shift:
    name: str
    field: Field
    severity: float


def calm_scenarios(quick: bool) -> list[Calm]:
    """Each long enough for about 40 alarms at the asked rate, in series of that length or more."""
    fewer = 8 if quick else 1
    daily, weekly, yearly = 365, 52, 1

    def of(name: str, field: Field, asked: int, alarms: float, **more: Any) -> Calm:  # noqa: ANN401
        windows = round(YEAR_MINUTES / field.minutes / asked)
        fleets = max(1, round(alarms / fewer))
        return Calm(name, field, asked, fleets, windows, **more)

    return [
        of("20 x 50, 15 min", Field(20, 50, 15), weekly, 64),
        of("20 x 50, 15 min", Field(20, 50, 15), 12, 32),
        of("20 x 50, 15 min", Field(20, 50, 15), yearly, 8),
        of("1 x 50, 15 min", Field(1, 50, 15), weekly, 64),
        of("1000 x 20, 15 min", Field(1000, 20, 15), weekly, 64),
        of("20 x 200, 1 h", Field(20, 200, 60), 12, 64),
        of("20 x 200, 1 h", Field(20, 200, 60), yearly, 16),
        of("20 x 5, 1 min", Field(20, 5, 1), daily, 48),
        of("sites, 15 min", Field(20, 50, 15, weather=1.0, lumps=0.02), weekly, 64),
        of("sites with memory, 15 min", Field(20, 50, 15, 1.0, 0.6, 0.02), weekly, 64),
        of("day and night, 15 min", Field(20, 50, 15, daily=1.5), 12, 32, baseline=DAY),
    ]


def shifts() -> list[Shift]:
    return [
        Shift(f"{devices} x {n}, {percent} %", Field(devices, n, 15), percent / 100)
        for devices, n in ((20, 50), (1, 50), (1, 200))
        for percent in (5, 15, 40)
    ]


# --- false alarms ---------------------------------------------------------------------------------


def judged(windows: Sequence[Any], ref: Any, field: Field, asked: float, baseline: float) -> Any:  # noqa: ANN401
    return drift.evaluate(
        ref,
        windows,
        false_alarms_per_year=asked,
        interval_seconds=field.minutes * 60,
        baseline_seconds=baseline,
    )


def play_calm(scenario: Calm, seed: Sequence[int]) -> tuple[int, float, dict[str, int]]:
    """Play one fleet: how often did it alarm, in how many years; which detectors spoke."""
    rng = np.random.default_rng(seed)
    ref = reference(rng)
    left, alarms, spoke = scenario.windows, 0, {}
    while left > drift.COMMISSIONING:
        windows = list(play(scenario.field, rng, left))
        verdict = judged(windows, ref, scenario.field, scenario.asked, scenario.baseline)
        if verdict.state != "Drifted":
            break
        alarms += 1
        spoke[verdict.detectors[0]] = spoke.get(verdict.detectors[0], 0) + 1
        left -= next(n for n, w in enumerate(windows, 1) if w.end >= verdict.detected_at)
    return alarms, scenario.windows * scenario.field.minutes / YEAR_MINUTES, spoke


def interval(alarms: int, years: float) -> tuple[float, float]:
    """Exact 95 % interval of a rate (F. Garwood, Biometrika 28 (1936), 437-442)."""
    low = stats.chi2.ppf(0.025, 2 * alarms) / 2 if alarms else 0.0
    return low / years, stats.chi2.ppf(0.975, 2 * alarms + 2) / 2 / years


def peers_calm(field: Field, seed: Sequence[int]) -> dict[str, float]:
    """False alarms a fleet and year of each peer, begun anew after each alarm."""
    rng = np.random.default_rng(seed)
    ref = reference(rng)
    windows = list(play(field, rng, PEER_WINDOWS))
    years = PEER_WINDOWS * field.minutes / YEAR_MINUTES
    rates = {}
    for name, rule in PEERS.items():
        alarms, begin = 0, 0
        while begin < len(windows) and (at := rule(ref, windows[begin:])) is not None:
            alarms, begin = alarms + 1, begin + at + 1
        rates[name] = alarms / years
    return rates


# --- delays ---------------------------------------------------------------------------------------


def play_shift(scenario: Shift, seed: Sequence[int]) -> dict[str, float]:
    """Windows from the shift to the alarm by rule; infinite when it was never found.

    A rule that alarms before the shift is begun anew at the shift.
    """
    rng = np.random.default_rng(seed)
    ref = reference(rng)
    total = CALM_WINDOWS + AFTER
    windows = list(
        play(scenario.field, rng, total, moved_at=CALM_WINDOWS, severity=scenario.severity)
    )
    verdict = judged(windows, ref, scenario.field, 1, 0.0)
    late = math.inf
    if verdict.state == "Drifted":
        late = sum(w.end <= verdict.detected_at for w in windows) - CALM_WINDOWS
    found = {OURS: float(late)}
    for name, rule in PEERS.items():
        at = rule(ref, windows)
        if at is not None and at < CALM_WINDOWS:
            again = rule(ref, windows[CALM_WINDOWS:])
            at = None if again is None else again + CALM_WINDOWS
        found[name] = math.inf if at is None else at - CALM_WINDOWS + 1.0
    return found


# --- all of it ------------------------------------------------------------------------------------


def run(
    *, seed: int = 1, quick: bool = False, workers: int = 0, console: Console | None = None
) -> Row:
    """Play everything; returns ``drift`` of ``learning.json`` with the tables behind it.

    ``workers`` is the number of processes; 0 takes all cores.
    """
    calm, moved = calm_scenarios(quick), shifts()
    trials = 40 if quick else 200
    jobs: list[tuple[Callable[..., Any], tuple[str, int], Any]] = []
    for n, scenario in enumerate(calm):
        jobs += [(play_calm, ("calm", n), scenario)] * scenario.fleets
    for n, shift in enumerate(moved):
        jobs += [(play_shift, ("shift", n), shift)] * trials
    fields = {s.field.count: s.field for s in moved}
    jobs += [(peers_calm, ("peers", count), field) for count, field in fields.items()]
    results: dict[tuple[str, int], list[Any]] = {}
    with (
        ProcessPoolExecutor(workers or len(os.sched_getaffinity(0))) as pool,
        Progress(console=console, transient=True) as progress,
    ):
        task = progress.add_task("fleets", total=len(jobs))
        waiting = {
            pool.submit(work, given, (seed, n)): key for n, (work, key, given) in enumerate(jobs)
        }
        for done in as_completed(waiting):
            results.setdefault(waiting[done], []).append(done.result())
            progress.advance(task)
    rows = [calm_row(s, results["calm", n]) for n, s in enumerate(calm)]
    delays = [delay_row(s, results["shift", n]) for n, s in enumerate(moved)]
    main_calm = next(r for r in rows if (r["scenario"], r["asked"]) == ("20 x 50, 15 min", 1))
    main_delay = next(r for r in delays if r["scenario"] == "20 x 50, 15 %")
    alarms, years = sum(r["alarms"] for r in rows), sum(r["deviceYears"] for r in rows)
    return {
        "falseAlarmsPerDeviceYear": main_calm["perDeviceYear"],
        "delayWindows": main_delay["rules"][OURS]["worst"],
        "deviceYears": round(years),
        "alarms": alarms,
        "falseAlarms": rows,
        "delays": delays,
        "peersFalseAlarmsPerYear": {
            f"{f.devices} x {f.inferences}": results["peers", c][0] for c, f in fields.items()
        },
        "seed": seed,
    }


def calm_row(scenario: Calm, played: Sequence[tuple[int, float, dict[str, int]]]) -> Row:
    alarms, years = sum(p[0] for p in played), sum(p[1] for p in played)
    low, high = interval(alarms, years)
    spoke: dict[str, int] = {}
    for _, _, one in played:
        for detector, n in one.items():
            spoke[detector] = spoke.get(detector, 0) + n
    devices = scenario.field.devices
    return {
        "scenario": scenario.name,
        "field": asdict(scenario.field),
        "asked": scenario.asked,
        "fleetYears": round(years, 3),
        "deviceYears": round(years * devices, 2),
        "alarms": alarms,
        "perFleetYear": round(alarms / years, 3),
        "low": round(low, 3),
        "high": round(high, 3),
        "perDeviceYear": round(alarms / years / devices, 4),
        "detectors": spoke,
    }


def delay_row(scenario: Shift, found: Sequence[dict[str, float]]) -> Row:
    rules = {}
    for name in found[0]:
        late = sorted(one[name] for one in found)
        seen = [x for x in late if math.isfinite(x)]
        rules[name] = {
            "foundPercent": round(100 * len(seen) / len(late), 1),
            "median": seen[len(seen) // 2] if seen else None,
            "p90": late[int(0.9 * len(late))] if len(seen) > 0.9 * len(late) else None,
            "worst": late[-1] if len(seen) == len(late) else None,
        }
    return {"scenario": scenario.name, "trials": len(found), "rules": rules}


def bars(report: Row) -> list[tuple[str, float | None, float, bool]]:
    """What must hold: words, measured, bound, held."""
    held = [
        (
            f"false alarms a fleet and year, {r['scenario']}, at least, with 95 % confidence",
            r["low"],
            float(r["asked"]),
            r["low"] <= r["asked"],
        )
        for r in report["falseAlarms"]
    ]
    late = report["delayWindows"]
    words = "windows until 15 % are found at 20 x 50, the worst trial"
    return [*held, (words, late, 3.0, late is not None and late <= 3.0)]


def show(console: Console, report: Row) -> None:
    table = Table(
        "field", "asked a year", "fleet years", "alarms", "a year", "95 %", "a device year"
    )
    for r in report["falseAlarms"]:
        cells = (r["scenario"], r["asked"], r["fleetYears"], r["alarms"], r["perFleetYear"])
        within = f"{r['low']:.2f} to {r['high']:.2f}"
        table.add_row(*map(str, cells), within, f"{r['perDeviceYear']:.4f}")
    console.print(table)
    names = list(report["delays"][0]["rules"])
    table = Table("shift", *names, title="windows until found: median, p90, worst (found %)")
    for r in report["delays"]:
        cells = [
            f"{v['median']}, {v['p90']}, {v['worst']} ({v['foundPercent']:g})"
            for v in r["rules"].values()
        ]
        table.add_row(r["scenario"], *cells)
    console.print(table)
    table = Table("without drift, alarms a fleet and year", *PEERS)
    for name, rates in report["peersFalseAlarmsPerYear"].items():
        table.add_row(name, *(f"{rates[rule]:.0f}" for rule in PEERS))
    console.print(table)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="an eighth of it, to try")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0 takes all cores")
    given = parser.parse_args()
    console, began = Console(), time.monotonic()
    report = run(seed=given.seed, quick=given.quick, workers=given.workers, console=console)
    show(console, report)
    held = bars(report)
    for words, value, bound, ok in held:
        console.print(f"{'held  ' if ok else 'MISSED'} {words}: {value} (bar {bound:g})")
    OUTPUT.mkdir(parents=True, exist_ok=True)
    path = OUTPUT / "drift.json"
    path.write_text(json.dumps(report, indent=1) + "\n")
    drift_plot.draw(report, OUTPUT / "drift.png")
    console.print(f"{path}, {time.monotonic() - began:.0f} s")
    return 0 if all(ok for *_, ok in held) else 1


if __name__ == "__main__":
    sys.exit(main())
