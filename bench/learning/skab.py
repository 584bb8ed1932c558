"""SKAB, the Skoltech Anomaly Benchmark: runs of a water pump with faults, 8 channels at 1 Hz.

Below ``PETIOLE_DATASETS``, or ``../shared/datasets``, as ``skab/<bed>/<n>.csv``. Not part of the
project. I. D. Katser and V. O. Kozitsin, Kaggle, 2020, https://doi.org/10.34740/KAGGLE/DSV/1693952.
"""

from __future__ import annotations

import os
from pathlib import Path

from hack.testbed.processes import ROOT
from petiole_pipelines.runs import Run, parse

from .settings import AbsentError

CHANNELS = 8
COMMISSIONING = 400  # seconds of a run without a fault by SKAB's protocol, to learn from


def folder() -> Path:
    datasets = os.environ.get("PETIOLE_DATASETS") or ROOT.parent / "shared" / "datasets"
    return Path(datasets) / "skab"


def load() -> list[Run]:
    """Read all runs with faults, grouped by test bed. AbsentError where there are none."""
    files = sorted(folder().glob("*/*.csv"))
    found = [parse(file.read_bytes(), f"{file.parent.name}/{file.name}")[0] for file in files]
    runs = [run for run in found if run.known]
    if not runs:
        raise AbsentError(f"no run of SKAB in {folder()}: name its parent in PETIOLE_DATASETS")
    return runs
