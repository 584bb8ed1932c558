"""Who goes first: a fixed, auditable order of a fleet's devices for one revision.

A hash orders the devices, so nobody keeps a list of canaries, two processes agree without talking,
and another revision makes other devices the canaries.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

_NONE: Mapping[str, Sequence[str]] = MappingProxyType({})


def rank(revision: int | str, device: str) -> bytes:
    """Sort key of ``device`` in the cohort of ``revision``: 32 bytes, uniform over devices."""
    return hashlib.sha256(f"{revision}/{device}".encode()).digest()


def order(
    revision: int | str, devices: Iterable[str], strata: Mapping[str, Sequence[str]] = _NONE
) -> list[str]:
    """``devices`` in the order in which they may take ``revision``. No device appears twice.

    ``strata`` holds label values by device; devices with the same values are a stratum, those
    without an entry too. Each stratum is spread evenly over the order (systematic sampling with a
    random start, Madow and Madow 1944), so that in every prefix all strata have had the same share
    to within one device of each. A random start a stratum keeps small strata from always coming
    first or last: which revision meets them early is a matter of chance, in proportion to size.
    """
    groups: dict[tuple[str, ...], list[tuple[bytes, str]]] = defaultdict(list)
    for device in set(devices):
        groups[tuple(strata.get(device, ()))].append((rank(revision, device), device))
    if len(groups) == 1:
        return [device for _, device in sorted(next(iter(groups.values())))]
    placed: list[tuple[float, bytes, str]] = []
    for stratum, members in groups.items():
        start = _start(revision, stratum)
        for place, (hashed, device) in enumerate(sorted(members)):
            placed.append(((place + start) / len(members), hashed, device))
    return [device for _, _, device in sorted(placed)]


def _start(revision: int | str, stratum: tuple[str, ...]) -> float:
    """Return a number in [0, 1) that is fixed for the stratum in this revision."""
    # NUL cannot be in a label's value, so that no two strata read the same.
    text = "\0".join((str(revision), *stratum))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2.0**48
