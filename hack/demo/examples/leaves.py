"""``examples/leaf-disease``: photos in folders, one a class. The other light is synthetic."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from hack.demo.example import (
    CALM,
    FLEET_FILE,
    LEFT_OUT,
    MINUTES_LONG,
    MODEL_FILE,
    SHIFTED,
    Act,
    Example,
    ExampleError,
    Prepared,
    TaskSpec,
)
from hack.testbed.field import Stream, add_answers
from hack.testbed.light import darker_and_warmer
from hack.testbed.processes import ROOT
from petiole_pipelines import images
from petiole_pipelines.dataset import Task, read_set

MANIFESTS = ROOT / "examples" / "leaf-disease"
WRONG_FILE = "leaf-disease-misnamed.yaml"
SHARES = ("--evaluation", "25", "--field", "20")  # percent, as the README says
SPLIT_SECONDS = 300.0
LIGHT_SEED = 5
NO_PHOTOS = (
    "the example leaf-disease needs photos of leaves: make demo EXAMPLE=leaf-disease DATA=FOLDER, "
    "where FOLDER has a folder of photos for each class. examples/leaf-disease/README.md says how "
    "to get PlantVillage's photos of apple leaves"
)

FLEET: Mapping[str, Any] = {
    **MINUTES_LONG,
    "spec.rollout.windows": LEFT_OUT,
    "spec.rollout.shadow.inferences": 30,
    "spec.monitoring.samplesPerDay": 10_000,
}
SIDE = 18  # pixels: a device sends up samples of at most 1,024 bytes
QUICK_SIDE = 16  # of which students learn in a fraction of the time: docs/learning.md
LABELS, BATCH, AFTER_DRIFT = 120, 40, 40
QUICK_LABELS = 80


def example(source: Path | None, *, quick: bool = False) -> Example:
    """The example with the photos below ``source``; ExampleError where there are none."""
    photos, labels = _classes(source)
    side, spent = (QUICK_SIDE, QUICK_LABELS) if quick else (SIDE, LABELS)
    model = {
        "spec.task.input.height": side,
        "spec.task.input.width": side,
        "spec.acceptance.accuracy": "80%",  # so few pixels show less than 48 x 48 do
        "spec.acceptance.maxRegression": "5%",
        "spec.learning.batchSize": BATCH,
        "spec.learning.labelBudget": spent,
        "spec.learning.driftBudget": AFTER_DRIFT,
        # A demo has as many in a minute as an orchard in a week.
        "spec.learning.triggers.newSamples": LEFT_OUT,
        **_named(labels),
    }
    if quick:
        model["spec.learning.features"] = "Pixels"  # at once, where EfficientNet takes minutes
        model["spec.acceptance.accuracy"] = "60%"
        model["spec.acceptance.maxRegression"] = "30%"  # few labels: rounds differ by chance
    return Example(
        name="leaf-disease",
        manifests=MANIFESTS,
        wrong=WRONG_FILE,
        story=(Act.LEARN, Act.PROMOTE, Act.SPOIL, Act.MEND, Act.CALM, Act.SHIFT, Act.ANSWER),
        prepare=partial(_prepare, photos),
        spoil=_spoil,
        shift="the light is darker and warmer (synthetic)",
        mistake="each class goes by another one's name, in pool and evaluation set",
        posix={"cortex-m7": 22, "cortex-m4": 48},
        board="cortex-m4",
        sites=("north", "east", "south", "west"),
        overrides={
            MODEL_FILE: model,
            # All labels anew, for names that nobody has seen.
            WRONG_FILE: model | {"spec.learning.labelBudget": 2 * spent},
            FLEET_FILE: FLEET,
        },
        model_seconds=3600.0,
    )


def _classes(source: Path | None) -> tuple[Path, list[str]]:
    """The folder of photos, and its classes as labels are spelled."""
    if source is None:
        raise ExampleError(NO_PHOTOS)
    if not source.is_dir():
        raise ExampleError(f"{source} is no folder; {NO_PHOTOS}")
    holds = {path.relative_to(source) for path in source.rglob("*")}
    folders = {
        path.parts[0] for path in holds if len(path.parts) > 1 and images.is_photo(str(path))
    }
    if len(folders) < 2:
        raise ExampleError(
            f"{source} has photos in {len(folders)} folders, and two classes are the least; "
            f"{NO_PHOTOS}"
        )
    return source, sorted(images.spelled(folder) for folder in folders)


def _named(labels: list[str]) -> dict[str, Any]:
    """The classes where they are not the example's."""
    task = yaml.safe_load((MANIFESTS / MODEL_FILE).read_text())["spec"]["task"]
    return {} if sorted(task["labels"]) == labels else {"spec.task.labels": labels}


def _prepare(photos: Path, folder: Path, spec: TaskSpec) -> Prepared:
    """Split the photos as a user does; what is kept back for devices is the field."""
    task = _task(spec)
    command = ("-m", "petiole_pipelines.cli", "data", "split", str(photos), str(folder), *SHARES)
    try:
        done = subprocess.run(
            [sys.executable, *command],
            capture_output=True,
            text=True,
            timeout=SPLIT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ExampleError(f"the photos are not split within {SPLIT_SECONDS:g} s") from error
    if done.returncode != 0:
        raise ExampleError(f"the photos cannot be split: {done.stderr.strip()}")
    _all_have(json.loads((folder / "split.json").read_text())["photos"], task.labels)
    field = read_set((folder / "field").as_uri(), task, "field")
    streams = {
        CALM: Stream(field.x, field.y),
        SHIFTED: Stream(darker_and_warmer(field.x, LIGHT_SEED), field.y),
    }
    return Prepared(streams, task.labels, folder / "labels.csv")


def _task(spec: TaskSpec) -> Task:
    return Task.parse(json.dumps(spec))


def _all_have(photos: Mapping[str, Mapping[str, int]], labels: Sequence[str]) -> None:
    """Each set needs photos of each class, in blocks of their own."""
    for name in ("pool", "evaluation", "field"):
        lacks = [label for label in labels if not photos.get(name, {}).get(label)]
        if lacks:
            raise ExampleError(
                f"too few photos of {', '.join(lacks)} for three sets ({name} has none): photos "
                "are dealt out in blocks of 20 neighbours, see docs/data.md"
            )


def _spoil(folder: Path, spec: TaskSpec) -> None:
    """The same photos in the same order, each under the name of the next class."""
    task = _task(spec)
    for name in ("pool", "evaluation"):
        found = read_set((folder / name).as_uri(), task, name)
        names = np.roll(task.labels, -1)[found.y]
        ids = [f"misnamed/{number:05d}" for number in range(len(names))]
        wrong = folder / f"{name}-misnamed"
        wrong.mkdir(exist_ok=True)
        if name == "pool":
            np.savez(wrong / "samples.npz", x=found.x, id=ids)
            add_answers(folder / "labels.csv", dict(zip(ids, names.tolist(), strict=True)))
        else:
            np.savez(wrong / "samples.npz", x=found.x, id=ids, y=names)
