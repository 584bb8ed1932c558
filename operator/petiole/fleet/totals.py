"""Running totals of a fleet: what its members' marks add up to. Pure."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from typing import TypeVar

from petiole.api.rollout import Gate
from petiole.rollout.clusters import counted
from petiole.rollout.plan import MAX_PLACES, Arm, Evidence
from petiole.wire.messages import Reason

from .member import Mark, Member
from .standing import IN_FLIGHT, Standing

OWN_FAULTS = frozenset(
    {
        Reason.BAD_IMAGE, Reason.ABI_UNSUPPORTED, Reason.ARENA_TOO_LARGE, Reason.OP_UNSUPPORTED,
        Reason.MODEL_INVALID, Reason.GOLDEN_MISMATCH, Reason.TRIAL_EXPIRED, Reason.CRASHED,
        Reason.HUNG, Reason.WRONG_SLOT,
    }
)  # fmt: skip
"""Reasons that speak against the build itself, not against its way to the device."""

K = TypeVar("K")
Failures = list[tuple[int, str]]  # (place in the order of beginning, cluster), rising


class Totals:
    """Every member's mark, added up. ``evidence_changed`` is for its reader to turn off."""

    def __init__(self) -> None:
        self.standings: dict[Standing, int] = dict.fromkeys(Standing, 0)
        self.waits: Counter[str] = Counter()
        self.running: Counter[str] = Counter()
        self.boards: Counter[str] = Counter()
        self.gave_up: Counter[str] = Counter()
        self.reasons: Counter[int] = Counter()
        self.online = self.exposed = self.finished = self.confirmed = self.lost = 0
        self.begun: Counter[str] = Counter()
        self.failures: dict[str, Failures] = {"Confirmed": [], "SelfTest": [], "Alive": []}
        self.evidence_changed = True

    @property
    def in_flight(self) -> int:
        return sum(self.standings[s] for s in IN_FLIGHT)

    def move(self, member: Member, old: Mark | None, new: Mark | None, cluster: str) -> None:
        """Let ``member`` count as ``new`` instead of ``old``; None: not at all."""
        if old is not None:
            self._add(old, -1)
        if new is not None:
            self._add(new, 1)
        if _judged(old) != _judged(new):
            self.evidence_changed = True
            self._move_failures(member, _kinds(old), _kinds(new), cluster)

    def begin(self, cluster: str) -> None:
        """Count one more device that began."""
        self.begun[cluster] += 1
        self.evidence_changed = True

    def evidence(self, gate: Gate, began: int, devices: int) -> Evidence:
        """Gather what an outcome gate is judged by, whenever that changed: looks are free."""
        kind = gate.outcome or "Confirmed"
        failures = self.failures[kind]
        # Without clusters nothing is set aside, and the first places are all that is needed.
        given = failures if len(self.begun) > 1 else failures[:MAX_PLACES]
        failed_at, set_aside = counted(given, self.begun)
        alive = kind == "Alive"
        return Evidence(
            gate=gate.name,
            look=0,
            canary=Arm(devices=self.confirmed if alive else self.finished, failures=len(failures)),
            began=began,
            failed_at=failed_at,
            set_aside=set_aside,
            silent=self.lost if alive else self.standings[Standing.SILENT],
            devices=devices,
        )

    def _add(self, mark: Mark, by: int) -> None:
        self.standings[mark.standing] += by
        if mark.waits:
            _count(self.waits, mark.waits, by)
        if mark.running is not None:
            _count(self.running, mark.running, by)
        if mark.board is not None:
            _count(self.boards, mark.board, by)
        if mark.gave_up:
            _count(self.gave_up, mark.gave_up, by)
        if mark.failed is not None:
            _count(self.reasons, mark.failed, by)
        self.online += by * mark.online
        self.exposed += by * mark.exposed
        self.finished += by * mark.finished
        self.confirmed += by * mark.confirmed
        self.lost += by * mark.lost

    def _move_failures(
        self, member: Member, old: tuple[str, ...], new: tuple[str, ...], cluster: str
    ) -> None:
        entry = ((member.began or 0) + 1, cluster)
        for kind in old:
            if kind not in new:
                found = self.failures[kind]
                del found[bisect_left(found, entry)]
        for kind in new:
            if kind not in old:
                insort(self.failures[kind], entry)


def _judged(mark: Mark | None) -> tuple[object, ...]:
    if mark is None:
        return ()
    silent = mark.standing is Standing.SILENT
    return (mark.finished, mark.confirmed, mark.failed, mark.lost, silent)


def _kinds(mark: Mark | None) -> tuple[str, ...]:
    """Name the kinds of gates for which this is a failure."""
    if mark is None:
        return ()
    kinds = []
    if mark.failed is not None:
        kinds.append("Confirmed")
        if mark.failed in OWN_FAULTS:
            kinds.append("SelfTest")
    if mark.lost:
        kinds.append("Alive")
    return tuple(kinds)


def _count(counter: Counter[K], key: K, by: int) -> None:
    """Add, and keep no key without a count: what is empty compares as empty."""
    counter[key] += by
    if not counter[key]:
        del counter[key]
