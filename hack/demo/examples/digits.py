"""``examples/digits``: scans of handwritten digits, which come with scikit-learn."""

from __future__ import annotations

from pathlib import Path

from hack.demo import data
from hack.demo.example import (
    CALM,
    MODEL_FILE,
    SHIFTED,
    Act,
    Example,
    ExampleError,
    Prepared,
    TaskSpec,
)
from hack.testbed.field import Stream
from hack.testbed.processes import ROOT

WRONG_FILE = "digits-wrong-data.yaml"
QUICK = {
    "spec.learning.batchSize": 30,
    "spec.learning.labelBudget": 60,
    "spec.acceptance.accuracy": "80%",
}


def example(source: Path | None, *, quick: bool = False) -> Example:
    """The example; it has its data with it."""
    if source is not None:
        raise ExampleError("the example digits brings its own data: leave out DATA")
    return Example(
        name="digits",
        manifests=ROOT / "examples" / "digits",
        wrong=WRONG_FILE,
        story=(Act.LEARN, Act.PROMOTE, Act.CALM, Act.SHIFT, Act.ANSWER, Act.SPOIL),
        prepare=_prepare,
        spoil=_spoil,
        shift="sensors are tilted and dimmed: sheared scans, less contrast, other gain",
        mistake="rows and columns mixed up in pool and evaluation set",
        posix={"cortex-m4": 40, "cortex-m0": 20} if quick else {"cortex-m4": 150, "cortex-m0": 70},
        board="cortex-m4",
        overrides={MODEL_FILE: QUICK, WRONG_FILE: QUICK} if quick else {},
    )


def _prepare(folder: Path, _task: TaskSpec) -> Prepared:
    found = data.prepare(folder)
    streams = {
        CALM: Stream(found.field_x, found.field_y),
        SHIFTED: Stream(data.shift(found.field_x), found.field_y),
    }
    return Prepared(streams, found.names, found.labels_path)


def _spoil(folder: Path, _task: TaskSpec) -> None:
    data.wrongly_prepared(folder)
