"""The digits data sets of the demo: 1,797 real 8x8 scans from scikit-learn, split once.

Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI, 1998, as
shipped inside scikit-learn. The field shift and the wrong preparation are synthetic, and so named.
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.datasets import load_digits

Images = NDArray[np.uint8]  # [n, 8, 8, 1]
Labels = NDArray[np.int64]  # [n], 0..9

LABELS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SPLIT_SEED = 20
POOL_SHARE, EVALUATION_SHARE = 1050 / 1797, 380 / 1797
NEAR_DUPLICATE = 100.0  # squared distance in the scans' own units 0..16; a typical neighbour: 500


@dataclass(frozen=True, slots=True)
class Split:
    """Row numbers of the three disjoint sets."""

    pool: NDArray[np.int64]
    evaluation: NDArray[np.int64]
    field: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DigitsData:
    """Where the prepared sets lie, and the field streams that only the harness sees."""

    pool_uri: str
    evaluation_uri: str
    labels_uri: str
    labels_path: Path
    field_x: Images
    field_y: Labels
    names: tuple[str, ...] = LABELS


def scans() -> tuple[Images, Labels]:
    """All 1,797 scans as bytes 0..255 in [n, 8, 8, 1], and their digits [n]."""
    digits = load_digits()
    images = np.round(digits.images * (255 / 16)).astype(np.uint8)[..., None]
    return images, digits.target.astype(np.int64)


def split(x: Images, y: Labels, seed: int = SPLIT_SEED) -> Split:
    """Cut each class into pool, evaluation and field; near-duplicate scans stay on one side."""
    groups = _near_duplicates(x)
    random = np.random.default_rng(seed)
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for label in np.unique(y):
        members = np.flatnonzero(y == label)
        names = random.permutation(np.unique(groups[members]))
        ends = (POOL_SHARE * len(members), (POOL_SHARE + EVALUATION_SHARE) * len(members))
        taken = 0
        for name in names:
            rows = members[groups[members] == name]
            parts[int(np.searchsorted(ends, taken + len(rows) / 2))].extend(rows.tolist())
            taken += len(rows)
    pool, evaluation, field = (np.sort(np.array(part, dtype=np.int64)) for part in parts)
    return Split(pool, evaluation, field)


def _near_duplicates(x: Images) -> NDArray[np.int64]:
    """Group number of each scan [n]: scans closer than NEAR_DUPLICATE share one."""
    flat = x.reshape(len(x), -1).astype(np.float64) * (16 / 255)
    norms = (flat**2).sum(1)
    distance = norms[:, None] + norms[None, :] - 2 * flat @ flat.T
    _, groups = connected_components(csr_matrix(distance < NEAR_DUPLICATE), directed=False)
    return np.asarray(groups, dtype=np.int64)


def prepare(folder: Path, seed: int = SPLIT_SEED) -> DigitsData:
    """Write pool, evaluation and the oracle's answers below ``folder``; return them and the field.

    Idempotent: the same folder gets the same bytes. The oracle's file holds the pool's answers;
    who feeds the field appends the answers of the inputs it has fed.
    """
    x, y = scans()
    parts = split(x, y, seed)
    _write_samples(folder / "pool", x[parts.pool], _ids(parts.pool))
    _write_samples(
        folder / "evaluation", x[parts.evaluation], _ids(parts.evaluation), y[parts.evaluation]
    )
    labels = folder / "labels.csv"
    _write_labels(labels, _ids(parts.pool), y[parts.pool])
    return DigitsData(
        pool_uri=(folder / "pool").absolute().as_uri(),
        evaluation_uri=(folder / "evaluation").absolute().as_uri(),
        labels_uri=labels.absolute().as_uri(),
        labels_path=labels,
        field_x=x[parts.field],
        field_y=y[parts.field],
    )


def wrongly_prepared(folder: Path) -> tuple[str, str]:
    """Write the same pool and evaluation with rows and columns mixed up; return their URIs.

    The mistake is consistent, so a judge that sees this evaluation set is content; devices in the
    field see upright digits and are not.
    """
    x, y = scans()
    parts = split(x, y)
    turned = np.ascontiguousarray(x.transpose(0, 2, 1, 3))
    pool, evaluation = folder / "pool-turned", folder / "evaluation-turned"
    _write_samples(pool, turned[parts.pool], _ids(parts.pool))
    _write_samples(
        evaluation, turned[parts.evaluation], _ids(parts.evaluation), y[parts.evaluation]
    )
    return pool.absolute().as_uri(), evaluation.absolute().as_uri()


def shift(x: Images, severity: float = 1.0) -> Images:
    """Return what a tilted, dimmed sensor sees: shear, lower contrast, other gain and offset.

    Deterministic: the same scan gives the same bytes. ``severity`` 0 changes nothing, 1 is the
    demo's shift.
    """
    if severity == 0:
        return x.copy()
    matrix = np.array([[1.0, 0.0], [0.4 * severity, 1.0]])
    centre = (np.array(x.shape[1:3]) - 1) / 2
    contrast, floor = 1 - 0.3 * severity, 28.0 * severity
    out = np.empty_like(x)
    for index, image in enumerate(x[..., 0].astype(np.float64)):
        sheared = affine_transform(image, matrix, offset=centre - matrix @ centre, order=1)
        out[index, ..., 0] = np.clip(np.round(sheared * contrast + floor), 0, 255)
    return out


def _ids(rows: NDArray[np.int64]) -> list[str]:
    return [f"scan-{row:04d}" for row in rows]


def _write_samples(folder: Path, x: Images, ids: list[str], y: Labels | None = None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {"x": x, "id": np.array(ids)}
    if y is not None:
        arrays["y"] = np.array([LABELS[label] for label in y])
    partial = folder / ".samples.partial.npz"
    np.savez_compressed(partial, **arrays)  # type: ignore[arg-type]
    partial.replace(folder / "samples.npz")


def _write_labels(path: Path, ids: list[str], y: Labels) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "label"])
        writer.writerows((name, LABELS[label]) for name, label in zip(ids, y, strict=True))
    partial.replace(path)
