"""What is invented before anything happens: versions, labels, states and grants of devices."""

from __future__ import annotations

from typing import Literal

from petiole.api.base import seconds
from petiole.api.tinymodel import VariantStatus, VersionStatus
from petiole.rollout.plan import BLOCK_SIZE
from petiole.wire.messages import Artefact, Caps, Grant, Phase, Reason, State

from .assumptions import Assumptions
from .policy import Policy

Build = Literal["good", "bad"]
BUILDS: tuple[Build, ...] = ("good", "bad")

STABLE, TARGET = 1, 2  # revisions: what runs at the start, and what is rolled out
_AMPLE = 2**31 - 1  # bytes of a slot and an arena that hold anything


def digest(revision: int, hardware: int) -> str:
    return f"{revision:02x}{hardware:02x}".ljust(64, "0")


def device_class(hardware: int) -> str:
    """Name of a class, which is the target that its artefacts are made for."""
    return f"class-{hardware}"


def site_of(index: int, assumed: Assumptions) -> int:
    """Return the site of the device with this index: all sites are of one size."""
    return index % assumed.sites


def hardware_of(index: int, assumed: Assumptions) -> int:
    """Return the class of the device with this index: every site has all of them."""
    return index // assumed.sites % assumed.hardware


def is_target(artefact: str) -> bool:
    return artefact.startswith(f"{TARGET:02x}")


def versions(assumed: Assumptions) -> tuple[VersionStatus, ...]:
    """Both revisions as a TinyModel's status lists them."""
    return tuple(_version(number, assumed) for number in (STABLE, TARGET))


def _version(number: int, assumed: Assumptions) -> VersionStatus:
    variants = tuple(
        VariantStatus(
            target=device_class(hardware),
            digest=digest(number, hardware),
            size=assumed.size,
            arena=0,
            accuracy="",
        )
        for hardware in range(assumed.hardware)
    )
    return VersionStatus(
        version=number,
        round=number,
        created_at=assumed.start,
        accuracy="",
        labels=0,
        trigger="Initial",
        variants=variants,
        reference_uri="",
    )


def labels(policy: Policy, site: int, hardware: int) -> dict[str, str]:
    """Return what the selector wants, and a value for each label that the policy names.

    The label of ``clusterBy`` and ``site`` are the site, any other is the device class.
    """
    rollout = policy.spec.rollout
    grouped = rollout.disruption.group_by if rollout.disruption is not None else ()
    of_site = {"site", rollout.cluster_by or "site"}
    named = {*rollout.stratify_by, *grouped, *of_site}
    invented = {
        name: f"site-{site}" if name in of_site else device_class(hardware)
        for name in sorted(named)
    }
    return invented | policy.spec.selector.match_labels


def at_rest(hardware: int) -> State:
    """Return what a device of this class reports that runs the stable revision."""
    caps = Caps(device_class(hardware), slot=_AMPLE, arena=_AMPLE, abi=2, ops=0, agent="simulated")
    running = digest(STABLE, hardware)
    return State(
        boot=1, seq=0, phase=Phase.CONFIRMED, reason=Reason.NONE, caps=caps, active=running
    )


def first_grant(policy: Policy, hardware: int, assumed: Assumptions) -> Grant:
    """Return the grant that the rollout of the stable revision has left behind."""
    monitoring = policy.spec.monitoring
    return Grant(
        serial=0,
        fleet=policy.fleet,
        interval=round(seconds(monitoring.interval) * 1000),
        samples=monitoring.samples_per_day,
        artefact=Artefact(digest(STABLE, hardware), assumed.size, BLOCK_SIZE),
    )
