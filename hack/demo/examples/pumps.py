"""``examples/pump-anomaly``: recorded runs of a machine. What its sensors lose is synthetic."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

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
from hack.testbed.machines import Machines, Recording
from hack.testbed.processes import ROOT
from petiole.api.task import VERDICTS, Commissioning
from petiole.learning import anomaly
from petiole_pipelines import runs, split

MANIFESTS = ROOT / "examples" / "pump-anomaly"
WRONG_FILE = "pump-anomaly-totals.yaml"
SHARES = {"pool": 0.55, "evaluation": 0.25, "field": 0.20}  # as the README says
LEFT = 0.3  # of how far readings are from a machine's usual, once its sensors have worn
LEAST_WELL = 20  # readings without a fault behind the commissioning, of a recording in the field
NO_RUNS = (
    "the example pump-anomaly needs recorded runs: make demo EXAMPLE=pump-anomaly DATA=FOLDER, "
    "where FOLDER holds CSV files with a column 'anomaly'. examples/pump-anomaly/README.md says "
    "how to get SKAB's runs of a water pump"
)
FLEET: Mapping[str, Any] = {
    **MINUTES_LONG,
    "spec.monitoring.drift.baseline": LEFT_OUT,
}
# A handful of runs judges: F1 of two versions differs by chance.
MODEL: Mapping[str, Any] = {"spec.acceptance.maxRegression": "15%"}


def example(source: Path | None, *, quick: bool = False) -> Example:
    """The example with the runs below ``source``; ExampleError where there are none."""
    told = _told(source)
    fail = () if quick else (Act.FAIL,)
    return Example(
        name="pump-anomaly",
        manifests=MANIFESTS,
        wrong=WRONG_FILE,
        story=(
            *(Act.LEARN, Act.PROMOTE, Act.FAIL, Act.SPOIL, Act.MEND, Act.CALM, Act.SHIFT),
            *(*fail, Act.ANSWER, *fail),
        ),
        prepare=partial(_prepare, told),
        spoil=_spoil,
        shift=f"worn sensors show {LEFT:.0%} of how far their pump is from its usual (synthetic)",
        mistake="all sensors but the last one exported as running totals",
        says="score level",
        posix={"cortex-m7": 22, "cortex-m4": 48},
        board="cortex-m4",
        sites=("north", "east", "south", "west"),
        per_second=20.0,
        overrides={MODEL_FILE: MODEL, WRONG_FILE: MODEL, FLEET_FILE: FLEET},
    )


def _told(source: Path | None) -> Mapping[str, Path]:
    """The runs that say which readings are faulty, by name: devices and judges need the truth."""
    if source is None or not source.is_dir():
        raise ExampleError(NO_RUNS if source is None else f"{source} is no folder; {NO_RUNS}")
    names = {path.relative_to(source).as_posix(): path for path in source.rglob("*.csv")}
    found = {name: path for name, path in names.items() if runs.is_run(name) and _says(path)}
    if not found:
        raise ExampleError(f"{source} holds no run that says what is faulty; {NO_RUNS}")
    return found


def _says(path: Path) -> bool:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        return runs.FAULTY in file.readline().replace(";", ",").strip().split(",")


def _prepare(told: Mapping[str, Path], folder: Path, task: TaskSpec) -> Prepared:
    """Deal the runs out as ``petiole data split`` does; devices stand at those of the field."""
    chosen = split.whole(told, SHARES, seed=0)
    for name, part in chosen.items():
        target = folder / part / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(told[name], target)
    try:
        machines = Machines(_recordings(folder / "field", task))
    except ValueError as error:
        raise ExampleError(f"the runs cannot be played: {error}") from error
    streams = {phase: machines.seen(phase) for phase in (CALM, SHIFTED)}
    return Prepared(streams, VERDICTS, machines=machines)


def _recordings(field: Path, task: TaskSpec) -> Sequence[Recording]:
    """Runs of the field that a device can be commissioned on, and that have a fault later."""
    start = Commissioning.model_validate(task.get("commissioning", {}))
    width = int(task["input"]["width"])
    found = []
    for path in sorted(field.rglob("*.csv")):
        run, _ = runs.parse(path.read_bytes(), path.relative_to(field).as_posix())
        one = _recording(run, start, width)
        if one.well.stop - one.well.start >= LEAST_WELL and not one.faulty[: one.learns].any():
            found.append(one)
    if not found:
        raise ValueError(
            f"no run kept back for devices has {LEAST_WELL} readings without a fault behind its "
            f"first {start.baseline}, and a fault after them"
        )
    return found


def _recording(run: runs.Run, start: Commissioning, width: int) -> Recording:
    """What a run's device sees: readings in bytes of the scale that commissioning has set."""
    scale = anomaly.Scale.of(run.readings[: start.scale], start.reach)
    worn = scale.middle + LEFT * (run.readings - scale.middle)
    return Recording(
        name=run.name,
        windows={
            CALM: anomaly.windows(scale.bytes(run.readings), width),
            SHIFTED: anomaly.windows(scale.bytes(worn), width),
        },
        faulty=run.faulty[width - 1 :],
        learns=start.baseline - width + 1,
    )


def _spoil(folder: Path, _task: TaskSpec) -> None:
    """The same runs with the sum of all readings so far in place of each, but of the last sensor.

    A total never comes to rest, so the choice leaves it out: of the wrong runs rightly.
    """
    for name in ("pool", "evaluation"):
        right, wrong = folder / name, folder / f"{name}-totals"
        for path in sorted(right.rglob("*.csv")):
            run, sensors = runs.parse(path.read_bytes(), path.name)
            readings = np.hstack([run.readings[:, :-1].cumsum(axis=0), run.readings[:, -1:]])
            target = wrong / path.relative_to(right)
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow([*sensors, runs.FAULTY])
                writer.writerows(
                    [*map(float, row), int(faulty)]
                    for row, faulty in zip(readings, run.faulty, strict=True)
                )
