"""Devices and fleets in memory, loaded from the store at start; every change is noted for it.

Nothing here waits: a method changes memory and ``changes``, and the engine commits before it tells
anyone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import structlog

from petiole.fleet.claims import Claims, selects
from petiole.fleet.devices import TALLIES, Device, encoded
from petiole.fleet.evidence import mark
from petiole.fleet.fleet import Fleet
from petiole.fleet.member import Member
from petiole.fleet.standing import Clock, tries_firmware
from petiole.fleet.windows import Bin, Tally, WindowBook, take
from petiole.rollout.plan import Image, Plan
from petiole.wire import topics
from petiole.wire.messages import Artefact, Grant, State, Stats, encode_halt

from . import schema
from .broker import Message
from .ingest import Heard
from .store import Changes, Store

log = structlog.get_logger()

MAX_UNKNOWN = 10_000  # devices without registration that are remembered


class StalePlanError(Exception):
    """A plan older than the one held: its sender lost the lead."""


class Registry:
    """All devices and fleets. ``dirty`` names the fleets whose summary may have changed."""

    def __init__(self) -> None:
        self.devices: dict[str, Device] = {}
        self.fleets: dict[str, Fleet] = {}
        self.windows = WindowBook()
        self.dirty: set[str] = set()
        self.changes = Changes()
        self.outbox: list[Message] = []
        self.unknown = 0  # devices that speak but were never registered
        self._granted: Counter[Artefact] = Counter()  # devices by the artefact of their grant
        self._claims = Claims()

    async def load(self, store: Store) -> None:
        """Read everything that an earlier process knew."""
        self.devices = {r["id"]: Device.from_row(r) for r in await store.read(schema.devices)}
        for device in self.devices.values():
            self._granted.update(device.grant.artefacts if device.grant else ())
        for row in await store.read(schema.histories):
            self.devices[row["device"]].history = row["entries"]
        for row in await store.read(schema.tallies):
            self.devices[row["device"]].tallies[row["digest"]] = Tally.from_row(row)
        self.fleets = {r["name"]: Fleet.from_row(r) for r in await store.read(schema.fleets)}
        for row in await store.read(schema.members):
            fleet = self.fleets[row["fleet"]]
            if row["revision"] == fleet.revision:
                fleet.roster.load(Member.from_row(row))
        for row in await store.read(schema.windows):
            self.windows.load(row["fleet"], row["digest"], Bin.from_row(row))
        self.unknown = sum(not d.registered for d in self.devices.values())
        self._place(self.devices.values())

    # --- what the operator says -------------------------------------------------------------------

    def put_plan(self, plan: Plan, clock: Clock) -> None:
        """Take a plan. StalePlanError when its serial is older than the one held."""
        fleet = self.fleets.get(plan.fleet)
        if fleet is None:
            fleet = self.fleets[plan.fleet] = Fleet(plan.fleet, plan)
            fleet.roster.clock = clock
            self._select(plan.fleet)
        elif plan.serial < fleet.plan.serial:
            raise StalePlanError(
                f"fleet {plan.fleet} holds plan {fleet.plan.serial}, newer than {plan.serial}"
            )
        else:
            self._adopt(fleet, plan, clock)
        limit = plan.stage.limit if plan.stage else 0
        log.info("plan", fleet=plan.fleet, serial=plan.serial, mode=plan.mode, limit=limit)
        self.outbox.append(self.halt_message(fleet))
        self.note_fleet(fleet)

    def _adopt(self, fleet: Fleet, plan: Plan, clock: Clock) -> None:
        revision, selector = fleet.revision, fleet.plan.selector
        self._forget_members(fleet.name, revision, fleet.adopt(plan, clock))
        if plan.selector != selector:
            self._select(fleet.name)

    def delete_fleet(self, name: str) -> None:
        """Forget a fleet; its grants and halts are taken off the broker."""
        fleet = self.fleets.pop(name, None)
        if fleet is None:
            return
        self._forget_members(name, fleet.revision, fleet.members.values())
        self.changes.delete(schema.fleets, {"name": name})
        for digest, start in self.windows.drop(name):
            self.changes.delete(schema.windows, {"fleet": name, "digest": digest, "start": start})
        self.outbox.append(Message(topics.halt(name), b""))
        self._select(name)
        self.dirty.discard(name)

    def register(self, devices: Iterable[tuple[str, dict[str, str]]]) -> None:
        """Know these devices, by id, with these labels instead of any earlier ones."""
        changed = []
        for device_id, labels in devices:
            device = self.devices.get(device_id)
            if device is None:
                device = self.devices[device_id] = Device(device_id)
            elif not device.registered:
                self.unknown -= 1
            elif device.labels == labels:
                continue
            elif device.fleet is not None:
                self.fleets[device.fleet].relabel()
            device.registered, device.labels = True, labels
            self._note_device(device)
            changed.append(device)
        self._place(changed)

    def forget(self, device_id: str, *, keep_registration: bool) -> None:
        """Forget what a device said, was granted and did, here and at the broker.

        Also when it is not known here: the broker may retain what it said before the last crash.
        """
        self.outbox += [Message(topic, b"") for topic in topics.retained(device_id)]
        device = self.devices.pop(device_id, None)
        if device is None:
            return
        for fleet in self.fleets.values():  # it may have been in another one before
            member = fleet.forget(device_id)
            if member is not None:
                self._forget_members(fleet.name, fleet.revision, [member])
                self.note_fleet(fleet)
        self._count_grant(device, None)
        self._claims.drop(device_id)
        self.unknown -= not device.registered
        self.changes.delete(schema.devices, {"id": device_id})
        self.changes.delete(schema.histories, {"device": device_id})
        for digest in device.tallies:
            self.changes.delete(schema.tallies, {"device": device_id, "digest": digest})
        if keep_registration and device.registered:
            self.register([(device_id, device.labels)])
        else:
            self.dirty.update(self.fleets)

    # --- what devices say -------------------------------------------------------------------------

    def hear(self, heard: Heard, clock: Clock) -> None:
        """Take a valid state, stats or presence message."""
        device = self.devices.get(heard.device)
        if device is None:
            if self.unknown >= MAX_UNKNOWN:
                return
            device = self.devices[heard.device] = Device(heard.device)
            self.unknown += 1
            self.dirty.update(self.fleets)
        match heard.message:
            case State() as state:
                self._hear_state(device, state, heard.payload, clock)
            case Stats() as stats:
                self._hear_stats(device, stats, clock.now)
            case bool() as online:
                self._hear_presence(device, online)

    def _hear_presence(self, device: Device, online: bool) -> None:
        if device.online != online:
            device.online = online
            if device.fleet is not None:
                self.fleets[device.fleet].presence(device)
                self.dirty.add(device.fleet)

    def _hear_state(self, device: Device, state: State, payload: bytes, clock: Clock) -> None:
        known = device.state
        notable = device.report(state, clock.now, payload)
        if device.state is known:
            return
        if notable:
            row = {"device": device.id, "entries": device.history}
            self.changes.put(schema.histories, row)
        self._note_device(device)
        if tries_firmware(state) and device.grant is not None:
            # It keeps firmware only if who reads its reports answers, not the broker alone.
            self.outbox.append(Message(topics.grant(device.id), encoded(device.grant)))
        if device.fleet is not None:
            fleet = self.fleets[device.fleet]
            member = fleet.report(device, clock)
            if member is not None:
                self.note_member(fleet, member)
            self.dirty.add(fleet.name)

    def _hear_stats(self, device: Device, stats: Stats, now: float) -> None:
        if device.fleet is None:
            return
        device.seen_at = now
        fleet = self.fleets[device.fleet]
        fleet.heard(device)
        delta = take(device.tallies, stats)
        if delta is None:
            return
        tally = device.tallies[stats.digest]
        if device.state is not None and (since := mark(fleet.plan, device.state, stats.digest)):
            tally.set_mark(since)
        bin_ = self.windows.add(fleet.name, tally, delta, now, fleet.plan.interval_seconds)
        self.changes.put(schema.windows, bin_.row(fleet.name, stats.digest))
        grown, gone = self.windows.thin(fleet.name, stats.digest)
        for whole in grown:
            self.changes.put(schema.windows, whole.row(fleet.name, stats.digest))
        for start in gone:
            key = {"fleet": fleet.name, "digest": stats.digest, "start": start}
            self.changes.delete(schema.windows, key)
        self.changes.put(schema.tallies, tally.row(device.id))
        self._forget_tallies(device)

    def _forget_tallies(self, device: Device) -> None:
        if len(device.tallies) <= TALLIES:
            return
        oldest = min(device.tallies.values(), key=lambda t: t.stats.order).stats.digest
        del device.tallies[oldest]
        self.changes.delete(schema.tallies, {"device": device.id, "digest": oldest})

    # --- what the gateway decides -----------------------------------------------------------------

    def grant(self, device: Device, grant: Grant) -> None:
        """Let this be the device's grant."""
        self._count_grant(device, grant)
        self._note_device(device)
        self.outbox.append(Message(topics.grant(device.id), encoded(grant)))

    def _count_grant(self, device: Device, grant: Grant | None) -> None:
        for held, by in ((device.grant, -1), (grant, 1)):
            for artefact in held.artefacts if held is not None else ():
                self._granted[artefact] += by
                if not self._granted[artefact]:
                    del self._granted[artefact]
        device.grant = grant

    def note_fleet(self, fleet: Fleet) -> None:
        self.changes.put(schema.fleets, fleet.row())
        self.dirty.add(fleet.name)

    def note_member(self, fleet: Fleet, member: Member) -> None:
        self.changes.put(schema.members, member.row(fleet.name, fleet.revision))

    def halt_message(self, fleet: Fleet) -> Message:
        return Message(topics.halt(fleet.name), encode_halt(fleet.halted_digests))

    def as_it_stands(self, messages: Iterable[Message]) -> list[Message]:
        """``messages`` with halts of this moment: none takes back what was decided meanwhile."""
        fleets = {topics.halt(name): fleet for name, fleet in self.fleets.items()}
        return [self.halt_message(fleets[m.topic]) if m.topic in fleets else m for m in messages]

    # --- what follows -----------------------------------------------------------------------------

    def problems(self, fleet: Fleet) -> list[str]:
        taken = self._claims.lost(fleet.name)
        if not taken:
            return []
        why = "match the selector of another fleet too and belong to that; make selectors disjoint"
        return [f"{taken} devices {why}"]

    def images(self) -> list[Image]:
        """All artefacts that a plan or a grant names."""
        return [
            *(Image(digest=a.digest, size=a.size, block_size=a.block) for a in self._granted),
            *(image for f in self.fleets.values() for r in f.plan.revisions for image in r.images),
        ]

    def successions(self) -> set[tuple[str, str]]:
        """Digests of artefacts and of those that take their place in some fleet."""
        return {pair for fleet in self.fleets.values() for pair in fleet.plan.successions}

    def named(self) -> set[str]:
        """Digests of all artefacts that a plan or a grant names."""
        return {image.digest for image in self.images()}

    def retained(self) -> list[Message]:
        """Halts and grants, for a broker that may have lost them."""
        return [
            *(self.halt_message(f) for f in self.fleets.values()),
            *(
                Message(topics.grant(d.id), encoded(d.grant) if d.grant else b"")
                for d in self.devices.values()
            ),
        ]

    def _place(self, devices: Iterable[Device]) -> None:
        """Find the fleets of devices that are new here, or whose labels changed."""
        selectors = {name: fleet.plan.selector for name, fleet in self.fleets.items()}
        known = list(devices)
        for device in known:
            labels = device.labels if device.registered else None
            self._claims.place(device.id, labels, selectors)
        self._assign(known)
        self.dirty.update(self.fleets)

    def _select(self, name: str) -> None:
        """Find the devices of a fleet that came, went, or selects others than before."""
        fleet, found = self.fleets.get(name), list[str]()
        if fleet is not None:
            registered = (device for device in self.devices.values() if device.registered)
            found = [d.id for d in registered if selects(fleet.plan.selector, d.labels)]
        changed = [self.devices[device] for device in self._claims.change(name, found)]
        self._assign(changed)
        for device in changed:  # who has it, and who would have it
            self.dirty.update(self._claims.of(device.id))

    def _assign(self, devices: Iterable[Device]) -> None:
        """Give devices to the first fleet, by name, that selects them."""
        joined: dict[str, list[Device]] = {}
        left: dict[str, list[Device]] = {}
        for device in devices:
            owner, before = next(iter(self._claims.of(device.id)), None), device.fleet
            if before != owner:
                self._hand_over(device, owner)
                if before in self.fleets:
                    left.setdefault(before, []).append(device)
            if owner is not None:
                joined.setdefault(owner, []).append(device)
        for name, gone in left.items():
            self.fleets[name].dismiss(gone)
        for name, found in joined.items():
            self.fleets[name].enrol(found)
        self.dirty.update(left, joined)

    def _hand_over(self, device: Device, owner: str | None) -> None:
        device.fleet = owner
        if owner is None and device.grant is not None:
            self._count_grant(device, None)
            self.outbox.append(Message(topics.grant(device.id), b""))
        self._note_device(device)

    def _forget_members(self, fleet: str, revision: int, members: Iterable[Member]) -> None:
        for member in members:
            key = {"fleet": fleet, "revision": revision, "device": member.id}
            self.changes.delete(schema.members, key)

    def _note_device(self, device: Device) -> None:
        self.changes.put(schema.devices, device.row())
