"""Which artefact a device may take. Pure: the whole policy of grants is the table in ``wanted``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from petiole.rollout.plan import Variant
from petiole.wire.messages import Artefact


@dataclass(frozen=True, slots=True)
class Case:
    """All that the choice depends on.

    ``target`` and ``stable`` are the variants that fit this device; ``current`` is what it was
    granted last, ``running`` what it runs. ``granted``: it was let begin the target; ``retrying``:
    it gave it up since, and waits for another try.
    """

    mode: Literal["Idle", "Rolling", "Reverting", "Paused"]
    halted: bool
    target: Artefact | None
    stable: Artefact | None
    current: Artefact | None
    running: str | None
    exposed: bool = False
    failed: bool = False
    granted: bool = False
    retrying: bool = False


def wanted(case: Case) -> Artefact | None:
    """Choose the artefact of the device's grant; None: it keeps what it has."""
    if case.mode == "Idle":
        return case.stable or case.current
    if case.mode == "Reverting" or case.halted:
        return _withdrawn(case)
    if case.failed:
        return _resting(case)
    if case.retrying:
        return case.current
    return case.target if case.granted else _resting(case)


def _withdrawn(case: Case) -> Artefact | None:
    """Withhold a bad target; only the operator takes it back from those that run it already."""
    if not case.exposed:
        return _resting(case)
    if case.mode == "Reverting" and case.stable is not None:
        return case.stable
    return case.current


def _resting(case: Case) -> Artefact | None:
    """Not its turn: what it runs by an earlier grant, else the stable revision."""
    current = case.current
    if current and current.digest == case.running and not _is(current, case.target):
        return current
    return case.stable


def _is(a: Artefact, b: Artefact | None) -> bool:
    return b is not None and a.digest == b.digest


def artefact(variant: Variant | None) -> Artefact | None:
    """Name a plan's variant as the wire does."""
    if variant is None:
        return None
    return Artefact(variant.digest, variant.size, variant.block_size)
