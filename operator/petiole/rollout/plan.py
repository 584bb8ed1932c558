"""What the operator and the gateway say to each other: a plan down, a summary up.

Both are whole states. The operator PUTs a plan as often as it likes; a plan with a smaller serial
than the last one is refused, so that an operator that lost its lease cannot turn time back. The
gateway may allow fewer devices than the plan does, never more.
"""

from __future__ import annotations

from datetime import datetime
from itertools import zip_longest
from typing import Annotated, Literal

from pydantic import Field

from petiole.api.base import ApiModel
from petiole.api.devicefleet import Counts, Kind
from petiole.api.rollout import Disruption, Gate, Retries, Windows

BLOCK_SIZE = 1024
MAX_PLACES = 64  # failures whose places are kept: evidence stays of one size


class Image(ApiModel):
    """One artefact, as it is fetched."""

    digest: str
    size: int
    block_size: int = BLOCK_SIZE


class Variant(Image):
    """What a revision is for one target: an artefact, or firmware linked for both slots."""

    arena: Annotated[int, Field(description="Arena bytes the device needs; 0 when unknown.")] = 0
    b: Annotated[
        Image | None, Field(description="Firmware for slot B; the rest is then for slot A.")
    ] = None

    @property
    def images(self) -> tuple[Image, ...]:
        return (self,) if self.b is None else (self, self.b)

    def has(self, digest: str | None) -> bool:
        """Tell whether a device that runs ``digest`` runs this."""
        return digest == self.digest or (self.b is not None and digest == self.b.digest)


class Revision(ApiModel):
    """A version of the model or of the firmware as devices see it."""

    kind: Kind = "Model"
    number: int
    variants: dict[str, Variant]

    @property
    def name(self) -> str:
        """Names it among those of both kinds."""
        return str(self.number) if self.kind == "Model" else f"firmware-{self.number}"

    @property
    def images(self) -> tuple[Image, ...]:
        return tuple(image for v in self.variants.values() for image in v.images)


class StagePlan(ApiModel):
    """How far the target revision may go: the first ``limit`` devices of its frozen order."""

    index: int
    name: str
    limit: int
    started_at: datetime


class Plan(ApiModel):
    """All that the gateway must know about a fleet. Idempotent."""

    fleet: Annotated[str, Field(description="<namespace>.<name>")]
    serial: int
    selector: dict[str, str]
    samples_path: Annotated[str, Field(description="Store folder for samples of this model.")]
    kind: Annotated[Kind, Field(description="What target and stable are.")] = "Model"
    target: Revision | None = None
    stable: Revision | None = None
    other: Annotated[
        Revision | None, Field(description="What devices shall have of the other kind meanwhile.")
    ] = None
    stage: StagePlan | None = None
    mode: Literal["Idle", "Rolling", "Reverting", "Paused"] = "Idle"
    halted: Annotated[tuple[int, ...], Field(description="Revision numbers to keep halted.")] = ()
    halted_digests: tuple[str, ...] = ()
    gates: Annotated[
        tuple[Gate, ...], Field(description="With the error rates that they may spend.")
    ] = ()
    stratify_by: tuple[str, ...] = ()
    cluster_by: str | None = None
    max_in_flight: int = 500
    per_minute: int | None = None
    disruption: Disruption | None = None
    windows: Windows = Windows()
    retries: Retries | None = None
    attempt: Annotated[
        int, Field(description="Devices that gave up in an earlier one may try again.")
    ] = 0
    shadow: Annotated[
        int, Field(description="Inputs on which a device compares a new model before its trial.")
    ] = 0
    no_report_after_seconds: float = 1800.0
    interval_seconds: float = 900.0
    samples_per_day: int = 5

    @property
    def revisions(self) -> tuple[Revision, ...]:
        """All that devices may be told to run."""
        return tuple(r for r in (self.target, self.stable, self.other) if r is not None)

    @property
    def successions(self) -> tuple[tuple[str, str], ...]:
        """Digests of models and of those that take their place, while devices may change."""
        if self.target is None or self.stable is None or self.mode not in ("Rolling", "Paused"):
            return ()
        stable, target = self.stable.variants, self.target.variants
        return tuple(
            (stable[name].digest, variant.digest)
            for name, variant in target.items()
            if name in stable and stable[name].digest != variant.digest and self.kind == "Model"
        )


class Arm(ApiModel):
    """One side of a gate over devices: how many, how many failed, moments of the devices' means."""

    devices: int = 0
    failures: int = 0
    mean: float = 0.0
    variance: Annotated[float, Field(description="Of the sample: divided by devices - 1.")] = 0.0
    third_moment: Annotated[float, Field(description="Mean cubed deviation from the mean.")] = 0.0


class Stratum(ApiModel):
    """Canaries and controls of one kind of hardware."""

    hardware: str
    canary: Arm = Arm()
    control: Arm = Arm()


class Evidence(ApiModel):
    """What a gate is judged by.

    An outcome gate: ``began`` devices have begun the revision, in an order that does not depend on
    how they fare; ``failed_at`` are the places (from 1, rising) of the first failed ones in that
    order, ``MAX_PLACES`` at most, less ``set_aside`` failures that ``cluster_by`` set aside.
    A device that has not answered is no failure (yet), and keeps its place. ``canary`` counts the
    devices that finished and all their failures, ``silent`` those that stopped to answer.

    A metric gate: ``strata``, one for each kind of hardware that has canaries or controls, in order
    of name; ``canary`` and ``control`` when the fleet is of one kind. ``look`` counts the looks in
    this ``stage`` (from 0) so far: error is spent by both.

    A gate on Disagreement: ``shares``, how many devices disagreed with their own model on so many
    thousandths of the inputs of a whole shadow run.
    """

    gate: str
    look: int
    stage: int = 0
    canary: Arm = Arm()
    control: Arm = Arm()
    strata: tuple[Stratum, ...] = ()
    began: int = 0
    failed_at: tuple[int, ...] = ()
    set_aside: int = 0
    silent: int = 0
    shares: Annotated[
        dict[int, int],
        Field(default_factory=dict, description="Devices by disagreement in thousandths."),
    ]
    devices: Annotated[
        int, Field(description="Devices of the fleet: as far as the gate must hold. 0: unknown.")
    ] = 0


class Halt(ApiModel):
    """A stop that the gateway decided by itself."""

    revision: int
    gate: str
    at: datetime
    message: str


class Summary(ApiModel):
    """The state of a fleet in numbers. Never a list of devices."""

    fleet: str
    serial: Annotated[int, Field(description="Serial of the plan this answers.")]
    version: Annotated[int, Field(description="Rises with every change; for watching.")]
    at: datetime
    devices: int
    online: int
    running: Annotated[
        dict[str, int],
        Field(description="Devices by the digest that they run, of the target's kind."),
    ]
    boards: Annotated[
        dict[str, int],
        Field(default_factory=dict, description="Devices that take firmware, by class."),
    ]
    counts: Annotated[
        Counts, Field(description="Ineligible and silent only within the plan's limit.")
    ]
    exposed: Annotated[int, Field(description="Devices that ever ran the target revision.")] = 0
    reasons: Annotated[
        dict[str, int], Field(default_factory=dict, description="Failed devices by reason.")
    ]
    gave_up: Annotated[
        dict[str, int],
        Field(
            default_factory=dict,
            description="Devices that gave up what they shall have of the other kind, by reason.",
        ),
    ]
    held_back: Annotated[
        dict[str, int],
        Field(
            default_factory=dict,
            description="Devices that the stage allows and that wait, by Pace, DisruptionBudget, "
            "DownloadWindow, ApplyWindow, Freeze or Backoff.",
        ),
    ]
    evidence: tuple[Evidence, ...] = ()
    halt: Halt | None = None
    samples: int = 0
    unknown_devices: int = 0
    problems: Annotated[
        tuple[str, ...], Field(description="What the gateway cannot do, in words.")
    ] = ()


class Window(ApiModel):
    """What devices of a fleet saw in one interval with one artefact: a mergeable histogram."""

    index: int
    start: datetime
    end: datetime
    digest: str
    devices: int
    count: int
    confidence: tuple[int, ...]
    classes: tuple[int, ...]
    confidence_sum: int
    confidence_squares: int
    input_sum: int = 0
    inputs: Annotated[
        tuple[int, ...], Field(description="Of the mean input byte; empty: no device says it.")
    ] = ()
    latency: Annotated[
        tuple[int, ...], Field(description="By powers of two of a microsecond; empty: as above.")
    ] = ()

    def plus(self, later: Window) -> Window:
        """Return one window of both, with at least as many devices as either."""
        return self.model_copy(
            update={
                "end": later.end,
                "devices": max(self.devices, later.devices),
                "count": self.count + later.count,
                "confidence": _plus(self.confidence, later.confidence),
                "classes": _plus(self.classes, later.classes),
                "confidence_sum": self.confidence_sum + later.confidence_sum,
                "confidence_squares": self.confidence_squares + later.confidence_squares,
                "input_sum": self.input_sum + later.input_sum,
                "inputs": _plus(self.inputs, later.inputs),
                "latency": _plus(self.latency, later.latency),
            }
        )


def _plus(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(x + y for x, y in zip_longest(a, b, fillvalue=0))
