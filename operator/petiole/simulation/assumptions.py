"""What is assumed about devices and links where no real ones are asked. Seconds, bytes, shares."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from petiole.api.base import fraction, octets, seconds


def _share(value: object) -> object:
    return fraction(value) if isinstance(value, str) else value


def _span(value: object) -> object:
    return seconds(value) if isinstance(value, str) else value


def _bytes(value: object) -> object:
    return octets(value) if isinstance(value, str) else value


def _aware(value: datetime) -> datetime:
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)


Share = Annotated[float, BeforeValidator(_share), Field(ge=0.0, le=1.0)]
Span = Annotated[float, BeforeValidator(_span), Field(ge=0.0)]
PositiveSpan = Annotated[float, BeforeValidator(_span), Field(gt=0.0)]
Bytes = Annotated[int, BeforeValidator(_bytes), Field(ge=1)]
Start = Annotated[datetime, AfterValidator(_aware)]


def _by_default(text: str | int, description: str, **limits: int) -> Any:  # noqa: ANN401
    """Return a field whose default is written as a user would."""
    return Field(text, description=description, **limits)  # type: ignore[call-overload]


class Assumptions(BaseModel):
    """One fleet and its world. Percents, durations and sizes are written as in a DeviceFleet.

    A time called *mean* is exponentially distributed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    devices: int = _by_default(10_000, "In the fleet.", ge=1, le=10_000_000)
    good: Share = _by_default("1%", "How often a good build fails its trial.")
    bad: Share = _by_default("10%", "How often a bad build fails its trial.")
    drop: Share = _by_default("0%", "By how much a bad build's confidence is lower.")
    rise: Share = _by_default("0%", "By how much a bad build's inference takes longer.")
    differs: Share = _by_default("2%", "How often a build answers otherwise than the stable one.")
    strays: Share = _by_default("0%", "How much oftener a bad build does.")
    dies: Share = _by_default("0%", "How often a bad build falls silent after its trial.")
    silent: Share = _by_default("1%", "Devices that never answer.")
    offline: Share = _by_default("2%", "Devices that are away when a grant comes.")
    offline_for: PositiveSpan = _by_default("2h", "Mean time until they are back.")
    sites: int = _by_default(50, "Sites of equal size.", ge=1, le=1_000_000)
    dark_sites: int = _by_default(0, "Sites where downloads get stuck.", ge=0)
    dark_after: Span = _by_default("0s", "From the start until they go dark.")
    dark_for: Span = _by_default("1d", "How long they stay dark.")
    hardware: int = _by_default(1, "Device classes of equal size.", ge=1, le=8)
    latency: PositiveSpan = _by_default("500ms", "Mean time of a grant and its answer.")
    size: Bytes = _by_default("32Ki", "Bytes of the artefact.")
    bandwidth: Bytes = _by_default("2Ki", "Median of devices, bytes a second.")
    trial: PositiveSpan = _by_default("30s", "Time until a device keeps what it took.")
    crash: PositiveSpan = _by_default("5s", "Mean time on trial until a failure shows.")
    give_up: PositiveSpan = _by_default("1m", "Time until a stuck download is given up.")
    confidence: Share = _by_default("85%", "Mean confidence of the stable revision.")
    inferences: PositiveSpan = _by_default("10s", "Time between two inferences.")
    inference: PositiveSpan = _by_default("20ms", "Mean time of one inference.")
    spread: Share = _by_default("5%", "Standard deviation of both between devices.")
    watch: PositiveSpan = _by_default("500ms", "Mean delay of the operator.")
    approval: Span = _by_default("0s", "Time until a person approves a Manual stage.")
    horizon: PositiveSpan = _by_default("30d", "When to end a run in any case.")
    start: Start = _by_default("2026-01-05T08:00:00Z", "When it begins; a Monday.")
