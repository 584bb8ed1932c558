"""One rollout of one build, from the first pass to its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from petiole.api.devicefleet import DeviceFleetStatus
from petiole.rollout.stages import failure
from petiole.rollout.waiting import progress

from .assumptions import Assumptions
from .events import Events
from .gateway import Gateway
from .operator import Operator
from .policy import Policy, PolicyError
from .world import TARGET, Build

End = Literal["Promoted", "Stopped", "Undecided", "Unfinished"]
_OBSTACLES = ("ApprovalNeeded", "InvalidObject")  # waits that end by a person's doing


@dataclass(frozen=True, slots=True)
class Run:
    """How a rollout went. Times in seconds since it began.

    ``seconds`` is the time to the decision, ``over`` until nothing moved any more (a revert takes
    longer than its decision). ``exposed`` counts devices that ever ran the build, ``failed`` how
    often one gave it up, ``stages`` when each was passed, ``writes`` writes of the object's
    status, ``course`` how many were exposed when.
    """

    build: Build
    seed: int
    end: End
    message: str
    seconds: float
    over: float
    exposed: int
    failed: int
    stages: tuple[tuple[str, float], ...]
    grants: int
    reports: int
    halts: int
    writes: int
    course: tuple[tuple[float, int], ...]


def simulate(policy: Policy, assumed: Assumptions, build: Build, seed: int) -> Run:
    """Play ``policy`` for one ``build``. The same arguments give the same run.

    Raises PolicyError when the operator refuses to carry it out.
    """
    return _Play(policy, assumed, build, seed).play()


class _Play:
    """The two halves, the devices, and notes of what happens."""

    def __init__(self, policy: Policy, assumed: Assumptions, build: Build, seed: int) -> None:
        self._build, self._seed, self._assumed = build, seed, assumed
        self._events = Events(assumed.start.timestamp())
        name = f"{seed}/{build}"
        self._gateway = Gateway(self._events, policy, assumed, build, name, self._changed)
        self._operator = Operator(self._events, policy, assumed, self._gateway, name, self._passed)
        self._began: float | None = None
        self._decided: float | None = None
        self._stages: dict[str, float] = {}
        self._course: list[tuple[float, int]] = []
        self._before = self._operator.status
        self._asked: datetime | None = None

    def play(self) -> Run:
        self._operator.wake()
        self._events.run(until=self._events.now + self._assumed.horizon)
        status, field = self._operator.status, self._gateway.field
        now = self._since()
        self._course.append((now, field.exposed))
        return Run(
            build=self._build,
            seed=self._seed,
            end=_end(status),
            message=_message(status),
            seconds=now if self._decided is None else self._decided,
            over=now,
            exposed=field.exposed,
            failed=field.failed,
            stages=tuple(self._stages.items()),
            grants=self._gateway.grants,
            reports=self._gateway.reports,
            halts=self._gateway.halts,
            writes=self._operator.writes,
            course=tuple(self._course),
        )

    def _since(self) -> float:
        return 0.0 if self._began is None else self._events.now - self._began

    def _changed(self) -> None:
        summary = self._gateway.summary
        if self._decided is None and summary is not None and summary.halt is not None:
            self._decided = self._since()
        self._note()
        self._operator.wake()

    def _note(self) -> None:
        """Remember the course, a point for every tenth more."""
        exposed = self._gateway.field.exposed
        if not self._course or exposed > 1.1 * self._course[-1][1]:
            self._course.append((self._since(), exposed))

    def _passed(self, status: DeviceFleetStatus) -> None:
        before, self._before = self._before, status
        if self._began is None and status.mode != "Idle":
            self._began = self._events.now
        if before.mode in ("Rolling", "Paused") and _left(before, status):
            self._stages[before.stage.name] = self._since()
        self._approve(status)
        if _over(status):
            self._events.stop()

    def _approve(self, status: DeviceFleetStatus) -> None:
        """Let a person answer, who takes the time that is assumed; once for each wait."""
        waiting = status.waiting_for
        if waiting is None or waiting.reason not in _OBSTACLES:
            return
        if waiting.reason != "ApprovalNeeded":
            raise PolicyError(waiting.message)
        if waiting.since != self._asked:
            self._asked = waiting.since
            request = f"resume@{waiting.since.isoformat()}"
            self._events.after(self._assumed.approval, self._operator.ask, request)


def _left(before: DeviceFleetStatus, status: DeviceFleetStatus) -> bool:
    """Tell whether the stage before was passed."""
    if status.mode == "Idle":
        return status.revision.stable == TARGET
    return status.mode != "Reverting" and status.stage.index > before.stage.index


def _over(status: DeviceFleetStatus) -> bool:
    if status.mode == "Idle":
        return bool(status.history)
    return status.mode == "Paused"


def _end(status: DeviceFleetStatus) -> End:
    if status.revision.stable == TARGET:
        return "Promoted"
    if status.revision.failed == TARGET or failure(status.gates) is not None:
        return "Stopped"
    return "Undecided" if status.mode == "Paused" else "Unfinished"


def _message(status: DeviceFleetStatus) -> str:
    """Say why it ended so, in the operator's words."""
    failed = failure(status.gates)
    if failed is not None:
        return f"gate {failed.name}: {failed.message}"
    if status.waiting_for is not None:
        return status.waiting_for.message
    return status.message or progress(status)
