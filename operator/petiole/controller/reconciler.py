"""One pass over one object: read, decide, write status, act.

Order matters where a crash may fall between two steps. Labels are saved before the status that
counts on them is written. So are events that tell what it tells: no later pass would see the turn
that they are about. Everything else is done after the status that announces it: a status written
onto the newest object is also the fence that stops a pass which saw an older one. What a crash
leaves undone, the next pass finds undone and does, because runs, versions and plans are looked up
before they are made, and an Event has a name by what it says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from pydantic import ValidationError

from petiole import tracing
from petiole.api.base import seconds
from petiole.events.told import Teller, of_fleet, of_model
from petiole.learning.observed import Event as ModelEvent
from petiole.learning.observed import ModelAction, ModelObserved, SaveLabels
from petiole.learning.reconcile import reconcile as reconcile_model
from petiole.rollout.observed import Event as FleetEvent
from petiole.rollout.observed import FleetAction, PutPlan
from petiole.rollout.reconcile import reconcile as reconcile_fleet
from petiole.runners.base import RunKey

from . import metrics, progress, spans
from .cluster import Cluster, ConflictError, Object, RefusedError
from .fleet_pass import FleetPass
from .gateway_client import GatewayClient
from .keys import Key
from .model_pass import ModelPass, run_key
from .outbox import Outbox
from .problem import Problem
from .showing import Showing
from .status import StatusWriter
from .watches import Watches

_CONFLICT = 0.1  # seconds until a pass that saw an old object is repeated
_GATEWAY_RETRY = 3.0  # seconds

_log = structlog.get_logger(__name__)


@dataclass
class Reconciler:
    """Handler of the work queue for both kinds."""

    cluster: Cluster
    gateway: GatewayClient
    models: ModelPass
    fleets: FleetPass
    watches: Watches
    outbox: Outbox
    showing: Showing
    clock: Callable[[], datetime]
    fence: Callable[[], None] = lambda: None  # raises Problem when another operator may act
    writer: StatusWriter = field(init=False)
    _uids: dict[Key, str] = field(default_factory=dict)
    _runs: dict[Key, RunKey] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.writer = StatusWriter(self.cluster)

    async def __call__(self, key: Key) -> float | None:
        """Make a pass; return after how many seconds to make another. Raises Problem."""
        if (wait := self.writer.wait(key)) > 0:
            return wait
        self.fence()
        try:
            with _counted(key):
                return await self._pass(key)
        except ConflictError:
            return _CONFLICT

    async def _pass(self, key: Key) -> float | None:
        body = await self.cluster.get(key.plural, key.namespace, key.name)
        await self._forget_predecessor(key, body)
        if body is None:
            return None
        self.showing.offer(key, body)
        self._uids[key] = body["metadata"]["uid"]
        try:
            if key.plural == "tinymodels":
                return await self._model(key, body)
            return await self._fleet(key, body)
        except ValidationError as error:
            conditions = await self.writer.write_invalid(key, body, error, self.clock())
            metrics.STANDING.invalid(key, conditions)
            return None

    async def _model(self, key: Key, body: Object) -> float | None:
        observed = await self.models.observe(body)
        now = self.clock()
        outcome = reconcile_model(observed, now)
        await self._act_on_model(observed, outcome.actions, saving=True)
        await self._tell(key, body, outcome.actions)
        teller = _teller(key, body)
        told = of_model(teller, observed.status, outcome.status, now)
        await self.outbox.put(teller, told, observed.spec.events)
        await self.writer.write(key, body, outcome.status)
        progress.model_moved(observed.status, outcome.status, told, now)
        tracing.tell(spans.of_model(teller, observed.status, outcome.status, now, self.clock()))
        metrics.STANDING.model(key, outcome.status)
        self._remember_run(key, observed, outcome.status.round.run)
        with tracing.within(spans.of_step(observed.uid, outcome.status.round)):
            await self._act_on_model(observed, outcome.actions, saving=False)
        return outcome.again

    def _remember_run(self, key: Key, observed: ModelObserved, name: str) -> None:
        if name:
            self._runs[key] = run_key(observed, name)
        else:
            self._runs.pop(key, None)

    async def _fleet(self, key: Key, body: Object) -> float | None:
        self.watches.ensure(key)
        observed = await self.fleets.observe(body)
        now = self.clock()
        outcome = reconcile_fleet(observed, now)
        await self._tell(key, body, outcome.actions)
        teller = _teller(key, body)
        told = of_fleet(teller, observed.status, outcome.status, now)
        await self.outbox.put(teller, told, observed.spec.events)
        await self.writer.write(key, body, outcome.status)
        progress.fleet_moved(observed.status, outcome.status, told, now)
        tracing.tell(spans.of_fleet(observed, outcome.status, told, now))
        metrics.STANDING.fleet(key, outcome.status)
        for action in outcome.actions:
            if isinstance(action, PutPlan):
                place = spans.of_stage(observed, outcome.status)
                with tracing.within(place), _counted_action(action):
                    await self.gateway.put_plan(action.plan)
        return _soonest(
            outcome.again,
            seconds(observed.spec.monitoring.interval),  # no event tells of a new window
            _GATEWAY_RETRY if observed.gateway_problem else None,
        )

    async def _tell(
        self, key: Key, body: Object, actions: Iterable[FleetAction | ModelAction]
    ) -> None:
        """Write Events. One that the API server refuses holds nothing up: they are for people."""
        for action in actions:
            if not isinstance(action, FleetEvent | ModelEvent):
                continue
            try:
                with _counted_action(action):
                    await self.cluster.event(
                        body, key.plural, action.type, action.reason, action.message
                    )
            except RefusedError as problem:
                _log.warning("Event not written", key=str(key), text=str(problem))

    async def _act_on_model(
        self,
        observed: ModelObserved,
        actions: Iterable[ModelAction],
        *,
        saving: bool,
    ) -> None:
        for action in actions:
            if isinstance(action, ModelEvent) or isinstance(action, SaveLabels) is not saving:
                continue
            self.fence()
            with _counted_action(action):
                await self.models.act(observed, action)

    async def _forget_predecessor(self, key: Key, body: Object | None) -> None:
        """Clean up after an object that is gone, also when another took its name."""
        uid = self._uids.get(key)
        if body is not None and uid in (None, body["metadata"]["uid"]):
            return
        if key.plural == "devicefleets":
            self.watches.drop(key)
            await self.gateway.delete(key.fleet)
        elif key in self._runs:
            await self.models.end(self._runs[key])
        self.showing.drop(key)
        if self._uids.pop(key, None):
            _log.info("forgotten", key=str(key))
        self._runs.pop(key, None)
        self.writer.forget(key)
        metrics.STANDING.forget(key)

    async def sweep(self, namespaces: tuple[str, ...]) -> list[Key]:
        """Clear what the gateway keeps of fleets that were deleted unseen; return all objects."""
        # Asked first: whoever has a plan now and is no object after that was deleted.
        planned = await self.gateway.fleets()
        keys: list[Key] = []
        for plural in ("tinymodels", "devicefleets"):
            found = await self.cluster.all(plural, namespaces)
            keys += [Key.of(plural, body) for body in found]
        existing = {key.fleet for key in keys if key.plural == "devicefleets"}

        def ours(namespace: str) -> bool:
            return not namespaces or namespace in namespaces

        await self.showing.compare(set(keys), ours)
        for fleet in planned:
            namespace, _, name = fleet.partition(".")
            if not ours(namespace) or fleet in existing:
                continue
            # A list may be from a cache that is behind; what is read by name is not.
            if await self.cluster.get("devicefleets", namespace, name) is None:
                await self.gateway.delete(fleet)
                _log.info("cleared a fleet that is no more", fleet=fleet)
        return keys


@contextmanager
def _counted(key: Key) -> Iterator[None]:
    """Time a pass and count how it ends."""
    end = "Error"
    try:
        with metrics.PASSES.labels(key.plural).time():
            yield
        end = "Done"
    except ConflictError:
        end = "Conflict"
        raise
    except Problem:
        end = "Problem"
        raise
    finally:
        metrics.ENDED.labels(key.plural, end).inc()


@contextmanager
def _counted_action(action: FleetAction | ModelAction) -> Iterator[None]:
    """Count an action, done or failed, and tell of it."""
    name = type(action).__name__
    try:
        with tracing.span(name):
            yield
    except Problem:
        metrics.FAILURES.labels(name).inc()
        raise
    metrics.ACTIONS.labels(name).inc()


def _soonest(*waits: float | None) -> float:
    return min(wait for wait in waits if wait is not None)


def _teller(key: Key, body: Object) -> Teller:
    return Teller(key.plural, key.namespace, key.name, body["metadata"]["uid"])
