"""Cuts a folder of photos or runs into pool, evaluation set and field; no leaf is in two of them.

Photos that follow each other mostly show the same thing, so a random split measures memory. Photos
are therefore kept together in blocks of neighbouring numbers, and blocks are dealt out.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

# The uid that PlantVillage puts before a photo's own name says nothing about its neighbours.
_UID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?=\D*$)")


@dataclass(frozen=True, slots=True)
class Shot:
    """A photo's place in the order of shooting. ``series`` is its name without the number."""

    path: str
    folder: str  # its class
    series: str
    number: int


class UnnumberedError(ValueError):
    """Photos without a number in their names cannot be cut into blocks."""


def by_blocks(
    paths: Iterable[str], shares: Mapping[str, float], *, size: int, seed: int
) -> dict[str, str]:
    """Return the set of each photo: whole blocks, each class in about these shares.

    ``paths`` are ``<class>/.../<name with a number>``; ``shares`` sum to 1; a block has ``size``
    photos or, where the numbers go on without a gap, up to twice as many. Same seed, same split.
    """
    random = np.random.default_rng(seed)
    chosen: dict[str, str] = {}
    classes = defaultdict(list)
    for path in sorted(paths):
        classes[PurePosixPath(path).parts[0]].append(shot(path))
    for _, shots in sorted(classes.items()):
        cut = blocks(shots, size)
        order = [cut[index] for index in random.permutation(len(cut))]
        chosen |= _deal(order, shares)
    return chosen


def whole(paths: Iterable[str], shares: Mapping[str, float], *, seed: int) -> dict[str, str]:
    """Return the set of each run of a machine: whole runs, each folder in about these shares."""
    random = np.random.default_rng(seed)
    folders = defaultdict(list)
    for path in sorted(paths):
        folder = str(PurePosixPath(path).parent)
        folders[folder].append([Shot(path, folder, path, 0)])
    chosen: dict[str, str] = {}
    for _, found in sorted(folders.items()):
        chosen |= _deal([found[index] for index in random.permutation(len(found))], shares)
    return chosen


def shot(path: str) -> Shot:
    """Read a photo's number: the last one in its name, uids apart."""
    name = _UID.sub("", PurePosixPath(path).stem)
    found = _NUMBER.search(name)
    if found is None:
        raise UnnumberedError(f"the name of {path} holds no number")
    folder, _, _ = path.partition("/")
    series = f"{PurePosixPath(path).parent}/{name[: found.start()]}*{name[found.end() :]}"
    return Shot(path, folder, series, int(found[0]))


def blocks(shots: Iterable[Shot], size: int) -> list[list[Shot]]:
    """Cut each series into blocks of neighbours, where it can between numbers that are not."""
    cut: list[list[Shot]] = []
    for one in sorted(shots, key=lambda one: (one.series, one.number, one.path)):
        last = cut[-1] if cut else []
        if not last or last[-1].series != one.series or _ends(last, one, size):
            cut.append([one])
        else:
            last.append(one)
    return cut


def _ends(block: Sequence[Shot], following: Shot, size: int) -> bool:
    gap = following.number - block[-1].number > 1
    return len(block) >= (size if gap else 2 * size)


def _deal(cut: Sequence[Sequence[Shot]], shares: Mapping[str, float]) -> dict[str, str]:
    """Give each block to the set that lacks most, by photos."""
    total = sum(len(block) for block in cut)
    lacks = {name: share * total for name, share in shares.items()}
    chosen: dict[str, str] = {}
    for block in cut:
        name = max(lacks, key=lambda name: lacks[name])
        lacks[name] -= len(block)
        chosen |= {one.path: name for one in block}
    return chosen
