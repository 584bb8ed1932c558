"""Leads or follows by a Lease at the API server; ``lease`` decides, this reads and writes.

A process that comes back under its old identity takes its own Lease at once. So an identity must
be one process's at a time: a Pod's name is, because kubelet ends a container before it starts it
again. Without one each start makes a new identity up.
"""

from __future__ import annotations

import asyncio
import socket
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import structlog

from . import metrics
from .cluster import Cluster, ClusterError, ConflictError, Object
from .lease import Record, Standing, Stop, Terms, Wait
from .problem import Problem

_PATIENCE = 0.25  # of the time between two renewals, until one that failed is tried again

_log = structlog.get_logger(__name__)


class LeadLostError(Problem):
    """Another operator may act now: this process does nothing more, and ends."""


class Alone:
    """No other operator is expected: this one leads from start to end."""

    def check(self) -> None:
        """Never object."""

    @asynccontextmanager
    async def lead(self) -> AsyncIterator[asyncio.Task[None]]:
        """Yield a task that does not end."""
        metrics.LEADING.set(1)
        keeper = asyncio.create_task(_for_ever(), name="no election")
        try:
            yield keeper
        finally:
            keeper.cancel()


class Election:
    """One operator among several. ``cluster`` is a connection of its own: no fence is before it."""

    def __init__(self, cluster: Cluster, lease: str, terms: Terms, identity: str = "") -> None:
        """``lease`` is namespace/name."""
        self._namespace, _, self._name = lease.partition("/")
        me = identity or f"{socket.gethostname()}_{uuid.uuid4()}"
        self._cluster = cluster
        self._standing = Standing(me, terms)
        self._body: Object | None = None  # the Lease as it was read or written last

    def check(self) -> None:
        """Raise LeadLostError unless this process leads, at this moment."""
        if not self._standing.leads(time.monotonic()):
            raise LeadLostError("This operator does not lead any more, and does nothing.")

    @asynccontextmanager
    async def lead(self) -> AsyncIterator[asyncio.Task[None]]:
        """Wait for the lead, and release it at the end.

        Yields a task that keeps the lead; it ends with LeadLostError only.
        """
        await self._take()
        _log.info("leads", lease=f"{self._namespace}/{self._name}", identity=self._standing.me)
        metrics.LEADING.set(1)
        keeper = asyncio.create_task(self._keep(), name="keep the lead")
        try:
            yield keeper
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
            metrics.LEADING.set(0)
            await self._release()

    async def _take(self) -> None:
        told = ""
        while True:
            wait = self._standing.terms.renew
            try:
                await self._look()
                action = self._standing.next(time.monotonic())
                if isinstance(action, Wait):
                    wait = action.seconds
                elif await self._write():
                    return
                told = self._follows(told)
            except (ClusterError, TimeoutError) as error:
                _log.warning("the Lease cannot be read or written", error=_said(error))
            await asyncio.sleep(wait)

    def _follows(self, told: str) -> str:
        """Log whom this process follows, once each."""
        leader = self._standing.record.holder if self._standing.record else ""
        if leader and leader != told:
            _log.info("follows", leader=leader, identity=self._standing.me)
        return leader

    async def _keep(self) -> None:
        while True:
            action = self._standing.next(time.monotonic())
            if isinstance(action, Stop):
                raise LeadLostError(f"This operator leads no more: {action.why}.")
            if isinstance(action, Wait):
                await asyncio.sleep(action.seconds)
                continue
            try:
                if not await self._write():
                    await self._look()  # somebody wrote between: who?
            except (ClusterError, TimeoutError) as error:
                _log.warning("the lead cannot be renewed", error=_said(error))
                await asyncio.sleep(_PATIENCE * self._standing.terms.renew)

    async def _look(self) -> None:
        async with self._deadline():
            self._body = await self._cluster.lease(self._namespace, self._name)
        record = None if self._body is None else _record(self._body)
        self._standing = self._standing.saw(record, time.monotonic())

    async def _write(self) -> bool:
        """Take or renew the Lease as it was seen; False when it has changed since."""
        begun = time.monotonic()
        try:
            async with self._deadline():
                written = await self._cluster.put_lease(self._wanted())
        except ConflictError:
            return False
        self._body = written
        self._standing = self._standing.wrote(_record(written), begun)
        return True

    async def _release(self) -> None:
        """Let another operator begin at once, as far as this one leads."""
        if not self._standing.leads(time.monotonic()):
            return
        spec = {"leaseDurationSeconds": 1, "leaseTransitions": self._transitions()}
        with suppress(ClusterError, TimeoutError):  # then it runs out
            async with self._deadline():
                await self._cluster.put_lease({**(self._body or {}), "spec": spec})
            _log.info("released the lead")

    def _deadline(self) -> asyncio.Timeout:
        """Of one call: a leader must notice in time that its renewals fail."""
        return asyncio.timeout(self._standing.terms.renew)

    def _wanted(self) -> dict[str, Any]:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = dict((self._body or {}).get("spec") or {})
        mine = spec.get("holderIdentity") == self._standing.me
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": dict(
                (self._body or {}).get("metadata")
                or {"namespace": self._namespace, "name": self._name}
            ),
            "spec": {
                "holderIdentity": self._standing.me,
                "leaseDurationSeconds": self._standing.terms.life,
                "acquireTime": spec["acquireTime"] if mine else now,
                "renewTime": now,
                "leaseTransitions": self._transitions() + (0 if mine else 1),
            },
        }

    def _transitions(self) -> int:
        return int(((self._body or {}).get("spec") or {}).get("leaseTransitions") or 0)


def _record(body: Object) -> Record:
    spec = body.get("spec") or {}
    return Record(
        holder=spec.get("holderIdentity") or "",
        life=float(spec.get("leaseDurationSeconds") or 0),
        version=body["metadata"]["resourceVersion"],
    )


async def _for_ever() -> None:
    await asyncio.Event().wait()


def _said(error: BaseException) -> str:
    return str(error) or type(error).__name__
