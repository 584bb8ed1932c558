"""Very many models and fleets on one operator: what it costs, at rest, in bursts and at a start.

At rest nothing happens in the field, and nothing may be written. What happens by itself is in it:
the operator looks at every object once a minute, and asks the gateway after every fleet.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from .estate import Estate
from .requests import Asked

REST_SECONDS = 600.0
SETTLE_SECONDS = 75.0  # in which every object is looked at once more: --resync is a minute
_SAMPLE = 5.0  # seconds between two looks at the memory
_ACT_SECONDS = 60.0  # for an act, and more with every object
_SECONDS_AN_OBJECT = 1.2
_GROWTH = 0.02  # of memory at rest, as a share of it: less is the allocator's
_HOUR = 3600.0
EDIT = {"rollout": {"noReportAfter": "25m"}}


@dataclass(frozen=True, slots=True)
class Act:
    """What one act took: wall time, requests, CPU seconds, and the operator's memory after it."""

    name: str
    seconds: float
    asked: Asked
    operator: float
    gateway: float
    rss: float  # MiB


@dataclass(slots=True)
class Found:
    """All acts; ``memory`` are looks at the operator's memory at rest, MiB."""

    objects: int
    acts: list[Act] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    scrape: float = 0.0  # seconds that Prometheus waits for the operator's metrics

    def act(self, name: str) -> Act:
        return next(act for act in self.acts if act.name == name)

    @property
    def growth(self) -> float:
        """MiB from the first tenth of the rest to the last."""
        return growth(self.memory)

    @property
    def good(self) -> bool:
        rest, restart = self.act("rest"), self.act("restart")
        return not (rest.asked.writes or restart.asked.writes) and self.growth < _GROWTH * rest.rss

    def figures(self) -> dict[str, float]:
        rest, restart = self.act("rest"), self.act("restart")
        return {
            "objects": self.objects,
            "rssMiB": round(rest.rss),
            "growthMiB": round(self.growth, 1),
            "cpuSecondsPerHour": round(rest.operator / rest.seconds * _HOUR),
            "gatewayCpuSecondsPerHour": round(rest.gateway / rest.seconds * _HOUR),
            "requestsPerMinuteAtRest": round(rest.asked.total / rest.seconds * 60),
            "writesAtRest": rest.asked.writes,
            "restSeconds": round(rest.seconds),
            "restartSeconds": round(restart.seconds, 1),
            "restartRequests": restart.asked.total,
            "scrapeSeconds": round(self.scrape, 2),
        }


def growth(memory: Sequence[float]) -> float:
    """Return the difference of the medians of the last tenth and of the first."""
    tenth = max(1, len(memory) // 10)
    return statistics.median(memory[-tenth:]) - statistics.median(memory[:tenth])


def table(found: Found) -> Table:
    made = Table(
        title=f"{found.objects // 2:,} TinyModels and {found.objects // 2:,} DeviceFleets",
        title_justify="left",
    )
    made.add_column("act")
    for column in ("s", "requests", "an object", "writes", "CPU s", "gateway CPU s", "RSS MiB"):
        made.add_column(column, justify="right")
    for act in found.acts:
        made.add_row(
            act.name,
            f"{act.seconds:.0f}",
            f"{act.asked.total:,}",
            f"{act.asked.total / found.objects:.1f}",
            f"{act.asked.writes:,}",
            f"{act.operator:.1f}",
            f"{act.gateway:.1f}",
            f"{act.rss:.0f}",
        )
    return made


def requests(found: Found) -> Table:
    """What was asked for, by act."""
    made = Table(title="Requests to the API server", title_justify="left")
    made.add_column("what")
    for act in found.acts:
        made.add_column(act.name, justify="right")
    for verb, resource in sorted({what for act in found.acts for what in act.asked.by}):
        counts = (act.asked.by[verb, resource] for act in found.acts)
        made.add_row(f"{verb} {resource}", *(f"{count:,}" if count else "" for count in counts))
    return made


def measure(
    count: int, rest_seconds: float, console: Console, settle_seconds: float = SETTLE_SECONDS
) -> Found:
    """Bring ``count`` models and fleets up and play all acts."""
    with tempfile.TemporaryDirectory() as folder:
        console.print(f"scale: {count:,} models and devices are made")
        with Estate(Path(folder), count) as estate:
            return _Play(estate, console).run(settle_seconds, rest_seconds)


class _Play:
    def __init__(self, estate: Estate, console: Console) -> None:
        self._estate, self._console = estate, console
        self._found = Found(2 * estate.count)
        self._patience = _ACT_SECONDS + _SECONDS_AN_OBJECT * estate.count

    def run(self, settle_seconds: float, rest_seconds: float) -> Found:
        estate, patience = self._estate, self._patience
        with self._act("models found", anew=True):
            estate.start_operator()
            estate.await_models(patience)
        with self._act("fleets made"):
            estate.make_fleets()
            estate.await_fleets(patience)
        with self._act("fleets edited"):
            estate.edit_fleets(EDIT)
            estate.await_fleets(patience)
        self._console.print(f"scale: {settle_seconds:.0f} s to come to rest")
        time.sleep(settle_seconds)
        with self._act("rest"):
            self._rest(rest_seconds)
        self._found.scrape = estate.scrape()[0]
        estate.kill_operator()
        with self._act("restart", anew=True):
            estate.start_operator()
            estate.await_passes(patience)
        return self._found

    @contextmanager
    def _act(self, name: str, *, anew: bool = False) -> Iterator[None]:
        """Measure an act; ``anew``: of an operator that starts in it."""
        estate = self._estate
        estate.asked()
        before, began = estate.cpu(), time.monotonic()
        yield
        seconds, after = time.monotonic() - began, estate.cpu()
        spent = after["operator"] - (0.0 if anew else before["operator"])
        act = Act(
            name,
            seconds,
            estate.asked(),
            operator=spent,
            gateway=after["gateway"] - before["gateway"],
            rss=estate.rss(),
        )
        self._found.acts.append(act)
        self._console.print(
            f"scale: {name}: {seconds:.0f} s, {act.asked.total:,} requests,"
            f" {act.asked.writes:,} of them writes, {spent:.0f} s of CPU, {act.rss:.0f} MiB"
        )

    def _rest(self, seconds: float) -> None:
        began = time.monotonic()
        looks = range(int(seconds / _SAMPLE) + 1)
        for look in track(looks, "scale: rest", console=self._console):
            time.sleep(max(0.0, began + look * _SAMPLE - time.monotonic()))
            self._found.memory.append(self._estate.rss())
