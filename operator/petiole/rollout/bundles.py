"""Firmware bundles by number: what a fleet has been told to run, and what it lacks."""

from __future__ import annotations

from collections.abc import Mapping

from petiole.api.devicefleet import BundleStatus, DeviceFleetStatus

from .observed import Bundle

KEPT = 8  # bundles, beside those that something still names


def number(status: DeviceFleetStatus, bundle: Bundle) -> int:
    """Return the number of a bundle: its own if it was wanted before, else the next one."""
    known = next((b.number for b in status.bundles if b.digest == bundle.digest), None)
    return known or 1 + max((b.number for b in status.bundles), default=0)


def noted(status: DeviceFleetStatus, bundle: Bundle) -> DeviceFleetStatus:
    """Give a bundle its number; the oldest are forgotten unless something names them."""
    if any(b.digest == bundle.digest for b in status.bundles):
        return status
    new = BundleStatus(
        number=number(status, bundle),
        digest=bundle.digest,
        version=bundle.version,
        variants=bundle.variants,
    )
    bundles = (*status.bundles, new)
    named = {status.firmware.target, status.firmware.stable, status.firmware.failed}
    recent = bundles[-KEPT:]
    kept = tuple(b for b in bundles if b in recent or b.number in named)
    return status.model_copy(update={"bundles": kept})


def find(status: DeviceFleetStatus, number: int) -> BundleStatus | None:
    return next((b for b in status.bundles if b.number == number), None)


def lacking(bundle: Bundle, boards: Mapping[str, int]) -> dict[str, int]:
    """Count the devices, by class, for which the bundle has nothing."""
    built = {variant.target for variant in bundle.variants}
    return {board: count for board, count in sorted(boards.items()) if board not in built}
