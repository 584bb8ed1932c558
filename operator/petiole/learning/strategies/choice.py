"""One batch of questions: a strategy's choice within its quotas, and a share by chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .diverse import badge, cluster_margin, k_center
from .doubt import entropy, margin, random
from .pool import Pool, Query, Strategy
from .screen import Quota, by_class, by_device, within, without_near_duplicates
from .typical import typiclust, typiclust_then_margin

STRATEGIES: dict[str, Strategy] = {
    "Random": random,
    "Margin": margin,
    "Entropy": entropy,
    "TypiClust": typiclust,
    "TypiClustThenMargin": typiclust_then_margin,
    "ClusterMargin": cluster_margin,
    "Badge": badge,
    "KCenter": k_center,
}


@dataclass(frozen=True, slots=True)
class Choice:
    """How a batch is chosen. Shares are 0..1 of the batch; None sets no limit."""

    strategy: str
    batch_size: int
    random_share: float = 0.0
    per_class: float | None = None
    per_device: float | None = None
    drop_near_duplicates: bool = False


def select(pool: Pool, choice: Choice, generator: np.random.Generator) -> list[Query]:
    """Choose different unlabelled rows, at most ``batch_size``.

    Fewer when the pool runs out or the quotas allow no more; none when the strategy finds none. The
    random share is drawn from the whole pool, past quotas and near-duplicates: else it would not be
    honest. Raises ValueError for an unknown strategy.
    """
    if choice.strategy not in STRATEGIES:
        known = ", ".join(STRATEGIES)
        raise ValueError(f"unknown strategy {choice.strategy!r}: one of {known}")
    count = min(choice.batch_size, len(pool.open))
    by_chance = round(count * choice.random_share)
    if not pool.labelled.any():
        by_chance = 0  # a cold start has nothing to be honest about yet
    queries = _asked(pool, choice, count - by_chance, generator)
    if not queries and count > by_chance:
        return []
    left = pool.with_labels([query.row for query in queries])
    return queries + random(left, by_chance, generator)


def _asked(pool: Pool, choice: Choice, count: int, generator: np.random.Generator) -> list[Query]:
    rows = np.arange(len(pool.features))
    if choice.drop_near_duplicates:
        rows = without_near_duplicates(pool)
    seen = pool.only(rows)
    strategy = STRATEGIES[choice.strategy]
    queries = within(seen, _quotas(seen, choice), strategy, count, generator)
    return [Query(int(rows[query.row]), query.why, query.score) for query in queries]


def _quotas(pool: Pool, choice: Choice) -> list[Quota]:
    quotas = []
    if choice.per_class is not None:
        quotas.append(by_class(pool, _most(choice, choice.per_class)))
    if choice.per_device is not None:
        quotas.append(by_device(pool, _most(choice, choice.per_device)))
    return quotas


def _most(choice: Choice, share: float) -> int:
    """Return how many of a batch a group may have; one is always allowed."""
    return max(1, int(choice.batch_size * share + 1e-9))
