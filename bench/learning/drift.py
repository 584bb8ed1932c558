"""False alarms and delays of the drift detector, by simulation.

    python -m bench.learning --only drift
    python -m bench.learning.drift --quick      an eighth of it, to try; keeps no figures

Fleets are played for years without drift, each series begun anew after an alarm as after a new
revision, and with a share of inputs that the model becomes unsure of. Every rule sees the same
windows. A bar is missed by false alarms above the asked rate beyond what chance explains, or when a
shift of 15 % at 20 devices with 50 inferences each is found after more than 3 windows.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from scipy import stats

from petiole.learning import chart, drift

from . import drift_fields, drift_peers, drift_plot, drift_tables, kept
from .drift_fields import Field, play, reference
from .drift_peers import PEERS
from .figures import OUTPUT, keep

SEED = 2  # the detector was made with other seeds
YEAR_MINUTES = 365.25 * 24 * 60
OURS = "Petiole"
CALM_WINDOWS = 60  # before the shift
AFTER = 60  # windows in which a shift may be found
PEER_WINDOWS = 5_000  # that a peer is played without drift
DAY = 86400.0
SEVERITIES = (5, 15, 40)  # percent of the inputs
FIGURES = ("falseAlarmsPerDeviceYear", "delayWindows", "deviceYears", "alarms", "seed")
BAR = 3  # windows until 15 % are found
Row = dict[str, Any]


@dataclass(frozen=True)
class Calm:
    """Fleets without drift: ``fleets`` series of ``windows`` windows at an asked rate a year."""

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
    """Each series is as long as an alarm takes at the asked rate, or ``begun`` so often a year."""
    fewer = 8 if quick else 1
    daily, weekly, monthly, yearly = 365, 52, 12, 1

    def of(
        name: str, field: Field, asked: int, fleets: int, *, begun: int = 0, baseline: float = 0.0
    ) -> Calm:
        windows = round(YEAR_MINUTES / field.minutes / (begun or asked))
        return Calm(name, field, asked, max(1, fleets // fewer), windows, baseline)

    sites = Field(20, 50, 15, weather=1.0, lumps=0.02)
    lasting = replace(sites, memory=0.6)

    return [
        of("20 x 50, 15 min", Field(20, 50, 15), weekly, 64),
        of("20 x 50, 15 min", Field(20, 50, 15), monthly, 32),
        of("20 x 50, 15 min", Field(20, 50, 15), yearly, 8),
        of("1 x 50, 15 min", Field(1, 50, 15), weekly, 64),
        of("1000 x 20, 15 min", Field(1000, 20, 15), weekly, 64),
        of("20 x 200, 1 h", Field(20, 200, 60), monthly, 64),
        of("20 x 200, 1 h", Field(20, 200, 60), yearly, 16),
        of("20 x 5, 1 min", Field(20, 5, 1), daily, 48),
        of("sites", sites, weekly, 128),
        of("sites", sites, yearly, 8),
        of("sites, weather lasts", lasting, weekly, 64),
        of("sites, weather lasts, begun anew each month", lasting, yearly, 48, begun=monthly),
        of("4 sites, each its weather", replace(lasting, sites=4), weekly, 64),
        of("day and night", Field(20, 50, 15, daily=1.5), monthly, 32, baseline=DAY),
    ]


def shifts() -> list[Shift]:
    plain = [
        Shift(f"{devices} x {n}, {percent} %", Field(devices, n, 15), percent / 100)
        for devices, n in ((20, 50), (1, 50), (1, 200))
        for percent in SEVERITIES
    ]
    sites = Field(20, 50, 15, weather=1.0, lumps=0.02)
    return plain + [Shift(f"sites, {percent} %", sites, percent / 100) for percent in SEVERITIES]


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


def jobs(seed: int, quick: bool) -> dict[str, kept.Job]:
    """Everything that is played, a part of each row first, then more of each."""
    calm, moved = calm_scenarios(quick), shifts()
    trials = 40 if quick else 200
    rows: list[tuple[str, Callable[..., Any], Calm | Shift | Field, int]] = [
        *((f"calm/{n}", play_calm, row, row.fleets) for n, row in enumerate(calm)),
        *((f"shift/{n}", play_shift, row, trials) for n, row in enumerate(moved)),
        *((f"peers/{n}", peers_calm, row, 1) for n, row in enumerate(fields(moved).values())),
    ]
    ordered = sorted(
        (
            (number / count, of, number)
            for of, (*_, count) in enumerate(rows)
            for number in range(count)
        )
    )
    return {
        f"{rows[of][0]}/{number}": (rows[of][1], (rows[of][2], (seed, of, number)))
        for _, of, number in ordered
    }


def fields(moved: Sequence[Shift]) -> dict[str, Field]:
    """Return the fleets that shifts are played in, by name."""
    return {s.name.rpartition(",")[0]: s.field for s in moved}


def report(found: Mapping[str, Any], seed: int, *, quick: bool = False) -> Row:
    """Make ``drift`` of ``learning.json``, with the tables behind it, of what was played."""

    def of(row: str) -> list[Any]:
        return [value for name, value in found.items() if name.rpartition("/")[0] == row]

    moved = shifts()
    rows = [calm_row(s, of(f"calm/{n}")) for n, s in enumerate(calm_scenarios(quick))]
    delays = [delay_row(s, of(f"shift/{n}")) for n, s in enumerate(moved)]
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
            name: of(f"peers/{n}")[0] for n, name in enumerate(fields(moved))
        },
        "seed": seed,
    }


def recipe(seed: int, quick: bool) -> str:
    """Digest of what results depend on: the rules' code, and what is played."""
    modules = (drift, chart, drift_fields, drift_peers)
    code = [Path(module.__file__ or "").read_text() for module in modules]
    played = (CALM_WINDOWS, AFTER, PEER_WINDOWS, calm_scenarios(quick), shifts())
    words = repr((code, seed, played))
    return hashlib.sha256(words.encode()).hexdigest()[:12]


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


def bars(found: Row) -> list[tuple[str, float | None, float, bool]]:
    """What must hold: words, measured, bound, held."""
    held = [
        (
            f"false alarms a fleet and year, {r['scenario']}, at least, with 95 % confidence",
            r["low"],
            float(r["asked"]),
            r["low"] <= r["asked"],
        )
        for r in found["falseAlarms"]
    ]
    late = found["delayWindows"]
    words = "windows until 15 % are found at 20 x 50, the worst trial"
    return [*held, (words, late, float(BAR), late is not None and late <= BAR)]


def section(console: Console, *, seed: int = SEED, quick: bool = False, workers: int = 0) -> bool:
    """Play everything, show and keep it; returns whether all bars are held."""
    file = OUTPUT / "learning" / "drift" / recipe(seed, quick) / "results.jsonl"
    played = kept.play(jobs(seed, quick), file, workers=workers, console=console)
    found = report(played, seed, quick=quick)
    tables = drift_tables.markdown(found)
    console.print(tables, markup=False, soft_wrap=True)
    held = bars(found)
    for words, value, bound, ok in held:
        console.print(f"{'held' if ok else 'MISSED'}: {words}: {value} (bar {bound:g})")
    if not quick:
        (OUTPUT / "drift.json").write_text(json.dumps(found, indent=1) + "\n")
        (OUTPUT / "drift.md").write_text(tables)
        drift_plot.draw(found, OUTPUT / "drift.png")
        keep({"drift": {key: found[key] for key in FIGURES}})
    return all(ok for *_, ok in held)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.learning.drift", description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--quick", action="store_true", help="an eighth of it, to try")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0 takes all cores")
    given = parser.parse_args()
    return 0 if section(Console(), **vars(given)) else 1


if __name__ == "__main__":
    sys.exit(main())
