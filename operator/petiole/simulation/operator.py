"""The operator's half: passes of ``petiole.rollout.reconcile`` as its process makes them.

Between two changes that a pass can act on - a complete stage, a halt, the end of a revert - the
process would pass again for every new count. Here it passes once a minute then.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime

from petiole.api.devicefleet import DeviceFleetStatus, RevisionStatus
from petiole.rollout import stages
from petiole.rollout.observed import FleetObserved, PutPlan
from petiole.rollout.plan import Summary
from petiole.rollout.reconcile import reconcile

from .assumptions import Assumptions
from .events import Events
from .gateway import Gateway
from .policy import Policy
from .world import STABLE, TARGET, versions

_LOOK = 60.0  # seconds between two passes that see nothing but other counts


class Operator:
    """Holds the object's status, puts plans, and tells ``passed`` after each pass."""

    def __init__(
        self,
        events: Events,
        policy: Policy,
        assumed: Assumptions,
        gateway: Gateway,
        seed: str,
        passed: Callable[[DeviceFleetStatus], None],
    ) -> None:
        model = policy.spec.model.model_copy(update={"version": "Latest"})
        self.status = DeviceFleetStatus(revision=RevisionStatus(target=STABLE, stable=STABLE))
        self._spec = policy.spec.model_copy(update={"model": model})
        self._policy, self._assumed, self._events = policy, assumed, events
        self._gateway, self._passed = gateway, passed
        self._versions = versions(assumed)
        self._rng = random.Random(seed)  # noqa: S311 - a simulation must repeat
        self._due: float | None = None
        self._request = ""
        self.writes = 0
        self._seen: tuple[object, ...] | None = None  # before the first pass

    def wake(self) -> None:
        """Pass after a change of the summary, soon if there is something to act on."""
        summary = self._gateway.summary
        gist = () if summary is None else _gist(summary, self.status)
        delay = self._rng.expovariate(1.0 / self._assumed.watch)
        self._pass_by(self._events.now + (delay if gist != self._seen else _LOOK))

    def ask(self, request: str) -> None:
        """Set the annotation by which a person asks for something."""
        self._request = request
        self._pass_by(self._events.now + self._rng.expovariate(1.0 / self._assumed.watch))

    def _pass_by(self, time: float) -> None:
        if self._due is None or time < self._due:
            self._due = time
            self._events.at(time, self._pass, time)

    def _pass(self, due: float) -> None:
        if due != self._due:
            return  # another pass came before
        self._due = None
        summary = self._gateway.summary
        outcome = reconcile(self._observe(summary), datetime.fromtimestamp(self._events.now, UTC))
        self.writes += outcome.status != self.status
        self.status = outcome.status
        self._seen = () if summary is None else _gist(summary, self.status)
        for action in outcome.actions:
            if isinstance(action, PutPlan):
                self._gateway.put(action.plan)
        if outcome.again is not None:
            self._pass_by(self._events.now + outcome.again)
        self._passed(self.status)

    def _observe(self, summary: Summary | None) -> FleetObserved:
        return FleetObserved(
            namespace=self._policy.namespace,
            name=self._policy.name,
            uid="simulated",
            generation=1,
            spec=self._spec,
            status=self.status,
            request=self._request,
            model_uid="simulated",
            latest=TARGET,
            versions=self._versions,
            summary=summary,
        )


def _gist(summary: Summary, status: DeviceFleetStatus) -> tuple[object, ...]:
    """Return what of a summary a pass can act on."""
    counts = summary.counts
    complete = stages.complete(summary, status.stage.limit)
    return (
        summary.serial,
        summary.halt,
        complete and summary.evidence,
        counts.updated + counts.trial == 0,
    )
