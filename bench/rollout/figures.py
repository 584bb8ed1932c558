"""From runs to the figures of ``build/bench/rollout.json``, and to bars that were met or missed."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any, Literal

from .work import PERCENT, Kind, Run

Figures = dict[str, Any]
Results = Mapping[str, Figures]


def figures(runs: Sequence[Run], setting: str) -> Figures:
    """Sum up the runs of one peer. What was not measured is absent."""
    speed, staged = _typical(runs, "speed"), _typical(runs, "staged")
    failing = [run for run in runs if run.kind == "failing"]
    made: Figures = {
        "devicesPerSecond": {str(r.devices): per_second(r) for r in speed},
        "devicesPerSecondOf": {str(r.devices): _rates(runs, r.devices) for r in speed},
        "stagedDevicesPerSecond": {str(r.devices): per_second(r) for r in staged},
        "serverCpuMsPerDevice": cpu_ms(speed[-1]) if speed else None,
        "serverCpuMs": {str(r.devices): cpu_ms_by_process(r) for r in speed},
        "clientCpuMsPerDevice": _client_ms(speed[-1]) if speed else None,
        "controlPlaneCpuMsPerDevice": _beside_ms(speed[-1]) if speed else None,
        "finished": {str(r.devices): len(r.trace.ended) for r in speed},
        "seconds": {str(r.devices): round(r.trace.seconds, 2) for r in speed},
        "memoryMiB": _memory(speed or failing),
        "countsLost": sum(run.lost for run in runs) if runs else None,
        "countsLostOf": {str(r.devices): r.lost for r in speed},
        "exposed": _by_share(failing, lambda run: float(len(run.trace.begun))),
        "failingDevices": failing[0].devices if failing else None,
        "failingRuns": _by_share(failing, lambda _: 1.0, sum),
        "secondsFailing": _by_share(failing, lambda run: run.trace.seconds),
        "stopSecondsFailing": _by_share(failing, lambda run: run.stop_seconds),
        "stopSeconds": _stop(runs),
        "apiWritesPerStage": _writes(runs),
        "setting": setting,
    }
    return {key: value for key, value in made.items() if value not in (None, {})}


def _typical(runs: Sequence[Run], kind: Kind) -> list[Run]:
    """Of each size the run of median speed, the slower one of two; smallest size first."""
    sizes: dict[int, list[Run]] = {}
    for run in runs:
        if run.kind == kind:
            sizes.setdefault(run.devices, []).append(run)
    return [_middle(sizes[size]) for size in sorted(sizes)]


def _middle(runs: Sequence[Run]) -> Run:
    return sorted(runs, key=per_second)[(len(runs) - 1) // 2]


def _rates(runs: Sequence[Run], size: int) -> list[float]:
    return [per_second(run) for run in runs if run.kind == "speed" and run.devices == size]


def per_second(run: Run) -> float:
    """Devices that ended, over the time from the start to the end of the last one."""
    seconds = run.trace.seconds
    return round(len(run.trace.ended) / seconds, 2) if seconds > 0 else 0.0


def cpu_ms(run: Run) -> float:
    """CPU milliseconds of all servers a device that ended."""
    return round(1000.0 * sum(run.usage.cpu.values()) / max(len(run.trace.ended), 1), 3)


def cpu_ms_by_process(run: Run) -> dict[str, float]:
    ended = max(len(run.trace.ended), 1)
    return {name: round(1000.0 * used / ended, 3) for name, used in run.usage.cpu.items()}


def _client_ms(run: Run) -> float:
    return round(1000.0 * run.usage.client_cpu / max(len(run.trace.ended), 1), 3)


def _beside_ms(run: Run) -> float | None:
    if not run.usage.beside:
        return None
    return round(1000.0 * sum(run.usage.beside.values()) / max(len(run.trace.ended), 1), 3)


def _memory(runs: Sequence[Run]) -> dict[str, float]:
    if not runs:
        return {}
    return {
        "rss": round(max(run.usage.rss for run in runs), 1),
        "peak": round(max(run.usage.peak for run in runs), 1),
    }


def _by_share(
    runs: Sequence[Run],
    measure: Callable[[Run], float | None],
    together: Callable[[Sequence[float]], float] = mean,
) -> dict[str, float]:
    """Group runs by their percent of failing devices; what is None in all runs is left out."""
    found: dict[str, list[float]] = {}
    for run in runs:
        value = measure(run)
        if value is not None:
            found.setdefault(f"{PERCENT * run.failing:g}", []).append(value)
    return {share: round(together(values), 3) for share, values in found.items()}


def _stop(runs: Sequence[Run]) -> float | None:
    """Return the slowest stop: of the runs made for it, else of those with 10 % failing devices."""
    chosen = [r for r in runs if r.kind == "stop"] or [
        r for r in runs if r.kind == "failing" and abs(r.failing - 0.10) < 1e-9
    ]
    times = [run.stop_seconds for run in chosen]
    measured = [seconds for seconds in times if seconds is not None]
    return round(max(measured), 4) if measured else None


def _writes(runs: Sequence[Run]) -> float | None:
    counted = [r.api_writes_per_stage for r in runs if r.api_writes_per_stage is not None]
    return round(max(counted), 2) if counted else None


# --- bars -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bar:
    """``met`` is None where a figure that it needs was not measured."""

    text: str
    value: str
    met: bool | None


@dataclass(frozen=True, slots=True)
class _Demand:
    """A figure of Petiole's against a bound, which may be made of a peer's figure."""

    text: str
    path: tuple[str, ...]
    bound: Callable[[Results], float | None]
    sign: Literal["<=", "<", ">="] = "<="


def _fixed(bound: float) -> Callable[[Results], float | None]:
    return lambda _: bound


def _of(peer: str, factor: float, *path: str) -> Callable[[Results], float | None]:
    def bound(results: Results) -> float | None:
        found = figure(results, peer, *path)
        return None if found is None else factor * found

    return bound


_COMPARE = {"<=": operator.le, "<": operator.lt, ">=": operator.ge}
_SPEED = "devicesPerSecond"
_DEMANDS = (
    _Demand("devices/s at 10,000", (_SPEED, "10000"), _fixed(400.0), sign=">="),
    _Demand(
        "devices/s at 1,000: 20 x goosebit's",
        (_SPEED, "1000"),
        _of("goosebit", 20.0, _SPEED, "1000"),
        sign=">=",
    ),
    _Demand(
        "devices/s at 1,000: 8 x hawkBit's",
        (_SPEED, "1000"),
        _of("hawkbit", 8.0, _SPEED, "1000"),
        sign=">=",
    ),
    _Demand("server CPU ms a device", ("serverCpuMsPerDevice",), _fixed(2.0)),
    _Demand(
        "server CPU a device: a tenth of hawkBit's",
        ("serverCpuMsPerDevice",),
        _of("hawkbit", 0.1, "serverCpuMsPerDevice"),
    ),
    _Demand("counts lost", ("countsLost",), _fixed(0.0)),
    _Demand("seconds from deciding report to last begin", ("stopSeconds",), _fixed(0.3)),
    _Demand("API-server writes a stage", ("apiWritesPerStage",), _fixed(10.0)),
    _Demand(
        "exposed at 10 % failing: under a third of hawkBit's",
        ("exposed", "10"),
        _of("hawkbit", 1.0 / 3.0, "exposed", "10"),
        sign="<",
    ),
)


def bars(results: Results) -> list[Bar]:
    """Judge Petiole's figures. Empty when Petiole was not run."""
    if "petiole" not in results:
        return []
    return [_judge(demand, results) for demand in _DEMANDS]


def _judge(demand: _Demand, results: Results) -> Bar:
    value, bound = figure(results, "petiole", *demand.path), demand.bound(results)
    if value is None or bound is None:
        missing = "petiole" if value is None else "the peer"
        return Bar(demand.text, f"not measured: no figure of {missing}", None)
    met = _COMPARE[demand.sign](value, bound)
    return Bar(demand.text, f"{value:g} {demand.sign} {bound:.4g}", met)


def figure(results: Results, peer: str, *path: str) -> float | None:
    """One number, or None when it was not measured."""
    found: Any = results.get(peer, {})
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return float(found) if isinstance(found, int | float) else None
