"""A fleet and its gateway in memory, for tests of the rollout's decisions.

``Field`` keeps what a real gateway keeps: the newest plan, and where every device stands with it.
It follows docs/architecture.md and none of the code under test, apart from the message types.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal

from petiole.api.devicefleet import (
    Counts,
    DeviceFleetSpec,
    DeviceFleetStatus,
    FirmwareRef,
    FirmwareVariant,
    ImageStatus,
    Kind,
    ModelRef,
    Selector,
)
from petiole.api.rollout import Gate, GateTest, Rollout, Stage
from petiole.api.tinymodel import VariantStatus, VersionStatus
from petiole.rollout.cohort import order
from petiole.rollout.observed import (
    Bundle,
    FleetObserved,
    FleetOutcome,
    Obstacle,
    PutPlan,
    Reference,
)
from petiole.rollout.plan import Arm, Evidence, Halt, Plan, Summary, Window
from petiole.rollout.reconcile import reconcile

Crash = Literal["never", "before status", "before plan"]
START = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
UPDATE = Gate(name="update", outcome="Confirmed", test=GateTest(good="1%", bad="10%"))
CONFIDENCE = Gate(
    name="confidence",
    metric="ConfidenceMean",
    baseline="ConcurrentControl",
    test=GateTest(max_drop="5%"),
)
STAGES = (
    Stage(name="canary", size=40, soak="10m"),
    Stage(name="early", size="50%", soak="10m"),
    Stage(name="all", size="100%"),
)


def spec(
    *, version: int | str = "Latest", firmware: str = "", gates=(UPDATE, CONFIDENCE), **rollout
) -> DeviceFleetSpec:
    return DeviceFleetSpec(
        selector=Selector(match_labels={"app": "meters"}),
        model=ModelRef(name="digits", version=version),
        firmware=FirmwareRef(uri=firmware) if firmware else None,
        rollout=Rollout(**{"stages": STAGES, "gates": gates, "progress_deadline": "2h"} | rollout),
    )


def version(number: int) -> VersionStatus:
    return VersionStatus(
        version=number,
        round=number,
        created_at=START,
        accuracy="97.00",
        labels=100,
        trigger="Initial",
        variants=(
            VariantStatus(
                target="m4", digest=f"{number:064x}", size=4096, arena=8192, accuracy="97.00"
            ),
        ),
        reference_uri=f"models/u/versions/{number}.json",
    )


def bundle(number: int, *, board: str = "m4") -> Bundle:
    images = [ImageStatus(digest=f"{number:062x}{slot}", size=65_000) for slot in ("aa", "bb")]
    return Bundle(
        f"{number:064x}", f"1.{number}", (FirmwareVariant(target=board, a=images[0], b=images[1]),)
    )


def _ids(devices: int) -> list[str]:
    return [f"dev-{n:04d}" for n in range(devices)]


@lru_cache(maxsize=64)
def _cohort(revision: str, devices: int) -> list[str]:
    return order(revision, _ids(devices))


@dataclass
class Field:
    """Devices and what the gateway knows about them. Confidence by revision, 0..1.

    ``running`` and ``firmware``: the revision that each device runs. ``boards``: its class.
    """

    devices: int = 200
    plan: Plan | None = None
    changes: int = 0
    running: dict[str, int] = field(default_factory=dict)
    firmware: dict[str, int] = field(default_factory=dict)
    boards: dict[str, int] = field(default_factory=dict)
    images: dict[tuple[Kind, int], list[str]] = field(default_factory=dict)
    phase: dict[str, str] = field(default_factory=dict)
    exposed: set[str] = field(default_factory=set)
    confidence: dict[int, float] = field(default_factory=dict)
    halt: Halt | None = None
    reasons: dict[str, int] = field(default_factory=dict)
    gave_up: dict[str, int] = field(default_factory=dict)
    held_back: dict[str, int] = field(default_factory=dict)

    @property
    def ids(self) -> list[str]:
        return _ids(self.devices)

    @property
    def target(self) -> int:
        return self.plan.target.number if self.plan and self.plan.target else 0

    @property
    def kind(self) -> Kind:
        return self.plan.kind if self.plan else "Model"

    def runs(self, kind: Kind) -> dict[str, int]:
        return self.running if kind == "Model" else self.firmware

    def put(self, plan: Plan) -> None:
        held = self.plan
        assert held is None or plan.serial >= held.serial, "the serial of a plan went back"
        if held is not None and plan.serial == held.serial:
            assert plan == held, "the content of a plan changed under the same serial"
        if (plan.kind, plan.target) != (self.kind, held.target if held else None):
            self.phase, self.exposed, self.halt, self.reasons = {}, set(), None, {}
        elif held is not None and plan.attempt > held.attempt:
            self.phase = {d: p for d, p in self.phase.items() if p != "failed"}
            self.reasons = {}
        self.plan = plan
        for revision in plan.revisions:
            digests = [image.digest for image in revision.images]
            assert self.images.setdefault((revision.kind, revision.number), digests) == digests
        self._have_the_other()
        self._obey()

    def _have_the_other(self) -> None:
        """What is not rolled out every device is told to have."""
        plan = self.plan
        if plan.other is not None:
            assert plan.other.kind != plan.kind
            self.runs(plan.other.kind).update(dict.fromkeys(self.ids, plan.other.number))

    def _obey(self) -> None:
        plan = self.plan
        if plan is None or self.target in plan.halted or self.halt is not None:
            self._recall()
        elif plan.mode == "Rolling":
            for device in _cohort(plan.target.name, self.devices)[: plan.stage.limit]:
                if self.runs(plan.kind).get(device) == self.target:
                    self.phase.setdefault(device, "updated")
                self.phase.setdefault(device, "offered")

    def _recall(self) -> None:
        self.phase = {d: p for d, p in self.phase.items() if p != "offered"}

    def answer(self, device: str, phase: str) -> None:
        """An offered device updates, fails or falls silent; nothing else can happen to it."""
        if self.phase.get(device) != "offered":
            return
        self.phase[device] = phase
        if phase == "updated":
            self.runs(self.kind)[device] = self.target
            self.exposed.add(device)
        if phase == "failed":
            self.reasons["golden-mismatch"] = self.reasons.get("golden-mismatch", 0) + 1

    def answer_all(self, phase: str = "updated") -> None:
        for device in [d for d, p in self.phase.items() if p == "offered"]:
            self.answer(device, phase)

    def put_back(self, number: int | None = None) -> None:
        """Exposed devices take the stable revision again, when the plan wants it."""
        if self.plan is None or self.plan.mode not in ("Reverting", "Idle"):
            return
        if self.plan.stable is None or self.plan.stable.number == self.target:
            return
        for device in sorted(self.exposed)[:number]:
            if self.runs(self.kind).get(device) == self.target:
                self.runs(self.kind)[device] = self.plan.stable.number
                self.phase[device] = "reverted"

    def stop(self, at: datetime, message: str = "mean confidence fell") -> None:
        self.halt = Halt(revision=self.target, gate="confidence", at=at, message=message)
        self._obey()

    def summary(self, now: datetime) -> Summary | None:
        if self.plan is None:
            return None
        self._obey()
        self.changes += 1
        phases = list(self.phase.values())
        known = {p: phases.count(p) for p in set(phases)}
        counts = Counts(total=self.devices, pending=self.devices - len(phases), **known)
        running: dict[str, int] = {}
        for device, number in self.runs(self.kind).items():
            images = self.images[self.kind, number]
            digest = images[int(device[-1]) % len(images)]
            running[digest] = running.get(digest, 0) + 1
        return Summary(
            fleet=self.plan.fleet,
            serial=self.plan.serial,
            version=self.changes,
            at=now,
            devices=self.devices,
            online=self.devices,
            running=running,
            boards=self.boards or {"m4": self.devices},
            counts=counts,
            gave_up=self.gave_up,
            exposed=len(self.exposed),
            reasons=self.reasons,
            held_back=self.held_back,
            evidence=tuple(self._evidence(g) for g in self.plan.gates),
            halt=self.halt,
        )

    def _evidence(self, gate: Gate) -> Evidence:
        if gate.outcome:
            failed = list(self.phase.values()).count("failed")
            done = failed + list(self.phase.values()).count("updated")
            canary = Arm(devices=done, failures=failed)
            return Evidence(gate=gate.name, look=1, canary=canary, control=Arm())
        stable = self.plan.stable.number if self.plan.stable else -1
        return Evidence(
            gate=gate.name, look=1, canary=self._arm(self.target), control=self._arm(stable)
        )

    def _arm(self, number: int) -> Arm:
        devices = list(self.runs(self.kind).values()).count(number)
        return Arm(devices=devices, mean=self.confidence.get(number, 0.9), variance=0.001)


@dataclass
class Operator:
    """Runs passes as the controller does, with the status that an API server would hold."""

    spec: DeviceFleetSpec
    field: Field
    status: DeviceFleetStatus = field(default_factory=DeviceFleetStatus)
    now: datetime = START
    latest: int = 1
    generation: int = 1
    problem: str = ""
    reference_problem: str = ""
    bundle: int = 0  # at spec.firmware.uri
    bundle_problem: Obstacle | None = None
    windows: tuple[Window, ...] = ()
    references: dict[str, Reference] = field(default_factory=dict)
    labels: tuple[str, ...] = ()  # of the model's classes
    request: str = ""
    asked: int = 0
    writes: int = 0
    events: list[str] = field(default_factory=list)

    def observe(self) -> FleetObserved:
        return FleetObserved(
            namespace="default",
            name="meters",
            uid="uid-1",
            generation=self.generation,
            spec=self.spec,
            status=self.status,
            model_uid="model-uid",
            latest=self.latest,
            versions=tuple(version(n) for n in range(1, self.latest + 1)),
            request=self.request,
            summary=None if self.problem else self.field.summary(self.now),
            gateway_problem=self.problem,
            windows=() if self.problem else self.windows,
            references=self.references,
            labels=self.labels,
            reference_problem=self.reference_problem,
            bundle=bundle(self.bundle) if self._has_bundle() else None,
            bundle_problem=self.bundle_problem if self.spec.firmware else None,
        )

    def _has_bundle(self) -> bool:
        return bool(self.spec.firmware and self.bundle and self.bundle_problem is None)

    def one_pass(self, crash: Crash = "never") -> FleetOutcome:
        """One pass: status is written first, then the plan is sent. A crash loses what follows."""
        outcome = reconcile(self.observe(), self.now)
        if crash == "before status":
            return outcome
        if outcome.status != self.status:
            # What an API server stores is JSON: anything that does not survive it shows here.
            text = outcome.status.model_dump_json(by_alias=True)
            self.status = DeviceFleetStatus.model_validate_json(text)
            self.writes += 1
        if crash == "before plan":
            return outcome
        for action in outcome.actions:
            if isinstance(action, PutPlan):
                self.field.put(action.plan)
            else:
                self.events.append(action.reason)
        return outcome

    def settle(self, passes: int = 12) -> FleetOutcome:
        """Pass until nothing changes. Fails when that takes too long: it would never rest."""
        for _ in range(passes):
            writes, plan = self.writes, self.field.plan
            outcome = self.one_pass()
            if self.writes == writes and self.field.plan == plan:
                return outcome
        raise AssertionError(f"no rest after {passes} passes: {self.status.message}")

    def wait(self, **delta: float) -> FleetOutcome:
        self.now += timedelta(**delta)
        return self.settle()

    def edit(self, **changes) -> None:
        self.spec = spec(**changes)
        self.generation += 1

    def annotate(self, verb: str) -> None:
        """Leave a request on the object."""
        self.asked += 1
        self.request = f"{verb}@{self.asked}"

    def ask(self, verb: str) -> str:
        """Request, and return the answer."""
        self.annotate(verb)
        self.settle()
        assert self.status.request == self.request, "not answered"
        return self.status.answer

    def offer(self, number: int) -> None:
        """Let the object name the bundle with this content."""
        self.bundle, self.bundle_problem = number, None
        self.spec = self.spec.model_copy(update={"firmware": FirmwareRef(uri="firmware.zip")})
        self.generation += 1

    def publish(self) -> int:
        self.latest += 1
        return self.latest

    def roll(self) -> None:
        """Everything goes well, until the rollout is through."""
        for _ in range(len(self.spec.rollout.stages or range(20)) + 1):
            self.settle()
            self.field.answer_all()
            self.settle()
            self.wait(minutes=10)
        assert self.status.mode == "Idle", self.status.message

    def condition(self, type_: str):
        return next(c for c in self.status.conditions if c.type == type_)


def canary_of(operator: Operator, *, confidence: float = 0.9) -> int:
    """A newer version with its canaries updated."""
    number = operator.publish()
    operator.field.confidence[number] = confidence
    operator.settle()
    operator.field.answer_all()
    return number
