"""Runs of machines: CSV files, a line a reading, a column a sensor; the first line names them.

A column ``anomaly`` says which readings are faulty (above 0). ``changepoint`` and the time, in
``datetime``, ``timestamp`` or ``time``, are passed over. Commas or semicolons between fields.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import StepError
from .source import Source

FAULTY = "anomaly"
PASSED_OVER = ("datetime", "timestamp", "time", "changepoint")
SUFFIX = ".csv"


@dataclass(frozen=True, slots=True)
class Run:
    """One machine from one start on: readings [n, sensors] and which of them are faulty [n]."""

    name: str
    readings: NDArray[np.float64]
    faulty: NDArray[np.bool_]
    known: bool = True  # whether faults were told; else all readings count as normal

    @property
    def group(self) -> str:
        """The folder that it lies in."""
        return str(PurePosixPath(self.name).parent)


@dataclass(frozen=True, slots=True)
class RunSet:
    """The runs below a URI, in order of names, and the digest of all files that were read."""

    uri: str
    runs: tuple[Run, ...]
    sensors: tuple[str, ...]
    digest: str

    def record(self) -> dict[str, Any]:
        """Return what a candidate says about the set."""
        known = sum(run.known for run in self.runs)
        return {
            "uri": self.uri,
            "digest": self.digest,
            "samples": len(self.runs),
            "withFaultsTold": known,
            "sensors": list(self.sensors),
        }


def read(uri: str, what: str, *, sensors: int, longer_than: int) -> RunSet:
    """Read all runs below a URI. ``what``: pool or evaluation.

    Raises StepError: none there, another number of sensors, columns that differ, no numbers, or a
    run of no more than ``longer_than`` readings.
    """
    source, where = Source(uri, what), f"the {what} set at {uri}"
    names = [name for name in source.names() if is_run(name)]
    if not names:
        raise source.missing(f"{where} holds no runs ({SUFFIX} files)")
    found = [_file(source.get(name) or b"", name, where) for name in names]
    columns = found[0][1]
    for run, named in found:
        if named != columns:
            raise StepError(
                "DataInvalid",
                f"{where}: {run.name} has the sensors {_listed(named)}, {found[0][0].name} has "
                f"{_listed(columns)}: all runs need the same columns in the same order",
            )
        if len(run.readings) <= longer_than:
            raise StepError(
                "DataInvalid",
                f"{where}: {run.name} has {len(run.readings)} readings, but spec.task.commissioning"
                f".baseline alone takes {longer_than}: leave it out, or learn from fewer",
            )
    if len(columns) != sensors:
        raise StepError(
            "DataInvalid",
            f"{where} has {len(columns)} sensors ({_listed(columns)}); spec.task.input.channels "
            f"is {sensors}",
        )
    return RunSet(uri, tuple(run for run, _ in found), columns, source.digest())


def is_run(path: str) -> bool:
    """Tell runs from what else lies about: other files, labels, hidden files and folders."""
    pure = PurePosixPath(path)
    hidden = any(part.startswith(".") for part in pure.parts)
    return pure.suffix.lower() == SUFFIX and pure.name != "labels.csv" and not hidden


def parse(content: bytes, name: str) -> tuple[Run, tuple[str, ...]]:
    """Read one file; return the run and the names of its sensors. ValueError says what is wrong."""
    text = content.decode("utf-8-sig")
    first = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text), delimiter=";" if ";" in first else ",")
    header = [column.strip() for column in next(rows, [])]
    sensors = [n for n, c in enumerate(header) if c not in (FAULTY, *PASSED_OVER)]
    wanted = [*sensors, *(n for n, column in enumerate(header) if column == FAULTY)]
    numbers = np.array([_numbers(row, wanted, rows.line_num) for row in rows if row])
    if not sensors or not len(numbers):
        raise ValueError("it has no readings: its first line names columns, the others are numbers")
    known = len(wanted) > len(sensors)
    faulty = numbers[:, -1] > 0 if known else np.zeros(len(numbers), np.bool_)
    run = Run(str(PurePosixPath(name).with_suffix("")), numbers[:, : len(sensors)], faulty, known)
    return run, tuple(header[n] for n in sensors)


def _numbers(row: Sequence[str], wanted: Sequence[int], line: int) -> list[float]:
    try:
        found = [float(row[n]) for n in wanted]
    except (ValueError, IndexError) as error:
        raise ValueError(f"line {line}: {error}") from error
    if not np.isfinite(found).all():
        raise ValueError(f"line {line}: a reading is missing; leave the line out")
    return found


def _file(content: bytes, name: str, where: str) -> tuple[Run, tuple[str, ...]]:
    try:
        return parse(content, name)
    except (ValueError, csv.Error) as error:
        raise StepError("DataInvalid", f"{where}: {name}: {error}") from error


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
