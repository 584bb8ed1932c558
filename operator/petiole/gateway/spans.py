"""What a trace hears of a rollout's stage from here: its first grant, and what stopped it.

A stage is followed from the first plan of it that comes with a place in a trace (docs/tracing.md).
Nothing is kept of that but in memory: after a restart, from the stage's next plan on.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from weakref import WeakKeyDictionary

from petiole import tracing
from petiole.fleet.fleet import Fleet, Outcome
from petiole.tracing import Done, Place, Value
from petiole.wire import topics

from .outbox import Outbox

_PATIENCE = 60.0  # seconds until nobody waits any more for the broker to take a halt


@dataclass(slots=True)
class _Stage:
    """``place`` is the operator's: it names stage and revision, and is the parent of all here."""

    place: Place
    since: datetime
    granted: bool = False


class Stages:
    """Stages that are followed, by fleet. Costs a look a turn, and nothing a report."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._followed: WeakKeyDictionary[Fleet, _Stage] = WeakKeyDictionary()
        self._telling: set[asyncio.Task[None]] = set()

    def planned(self, fleet: Fleet, place: Place | None) -> None:
        """Follow the stage of the plan that a fleet just took; without a place, none."""
        if place is None:
            self._followed.pop(fleet, None)
        elif fleet not in self._followed or self._followed[fleet].place != place:
            self._followed[fleet] = _Stage(place, datetime.now(UTC))

    def turned(self, fleet: Fleet, outcome: Outcome, began: float) -> None:
        """Tell of what a turn, which began at ``began`` (POSIX seconds), did for the first time."""
        stage = self._followed.get(fleet)
        if stage is None:
            return
        now = datetime.now(UTC)
        if not stage.granted and _grants_target(fleet, outcome):
            stage.granted = True
            _tell("first grant", stage.place, stage.since, now, _said(fleet))
        if outcome.new_halt:
            said = _said(fleet) | {"petiole.gate": fleet.halt.gate if fleet.halt else ""}
            decided = _tell(
                "deciding report", stage.place, datetime.fromtimestamp(began, UTC), now, said
            )
            task = asyncio.create_task(self._tell_of_halt(fleet.name, decided, now, said))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def _tell_of_halt(
        self, fleet: str, decided: Place, since: datetime, said: dict[str, Value]
    ) -> None:
        """Tell how long it took until the broker had the halt, which is in the outbox by now."""
        if await self._outbox.told([topics.halt(fleet)], _PATIENCE):
            _tell("halt told", decided, since, datetime.now(UTC), said)


def _grants_target(fleet: Fleet, outcome: Outcome) -> bool:
    target = fleet.plan.target
    wanted = {image.digest for image in target.images} if target is not None else set()
    return any(a.digest in wanted for _, grant in outcome.grants for a in grant.artefacts)


def _tell(
    name: str, parent: Place, began: datetime, ended: datetime, said: dict[str, Value]
) -> Place:
    place = parent.below(name)
    tracing.tell([Done(name, place, parent, began, ended, said)])
    return place


def _said(fleet: Fleet) -> dict[str, Value]:
    stage = fleet.plan.stage
    return {
        "petiole.fleet": fleet.name,
        "petiole.kind": fleet.plan.kind,
        "petiole.revision": fleet.revision,
        "petiole.stage": stage.name if stage is not None else "",
    }
