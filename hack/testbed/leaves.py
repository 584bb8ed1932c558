"""A small student that knows leaves by their photos, and photos that it has not learnt from.

Trained once on photos cut by blocks (no leaf is in two sets), in a process of its own that loads
TensorFlow, and kept below build/ until this file changes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from petiole.artifact.policy import Golden
from petiole.rollout.observed import Reference
from petiole_pipelines import judge
from petiole_pipelines.planner import golden, plan

from . import models
from .processes import ROOT

LABELS = ("apple-scab", "black-rot", "cedar-apple-rust", "healthy")
SIDE, WIDTH, STEPS, SEED = 32, 8, 600, 5
SHARES = {"pool": 0.5, "evaluation": 0.25, "field": 0.25}
BLOCK = 20  # neighbouring photos that stay in one set
PROOFS = 4  # golden vectors
TRAINING_SECONDS = 900.0  # on a busy machine

Images = npt.NDArray[np.uint8]  # [n, SIDE, SIDE, 3]


@dataclass(frozen=True, slots=True)
class Student:
    """``tflite``, the photos that judged it, and those that a field shows, with labels ``y``."""

    tflite: bytes
    evaluation: Images
    field: Images
    y: npt.NDArray[np.int64]

    @property
    def accuracy(self) -> float:
        """Share of the field's photos that it knows."""
        return float((judge.infer(self.tflite, self.field).argmax(1) == self.y).mean())

    @property
    def reference(self) -> Reference:
        """What it showed where it was judged."""
        found = judge.reference(judge.infer(self.tflite, self.evaluation), self.evaluation)
        return Reference(
            count=found["count"],
            confidence=tuple(found["confidence"]),
            classes=tuple(found["classes"]),
            confidence_sum=found["confidenceSum"],
            confidence_squares=found["confidenceSquares"],
            input_sum=found["inputSum"],
        )

    def signed(self, key: Ed25519PrivateKey) -> bytes:
        """Return the artefact, as a device takes it."""
        planned, some = plan(self.tflite), self.evaluation[:PROOFS]
        vectors = Golden.split(
            golden(self.tflite, judge.quantised(some)), some[0].size, len(LABELS)
        )
        outputs = np.frombuffer(vectors.outputs, np.int8).reshape(PROOFS, -1)
        model = models.Model(planned.blob, some.reshape(PROOFS, -1), outputs)
        return models.sign(model, key, golden=vectors, arena=planned.arena)


def student(photos: Path) -> Student:
    """Return the student of the photos in this folder of classes."""
    name = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    folder = ROOT / "build" / "leaves" / name
    if not folder.exists():
        _train_apart(folder, photos)
    with np.load(folder / "photos.npz") as kept:
        return Student((folder / "student.tflite").read_bytes(), **kept)


def _train_apart(folder: Path, photos: Path) -> None:
    """Write into another folder first: two may be at it at once."""
    partial = folder.with_name(f"{folder.name}.{os.getpid()}")
    partial.mkdir(parents=True)
    done = subprocess.run(
        [sys.executable, "-m", "hack.testbed.leaves", str(partial), str(photos.absolute())],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "operator:pipelines:."},
        capture_output=True,
        text=True,
        timeout=TRAINING_SECONDS,
        check=False,
    )
    if done.returncode:
        shutil.rmtree(partial)
        raise RuntimeError(f"training failed:\n{done.stderr[-2000:]}")
    try:
        partial.rename(folder)
    except OSError:  # the other one was faster
        shutil.rmtree(partial)


def _train(folder: Path, photos: Path) -> None:
    from petiole_pipelines import dataset, split  # noqa: PLC0415 - only training needs them
    from petiole_pipelines import student as students  # noqa: PLC0415
    from petiole_pipelines.augment import Lesson  # noqa: PLC0415
    from petiole_pipelines.networks import Architecture  # noqa: PLC0415

    found = dataset.read_set(photos.as_uri(), dataset.Task(LABELS, (SIDE, SIDE, 3)), "pool")
    sets = split.by_blocks(found.ids, SHARES, size=BLOCK, seed=SEED)
    of = np.array([sets[name] for name in found.ids])
    x, y = found.x[of == "pool"], found.y[of == "pool"]
    lesson = Lesson(x, np.eye(len(LABELS))[y], np.ones(len(y)))
    network = Architecture("Separable", WIDTH)
    model = students.train(lesson, network, SEED, STEPS)
    (folder / "student.tflite").write_bytes(students.quantise(model, network, x))
    field, evaluation = of == "field", of == "evaluation"
    np.savez(
        folder / "photos.npz",
        evaluation=found.x[evaluation],
        field=found.x[field],
        y=found.y[field],
    )


if __name__ == "__main__":
    _train(Path(sys.argv[1]), Path(sys.argv[2]))
