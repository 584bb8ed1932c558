"""The settings that are measured: each a split by seed, fixed before any result was seen.

Photos of leaves are split by blocks of neighbouring photo numbers, since neighbours show the same
leaf. Augmentation and lighting shift are synthetic; each photo has its own, the same in all splits.
"""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hack.demo import data
from hack.testbed.light import as_bytes, relit
from hack.testbed.processes import ROOT
from petiole_pipelines.dataset import Task, read_set

Images = NDArray[np.uint8]  # [n, h, w, c]
Labels = NDArray[np.int64]  # [n]

SIDE = 48
BLOCK = 10  # neighbouring photo numbers that stay on one side of a split
TEST_SHARE = 0.25
COPIES = 3  # augmented ones of each photo
ARRIVALS = 5
NEW_CLASS, FIRST_SEEN = "cedar-apple-rust", 2  # arrivals count from 0
SHIFTED_FROM = 3
FASHION_TRAINING, FASHION_POOL = 20_000, 10_000  # images: the first, and those of a seed
FASHION_TEST = 10_000
FASHION = Path("/usr/share/datasets/fashion-mnist")
DIGITS_TARGET = {"name": "cortex-m4", "flash": "64Ki", "arena": "16Ki"}
PHOTO_TARGET = {"name": "cortex-m4", "flash": "64Ki", "arena": "32Ki"}


class AbsentError(Exception):
    """The data are not on this machine; the message says how to get them."""


@dataclass(frozen=True, slots=True)
class Split:
    """Rows of images that are the pool, with the arrival of each, and those that judge."""

    images: Images  # all of them, the same for every seed: described once
    labels: Labels
    pool: Labels  # rows
    arrival: Labels  # 0.. of each row of the pool
    evaluation: Labels  # rows

    @property
    def x(self) -> Images:
        return self.images[self.pool]

    @property
    def y(self) -> Labels:
        return self.labels[self.pool]


def at_once(images: Images, labels: Labels, pool: Labels, evaluation: Labels) -> Split:
    """Split what arrives all at once."""
    return Split(images, labels, pool, np.zeros(len(pool), np.int64), evaluation)


@dataclass(frozen=True, slots=True)
class Setting:
    """What is split, what it is seen by, and the device class that it must fit."""

    name: str
    split: Callable[[int], Split]
    labels: tuple[str, ...]
    features: str
    target: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Leaves:
    """All photos, and the block that each belongs to."""

    x: Images
    y: Labels
    block: Labels


LEAF_LABELS = ("apple-scab", "black-rot", NEW_CLASS, "healthy")


@cache
def leaves() -> Leaves:
    datasets = os.environ.get("PETIOLE_DATASETS") or ROOT.parent / "shared" / "datasets"
    folder = Path(datasets) / "plantvillage-apple"
    if not folder.is_dir():
        raise AbsentError(
            f"{folder} is absent: name a folder that holds plantvillage-apple in PETIOLE_DATASETS"
        )
    read = read_set(folder.absolute().as_uri(), Task(LEAF_LABELS, (SIDE, SIDE, 3)), "pool")
    return Leaves(read.x, read.y, blocks(read.ids))


def blocks(names: Sequence[str]) -> Labels:
    """Block number of each photo: runs of BLOCK in the order of class, series and photo number."""
    order = sorted(range(len(names)), key=lambda row: _place(names[row]))
    found = np.empty(len(names), dtype=np.int64)
    number, before, filled = -1, None, 0
    for row in order:
        run = _place(names[row])[:2]
        if run != before or filled == BLOCK:
            number, before, filled = number + 1, run, 0
        found[row] = number
        filled += 1
    return found


def _place(name: str) -> tuple[str, str, int]:
    """Class, series and number of ``class/uid___SERIES number_final_masked.jpg``."""
    folder, _, file = name.rpartition("/")
    found = re.search(r"___(.*?)[ _]*(\d+)(?:\D*)$", file)
    return (folder, found[1], int(found[2])) if found else (folder, file, 0)


def in_test(block: Labels, seed: int) -> NDArray[np.bool_]:
    names = np.random.default_rng(seed).permutation(np.unique(block))
    return np.isin(block, names[: int(TEST_SHARE * len(names))])


def plain(seed: int) -> Split:
    every = leaves()
    test = in_test(every.block, seed)
    return at_once(every.x, every.y, np.flatnonzero(~test), np.flatnonzero(test))


def augmented(seed: int) -> Split:
    """The pool holds COPIES more of each photo, turned, relit, tinted and with noise."""
    every = leaves()
    test = in_test(every.block, seed)
    images = np.concatenate([every.x, *(copies(number) for number in range(COPIES))])
    pool = np.flatnonzero(np.tile(~test, 1 + COPIES))
    return at_once(images, np.tile(every.y, 1 + COPIES), pool, np.flatnonzero(test))


@cache
def copies(number: int) -> Images:
    """One augmented copy of every photo."""
    random = np.random.default_rng([number, 1])
    return np.stack([_copy(photo, random) for photo in leaves().x])


def _copy(photo: Images, random: np.random.Generator) -> Images:
    turned = np.rot90(photo, int(random.integers(4)))
    turned = turned[:, ::-1] if random.random() < 0.5 else turned
    values = (turned / 255.0) ** random.uniform(0.7, 1.4) * random.uniform(0.9, 1.1, 3)
    return as_bytes(values + random.normal(0, 0.02, values.shape))


@cache
def shifted() -> Images:
    """Every photo in a darker, warmer and noisier light."""
    random = np.random.default_rng(2)
    return np.stack([relit(photo, random) for photo in leaves().x])


def incremental(seed: int) -> Split:
    """Five arrivals: a class unseen before the third, other light from the fourth; tested in both.

    Whole blocks arrive together, as they are shot.
    """
    every = leaves()
    test = in_test(every.block, seed)
    random = np.random.default_rng([seed, 3])
    of_block = random.integers(0, ARRIVALS, every.block.max() + 1)
    late = random.integers(FIRST_SEEN, ARRIVALS, every.block.max() + 1)
    new = every.y == LEAF_LABELS.index(NEW_CLASS)
    arrival = np.where(new, late[every.block], of_block[every.block])
    images = np.concatenate([every.x, shifted()])
    pool, evaluation = np.flatnonzero(~test), np.flatnonzero(np.tile(test, 2))
    seen = pool + len(every.y) * (arrival[pool] >= SHIFTED_FROM)
    return Split(images, np.tile(every.y, 2), seen, arrival[pool], evaluation)


def digits(seed: int) -> Split:
    x, y = data.scans()
    rows = data.split(x, y, seed)
    return at_once(x, y, rows.pool, rows.evaluation)


def fashion(seed: int) -> Split:
    """FASHION_POOL of the first training images, all test images."""
    sets = (("train", FASHION_TRAINING), ("t10k", FASHION_TEST))
    images = np.concatenate(
        [_idx(f"{name}-images-idx3-ubyte.gz", 16)[: count * 28 * 28] for name, count in sets]
    )
    labels = np.concatenate(
        [_idx(f"{name}-labels-idx1-ubyte.gz", 8)[:count] for name, count in sets]
    )
    pool = np.random.default_rng(seed).choice(FASHION_TRAINING, FASHION_POOL, replace=False)
    test = np.arange(FASHION_TRAINING, len(labels))
    x = images.reshape(-1, 28, 28, 1)
    return at_once(x, labels.astype(np.int64), np.sort(pool), test)


def _idx(name: str, header: int) -> NDArray[np.uint8]:
    file = FASHION / name
    if not file.exists():
        raise AbsentError(
            f"{file} is absent: `apt-get install dataset-fashion-mnist` (Debian) puts it there"
        )
    return np.frombuffer(gzip.decompress(file.read_bytes())[header:], dtype=np.uint8)


FASHION_LABELS = ("top", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker",
                  "bag", "boot")  # fmt: skip
LITE0 = "EfficientNetLite0"
SETTINGS = {
    setting.name: setting
    for setting in (
        Setting("leaves", plain, LEAF_LABELS, LITE0, PHOTO_TARGET),
        Setting("leavesAugmented", augmented, LEAF_LABELS, LITE0, PHOTO_TARGET),
        Setting("leavesIncremental", incremental, LEAF_LABELS, LITE0, PHOTO_TARGET),
        Setting("digits", digits, data.LABELS, "Kernel", DIGITS_TARGET),
        Setting("fashion", fashion, FASHION_LABELS, LITE0, PHOTO_TARGET),
    )
}
