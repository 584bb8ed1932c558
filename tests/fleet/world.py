"""One fleet with a store of rows and devices that do as they are told, in virtual time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from petiole.api.devicefleet import Kind
from petiole.fleet.devices import Device
from petiole.fleet.fleet import Fleet, Outcome, Surroundings
from petiole.fleet.grants import given
from petiole.fleet.member import Member
from petiole.fleet.standing import Clock, running
from petiole.rollout.plan import Image, Plan, Revision, StagePlan, Variant
from petiole.wire.messages import Caps, FirmwareState, Phase, Reason, State

START = datetime(2026, 3, 2, 0, 0, tzinfo=UTC).timestamp()  # a Monday, midnight
CAPS = {
    "m4": Caps("m4", 65_536, 32_768, 1, 1, "1.0", firmware=65_536),
    "m7": Caps("m7", 65_536, 32_768, 1, 1, "1.0", firmware=65_536),
    "tiny": Caps("m4", 512, 32_768, 1, 1, "1.0", firmware=512),
    "fixed": Caps("m4", 65_536, 32_768, 1, 1, "1.0"),
}
OTHER: dict[Kind, Kind] = {"Model": "Firmware", "Firmware": "Model"}


def digest(number: int, target: str, what: str) -> str:
    return f"{number:02x}{target.encode().hex()}{what.encode().hex()}".ljust(64, "0")


def revision(number: int, kind: Kind = "Model") -> Revision:
    if kind == "Model":
        variants = {t: Variant(digest=digest(number, t, ""), size=4096) for t in ("m4", "m7")}
    else:
        variants = {
            t: Variant(
                digest=digest(number, t, "a"), size=4096,
                b=Image(digest=digest(number, t, "b"), size=4097),
            )
            for t in ("m4", "m7")
        }  # fmt: skip
    return Revision(kind=kind, number=number, variants=variants)


def stage(limit: int, now: float, index: int = 0) -> StagePlan:
    at = datetime.fromtimestamp(now, UTC)
    return StagePlan(index=index, name=f"s{index}", limit=limit, started_at=at)


def rolling(number: int, limit: int, kind: Kind = "Model", **fields: Any) -> Plan:
    values: dict[str, Any] = {
        "fleet": "default.meters", "serial": 1, "selector": {}, "samples_path": "samples",
        "target": revision(number, kind), "stable": revision(1, kind), "mode": "Rolling",
        "kind": kind, "other": revision(1, OTHER[kind]),
        "stage": stage(limit, START), "no_report_after_seconds": 600.0, "interval_seconds": 900.0,
    }  # fmt: skip
    return Plan(**{**values, **fields})


class World:
    """``rows`` is what a crash leaves. A turn commits, then devices get their grants."""

    def __init__(self, plan: Plan) -> None:
        self.now = self.hearing_since = START
        self.devices: dict[str, Device] = {}
        self.rows: dict[str, dict[str, Any]] = {}
        self.missing: set[str] = set()
        self.fleet = Fleet(plan.fleet, plan)
        self.stored_fleet = self.fleet.row()

    @property
    def clock(self) -> Clock:
        return Clock(self.now, self.hearing_since)

    @property
    def plan(self) -> Plan:
        return self.fleet.plan

    def add(self, name: str, labels: dict[str, str], caps: str | None = "m4") -> Device:
        """Register a device; without ``caps`` it was never heard of."""
        device = self.devices[name] = Device(name, registered=True, labels=labels)
        if caps is not None:
            known = CAPS[caps]
            runs = FirmwareState(digest(1, known.target, "a")) if known.firmware else None
            active = digest(1, known.target, "")
            device.state = State(1, 1, Phase.IDLE, Reason.NONE, known, active=active, firmware=runs)
            device.seen_at = self.now
        self.fleet.enrol([device])
        return device

    def put(self, **fields: Any) -> None:
        plan = self.plan.model_copy(update={"serial": self.plan.serial + 1, **fields})
        for member in self.fleet.adopt(plan, self.clock):
            self.rows.pop(member.id, None)
        self.stored_fleet = self.fleet.row()

    def turn(self) -> Outcome:
        outcome = self.fleet.turn(self.clock, lambda d: d not in self.missing, Surroundings())
        for member in outcome.members:
            self.store(member)
        self.stored_fleet = self.fleet.row()
        for device, grant in outcome.grants:
            device.grant = grant
        return outcome

    def turns(self, count: int = 3) -> None:
        for _ in range(count):
            self.turn()

    def store(self, member: Member) -> None:
        self.rows[member.id] = member.row(self.fleet.name, self.fleet.revision)

    def crash(self) -> None:
        """Go on from what is stored. The retained states of the devices are stored too."""
        self.fleet = Fleet.from_row(self.stored_fleet)
        for row in self.rows.values():
            self.fleet.roster.load(Member.from_row(row))
        self.hearing_since = self.now
        self.fleet.roster.clock = self.clock
        histories = {d.id: d.history for d in self.devices.values()}
        self.devices = {d.id: Device.from_row(d.row()) for d in self.devices.values()}
        for name, history in histories.items():
            self.devices[name].history = history
        self.fleet.enrol(self.devices.values())

    def forget(self, name: str) -> None:
        """Forget a device whole."""
        del self.devices[name]
        if self.fleet.forget(name) is not None:
            self.rows.pop(name, None)
        self.stored_fleet = self.fleet.row()

    def hear(self, name: str, state: State) -> None:
        device = self.devices[name]
        known = device.state
        device.report(state, self.now)
        if device.state is known:
            return
        member = self.fleet.report(device, self.clock)
        if member is not None:
            self.store(member)

    def say(self, name: str, phase: Phase, reason: Reason = Reason.NONE) -> None:
        """Let a device report this phase of what it is granted."""
        device = self.devices[name]
        old = device.state or State(1, 0, Phase.IDLE, Reason.NONE, CAPS["m4"])
        granted = self.granted(name)
        if phase in (Phase.TRIAL, Phase.CONFIRMED, Phase.IDLE) and granted is not None:
            old = runs(old, self.plan.kind, granted)
        state = replace(
            old, seq=old.seq + 1, phase=phase, reason=reason, target=granted,
            attempt=self.terms(name)[1],
        )  # fmt: skip
        self.hear(name, state)

    def say_aside(self, name: str, phase: Phase, reason: Reason = Reason.NONE) -> None:
        """Let a device report what it does with its grant of the other kind."""
        device = self.devices[name]
        rest = given(OTHER[self.plan.kind], device.grant)
        if device.state is not None and rest is not None:
            target = rest.images[0].digest
            self.hear(name, replace(
                device.state, seq=device.state.seq + 1, phase=phase, reason=reason, target=target,
                attempt=0,
            ))  # fmt: skip

    def granted(self, name: str) -> str | None:
        """Digest that the device may take of what is rolled out: for the slot it does not run."""
        device, kind = self.devices[name], self.plan.kind
        offered = given(kind, device.grant)
        if offered is None:
            return None
        active = running(kind, device.state) if device.state else None
        if kind == "Model" or offered.has(active):
            return active if offered.has(active) else offered.images[0].digest
        slot = 0 if device.state is None or device.state.boot % 2 else 1
        return offered.images[slot].digest

    def terms(self, name: str) -> tuple[bool, int]:
        """Hold and attempt of the device's grant."""
        grant = self.devices[name].grant
        of = grant if grant is None or self.plan.kind == "Model" else grant.firmware
        return (of.hold, of.attempt) if of is not None else (False, 0)


def runs(state: State, kind: Kind, digest: str) -> State:
    if kind == "Model":
        return replace(state, active=digest)
    return replace(state, firmware=FirmwareState(digest))
