"""What is kept from a strategy: near-duplicates, and samples whose group has had its share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .pool import Matrix, Pool, Query, Rows, Strategy

NEAR = 0.5  # of the median distance between nearest neighbours
_BLOCK = 1000  # rows whose distances to all others are held at a time


def without_near_duplicates(pool: Pool) -> Rows:
    """Return the rows to look at: all labelled ones, and of samples that are near only the first.

    Near is closer than ``NEAR`` times the median distance of the pool's samples to their nearest
    neighbours; equal samples are always near.
    """
    limit = NEAR * float(np.median(_nearest(pool.features))) if len(pool.features) > 1 else 0.0
    order = np.concatenate([np.flatnonzero(pool.labelled), pool.open])
    kept, labels = np.ones(len(order), dtype=np.bool_), int(pool.labelled.sum())
    for start, squares in _blocks(pool.features[order]):
        for offset, row in enumerate(squares <= limit**2):
            at = start + offset
            if kept[at] or at < labels:
                kept[at + 1 :] &= ~row[at + 1 :]
    kept[:labels] = True
    return np.sort(order[kept])


def _nearest(features: Matrix) -> Matrix:
    """Return the distance of each row to its nearest other, [n]."""
    found = np.empty(len(features))
    for start, squares in _blocks(features):
        rows = np.arange(len(squares))
        squares[rows, start + rows] = np.inf
        found[start : start + len(squares)] = np.sqrt(squares.min(1))
    return found


def _blocks(features: Matrix) -> Iterator[tuple[int, Matrix]]:
    """Yield squared distances of some rows to all, and the first of those rows."""
    norms = (features**2).sum(1)
    noise = 1e-12 * float(norms.max(initial=0.0))  # what rounding leaves between equal rows
    for start in range(0, len(features), _BLOCK):
        part = features[start : start + _BLOCK]
        squares = norms[start : start + _BLOCK, None] + norms - 2 * part @ features.T
        yield start, np.where(squares <= noise, 0.0, squares)


@dataclass(frozen=True, slots=True)
class Quota:
    """Of each group at most ``most`` samples a batch; group -1 is free."""

    group: NDArray[np.int64]  # [n]
    most: int

    def full(self, rows: list[int]) -> NDArray[np.bool_]:
        """Tell of all samples [n] whether their group has its share once ``rows`` are asked."""
        groups, counts = np.unique(self.group[rows], return_counts=True)
        return np.isin(self.group, groups[counts >= self.most]) & (self.group >= 0)

    def has_room(self, row: int, rows: list[int]) -> bool:
        """Tell whether ``row`` may be asked beside ``rows``."""
        group = self.group[row]
        return bool(group < 0 or np.count_nonzero(self.group[rows] == group) < self.most)


def by_class(pool: Pool, most: int) -> Quota:
    """Group by the teacher's first answer; where it knows nothing, samples are free."""
    p = pool.probabilities
    knows = p.max(1) - p.min(1) > 1e-9
    return Quota(np.where(knows, p.argmax(1), -1), most)


def by_device(pool: Pool, most: int) -> Quota:
    """Group by the device that sent a sample; what no device sent is free."""
    if pool.device is None:
        return Quota(np.full(len(pool.features), -1), most)
    names, group = np.unique(pool.device, return_inverse=True)
    return Quota(np.where(names[group] == "", -1, group), most)


def within(
    pool: Pool,
    quotas: list[Quota],
    strategy: Strategy,
    count: int,
    generator: np.random.Generator,
) -> list[Query]:
    """Have ``strategy`` choose; what a full group may not have goes to the others.

    Fewer than ``count`` when the groups' shares do not add up to it.
    """
    chosen: list[Query] = []
    while len(chosen) < count:
        rows = [query.row for query in chosen]
        known = pool.with_labels(rows)
        full = np.zeros(len(pool.features), dtype=np.bool_)
        for quota in quotas:
            full |= quota.full(rows)
        looked_at = np.flatnonzero(known.labelled | ~full)
        asked = strategy(known.only(looked_at), count - len(chosen), generator)
        if not asked:
            break
        for query in asked:
            row = int(looked_at[query.row])
            if all(quota.has_room(row, rows) for quota in quotas):
                chosen.append(Query(row, query.why, query.score))
                rows.append(row)
    return chosen
