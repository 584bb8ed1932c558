"""The one place that changes anything: take what came in, decide, commit, and only then tell.

A turn handles all messages of the last moments together, and never waits. Beside the turns all that
they decided meanwhile is written, one transaction after another. Whatever is published is in the
database before, so that a SIGKILL between the two costs nothing: after a restart everything
retained is published again. Only a halt is told before it is written: it must not wait, and only
narrows. Forgotten, it is decided again by the same reports.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Sequence

import structlog
from sqlalchemy.exc import SQLAlchemyError

from petiole.fleet.fleet import Fleet, Surroundings
from petiole.fleet.standing import Clock
from petiole.rollout.plan import Image
from petiole.wire.messages import Sample, WireError

from . import schema
from .blocks import Blocks, removal
from .broker import Broker, Message
from .garbage import Garbage
from .ingest import Heard, interpret
from .metrics import Metrics
from .outbox import Outbox
from .registry import Registry
from .samples import Arrival, Samples
from .spans import Stages
from .store import Changes, Store
from .upsert import Row

log = structlog.get_logger()

GATHER = 0.02  # seconds in which messages gather for one turn
AT_ONCE = 1000  # messages, and grants, of one turn: the loop must not stand still for longer
HEARTBEAT = 1.0  # seconds after which everything is looked at, changed or not


class StoreError(Exception):
    """The database cannot be written; what was asked for will be done when it can."""


class Engine:
    """Owns the registry. Other tasks call ``hear``, change the registry and await ``settled``."""

    def __init__(self, store: Store, broker: Broker, blocks: Blocks, metrics: Metrics) -> None:
        self.registry = Registry()
        self.problem = ""
        self.stages: Stages | None = None  # where traces are collected
        self._samples: Samples | None = None
        self._store = store
        self._broker = broker
        self._blocks = blocks
        self._metrics = metrics
        self._inbox: list[tuple[str, bytes]] = []
        self._wake = asyncio.Event()
        self._decided = asyncio.Event()
        self._waiting: list[asyncio.Future[None]] = []
        self._written = asyncio.Condition()
        self.outbox = Outbox(broker, metrics)
        self._removing: set[str] = set()
        self._lacking = asyncio.Event()  # artefacts that nobody has tried to fetch yet
        self._announce = False
        self._arrived: list[str] = []
        self._looked = 0.0
        self._hearing_since = time.time()
        self._garbage = Garbage()

    def use(self, samples: Samples) -> None:
        self._samples = samples

    async def load(self) -> None:
        """Go on where an earlier process ended."""
        for row in await self._store.read(schema.artefacts):
            self._blocks.load(Image.model_validate(dict(row)))
        await self.registry.load(self._store)

    # --- called by others -------------------------------------------------------------------------

    def hear(self, topic: str, payload: bytes) -> None:
        """Take a message from the broker."""
        self._inbox.append((topic, payload))
        self._wake.set()

    def take(self, rows: Sequence[Row]) -> None:
        """Take messages that other replicas heard; their rows go with the next commit."""
        for row in rows:
            key = {"hearing": row["hearing"], "number": row["number"]}
            self.registry.changes.delete(schema.heard, key)
            self.hear(row["topic"], row["payload"])

    @property
    def backlog(self) -> int:
        """How many messages wait for a turn."""
        return len(self._inbox)

    def clock(self) -> Clock:
        """Tell the time, and since when devices could be heard."""
        return Clock(time.time(), self._hearing_since)

    def connected(self) -> None:
        """Note that the broker is there, perhaps without anything it retained."""
        self._announce = True
        self._wake.set()

    def named(self) -> set[str]:
        """Digests of all artefacts whose blocks may be at the broker."""
        return self.registry.named() | self._blocks.named()

    def nudge(self) -> None:
        """Something outside the registry changed: look at every fleet."""
        self.registry.dirty.update(self.registry.fleets)
        self._wake.set()

    async def settled(self) -> None:
        """Wait until the registry as it is now is committed. StoreError when it cannot be."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        self._wake.set()
        await future

    async def changed(self, fleet: str, after: int, wait: float) -> Fleet | None:
        """Wait at most ``wait`` seconds for a summary with a version above ``after``."""

        def news() -> bool:
            held = self.registry.fleets.get(fleet)
            return held is None or (held.summary is not None and held.summary.version > after)

        try:
            async with asyncio.timeout(wait), self._written:
                await self._written.wait_for(news)
        except TimeoutError:
            pass
        return self.registry.fleets.get(fleet)

    # --- the loop ---------------------------------------------------------------------------------

    async def run(self) -> None:
        """Take turns for ever; write and publish beside them."""
        self._garbage.start()
        beside = [
            asyncio.create_task(self.outbox.run(), name="outbox"),
            asyncio.create_task(self._write_for_ever(), name="writer"),
        ]
        try:
            while not any(task.done() for task in beside):
                await self._next_turn()
            for task in beside:
                if task.done():
                    task.result()
        finally:
            for task in beside:
                task.cancel()

    async def _next_turn(self) -> None:
        try:
            async with asyncio.timeout(HEARTBEAT):
                await self._wake.wait()
        except TimeoutError:
            pass  # time itself changes things: silence, looks, windows
        self._wake.clear()
        await asyncio.sleep(GATHER)  # in which a halt gets away, too
        messages = len(self._inbox)
        self.turn()
        self._garbage.collect(messages)

    async def _write_for_ever(self) -> None:
        while True:
            await self._decided.wait()
            self._decided.clear()
            await self._write()

    async def chores(self) -> None:
        """Fetch missing artefacts and count samples, for ever, beside the turns."""
        while True:
            self._lacking.clear()
            if self._blocks.missing():
                self._arrived += await self._blocks.fetch()
                self.nudge()
            if self._samples is not None:
                await self._samples.survey(
                    {f.plan.samples_path for f in self.registry.fleets.values()}
                )
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT / 5):
                    await self._lacking.wait()

    def turn(self) -> None:
        """Ingest and decide. A halt goes out at once; all else when it is written."""
        parts = self._metrics.parts
        with parts.labels("ingest").time():
            self._ingest()
        with parts.labels("decide").time():
            self.outbox.put(self._decide(time.time()))
        self._decided.set()

    def _ingest(self) -> None:
        inbox, self._inbox = self._inbox[:AT_ONCE], self._inbox[AT_ONCE:]
        if self._inbox:
            self._wake.set()
        clock, heard_of = self.clock(), Counter[str]()
        for topic, payload in inbox:
            try:
                heard = interpret(topic, payload)
            except WireError as error:
                self._metrics.malformed.inc()
                log.warning("malformed message", topic=topic[:120], problem=str(error))
                continue
            if heard is None:
                continue
            heard_of[heard.kind] += 1
            if isinstance(heard.message, Sample):
                self._keep(heard, heard.message)
            else:
                self.registry.hear(heard, clock)
        for kind, count in heard_of.items():
            self._metrics.messages.labels(kind).inc(count)

    def _keep(self, heard: Heard, sample: Sample) -> None:
        device = self.registry.devices.get(heard.device)
        if self._samples is None or device is None or device.fleet is None:
            return
        folder = self.registry.fleets[device.fleet].plan.samples_path
        self._samples.offer(Arrival(heard.device, sample.hash, heard.payload, folder))

    # --- decide -----------------------------------------------------------------------------------

    def _decide(self, now: float) -> list[Message]:
        """Let every fleet that something happened to, or whose time came, take its turn.

        Returns new halts, to be told before anything else.
        """
        wanted, pairs = self.registry.images(), self.registry.successions()
        for image in self._blocks.refer(wanted, pairs):
            row = {"digest": image.digest, "size": image.size, "block_size": image.block_size}
            self.registry.changes.put(schema.artefacts, row)
            self._lacking.set()
        arrived, self._arrived = self._arrived, []
        self.registry.outbox[:0] = self._blocks.messages(arrived)
        if not self._broker.connected:
            self._hearing_since = now  # nobody is silent whom we cannot hear
        if now - self._looked >= HEARTBEAT:
            self._looked = now
            self.registry.dirty.update(self.registry.fleets)
        clock = self.clock()
        unknown = self.registry.unknown
        dirty, self.registry.dirty = self.registry.dirty, set()
        halts = []
        for name in dirty:
            fleet = self.registry.fleets[name]
            with self._metrics.evaluation.time():
                if self._turn(fleet, clock, unknown):
                    halts.append(self.registry.halt_message(fleet))
        return halts

    def _turn(self, fleet: Fleet, clock: Clock, unknown: int) -> bool:
        """Let one fleet decide; True when it stops its target now."""
        before = (fleet.version, fleet.looked)
        outcome = fleet.turn(clock, self._blocks.ready, self._around(fleet, unknown), AT_ONCE)
        for member in outcome.members:
            self.registry.note_member(fleet, member)
        for device, grant in outcome.grants:
            self.registry.grant(device, grant)
        self._metrics.grants.inc(len(outcome.grants))
        if outcome.new_halt:
            self._metrics.halts.inc()
            log.error("halt", fleet=fleet.name, why=fleet.halt and fleet.halt.message)
        if self.stages is not None:
            self.stages.turned(fleet, outcome, clock.now)
        again = fleet.next_time()
        if again is not None and again <= clock.now:
            self.registry.dirty.add(fleet.name)
            self._wake.set()
        if (fleet.version, fleet.looked) != before:
            self.registry.changes.put(schema.fleets, fleet.row())
        return outcome.new_halt

    def _around(self, fleet: Fleet, unknown: int) -> Surroundings:
        plan = fleet.plan
        named = [image.digest for r in plan.revisions for image in r.images]
        problems = [
            self.problem,
            self._broker.problem,
            self._samples.problem if self._samples else "",
            *self._blocks.problems(named),
            *self.registry.problems(fleet),
        ]
        return Surroundings(
            unknown_devices=unknown,
            samples=self._samples.count(plan.samples_path) if self._samples else 0,
            problems=tuple(p for p in problems if p),
            patches=self._blocks.patches(plan.successions),
        )

    # --- commit and publish -----------------------------------------------------------------------

    async def _write(self) -> None:
        """Commit what was decided so far, then publish it and tell who waits for it."""
        waiting, self._waiting = self._waiting, []
        outbox, self.registry.outbox = self.registry.outbox, []
        try:
            with self._metrics.parts.labels("commit").time():
                await self._commit()
        except StoreError as error:
            self.registry.outbox[:0] = outbox
            for future in waiting:
                _fail(future, error)
            return
        self.outbox.put(self.registry.as_it_stands(outbox))
        self._tell_again()
        self._remove_stale()
        for future in waiting:
            if not future.done():
                future.set_result(None)
        async with self._written:
            self._written.notify_all()

    async def _commit(self) -> None:
        changes, self.registry.changes = self.registry.changes, Changes()
        if not changes:
            return
        try:
            await self._store.commit(changes)
        except (SQLAlchemyError, OSError) as error:
            self._metrics.failed_commits.inc()
            self.registry.changes = changes.before(self.registry.changes)
            what = str(error).splitlines()[0]
            self.problem = f"the gateway's database cannot be written, nothing moves: {what}"
            log.warning("commit failed", error=what)
            raise StoreError(self.problem) from error
        self.problem = ""

    def _tell_again(self) -> None:
        """Publish everything again: a broker that was away may have lost what it retained."""
        if self._announce:
            self._announce = False
            self.outbox.put(self._blocks.messages(self._blocks.all_ready()))
            self.outbox.put(self.registry.retained())

    def _remove_stale(self) -> None:
        """Take blocks that nothing names off the broker, and forget them once they are."""
        stale = self._blocks.stale()
        self._removing &= {image.digest for image in stale}
        for image in stale:
            gone = removal(image)
            if image.digest not in self._removing:
                self._removing.add(image.digest)
                self.outbox.put(gone)
            elif not any(message.topic in self.outbox for message in gone):
                self._blocks.removed([image])
                self._removing.discard(image.digest)
                self.registry.changes.delete(schema.artefacts, {"digest": image.digest})


def _fail(future: asyncio.Future[None], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
