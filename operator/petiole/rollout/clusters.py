"""One place's trouble is not the revision's: how much the failures of one cluster may weigh."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from .plan import MAX_PLACES


def counted(
    failures: Sequence[tuple[int, str]], begun: Mapping[str, int]
) -> tuple[tuple[int, ...], int]:
    """Return places of the failures that count (``Evidence.failed_at``), and how many do not.

    ``failures`` are (place, cluster) of the known failures, a place being the device's in the order
    of beginning, from 1; ``begun`` the devices that began, by cluster: the value of the label
    ``rollout.clusterBy``. Of a cluster count at most one failure and twice as many as the others'
    rate makes of its size, its earliest. Nothing is set aside while only one cluster has begun:
    there is nothing to compare with.

    Failures are only ever removed, so that a gate's bound on wrong stops stays. What counts never
    shrinks when a failure is added, so that the order of reports does not matter.
    """
    kept = sorted(failures)
    if len(begun) > 1:
        kept = _borne_out(kept, begun)
    places = tuple(place for place, _ in kept)
    return places[:MAX_PLACES], len(failures) - len(places)


def _borne_out(
    failures: Sequence[tuple[int, str]], begun: Mapping[str, int]
) -> list[tuple[int, str]]:
    total, devices = len(failures), sum(begun.values())
    by_cluster = Counter(cluster for _, cluster in failures)
    left = {
        cluster: _allowed(total - own, begun.get(cluster, 0), devices)
        for cluster, own in by_cluster.items()
    }
    kept = []
    for place, cluster in failures:
        if left[cluster] > 0:
            left[cluster] -= 1
            kept.append((place, cluster))
    return kept


def _allowed(others: int, size: int, devices: int) -> int:
    """Whole failures that a cluster of ``size`` may weigh when the others have ``others``."""
    return 1 + 2 * others * size // max(1, devices - size)
