"""SKAB, the Skoltech Anomaly Benchmark: runs of a water pump with faults, 8 channels at 1 Hz.

Below ``PETIOLE_DATASETS``, or ``../shared/datasets``, as ``skab/<bed>/<n>.csv``. Not part of the
project. I. D. Katser and V. O. Kozitsin, Kaggle, 2020, https://doi.org/10.34740/KAGGLE/DSV/1693952.
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hack.testbed.processes import ROOT

CHANNELS = (
    "Accelerometer1RMS",
    "Accelerometer2RMS",
    "Current",
    "Pressure",
    "Temperature",
    "Thermocouple",
    "Voltage",
    "Volume Flow RateRMS",
)
TEMPERATURES = ("Temperature", "Thermocouple")
COMMISSIONING = 400  # seconds of a run without a fault by SKAB's protocol, to learn from


@dataclass(frozen=True, slots=True)
class Run:
    """One run: its name, readings [seconds, 8] and which seconds are faulty [seconds]."""

    name: str
    readings: NDArray[np.float64]
    faulty: NDArray[np.bool_]

    @property
    def bed(self) -> str:
        """The group of experiments that it belongs to."""
        return self.name.split("/", 1)[0]


def folder() -> Path:
    datasets = os.environ.get("PETIOLE_DATASETS") or ROOT.parent / "shared" / "datasets"
    return Path(datasets) / "skab"


def load() -> list[Run]:
    """Read all runs with faults. Raises FileNotFoundError where there are none."""
    files = sorted(folder().glob("*/*.csv"))
    runs = [run for file in files if (run := _read(file)) is not None]
    if not runs:
        raise FileNotFoundError(f"no run of SKAB in {folder()}: set PETIOLE_DATASETS")
    return runs


def _read(file: Path) -> Run | None:
    """Read a run; None for the one without labels."""
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter=";"))
    if "anomaly" not in rows[0]:
        return None
    readings = np.array([[float(row[channel]) for channel in CHANNELS] for row in rows])
    faulty = np.array([float(row["anomaly"]) > 0 for row in rows])
    return Run(f"{file.parent.name}/{file.stem}", readings, faulty)
