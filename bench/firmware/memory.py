"""Arena and blob of the MLPerf Tiny models, beside tflite-micro's arena and the .tflite."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from hack.testbed import mlperf
from petiole_pipelines.planner import plan

from .section import Bar, Section

ARENA_BAR, BLOB_BAR = 0.7, 0.9
TOTAL = re.compile(r"Arena allocation total (\d+) bytes")

# tflite-micro prints its allocations from C, so the question is asked in a process of its own.
ASK = """
import sys
import numpy as np
from tflite_micro import runtime
interpreter = runtime.Interpreter.from_file(sys.argv[1], arena_size=1 << 20)
shape = interpreter.get_input_details(0)["shape"]
interpreter.set_input(np.zeros(shape, np.int8), 0)
interpreter.invoke()
interpreter.print_allocations()
"""


def tflite_micro_arena(path: Path) -> int:
    """Return the bytes of arena that tflite-micro needs for a model."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, path], capture_output=True, text=True, timeout=120, check=True
    )
    found = TOTAL.search(done.stdout + done.stderr)
    if found is None:
        raise RuntimeError(f"tflite-micro did not say what arena {path.name} needs")
    return int(found.group(1))


def section(quick: bool) -> Section:
    """Plan the models that are at hand; there is nothing to make quicker."""
    del quick
    title = "arena and blob"
    models = {n: data for n in mlperf.FILES if (data := mlperf.load(n)) is not None}
    if not models:
        return Section(title, skipped="the MLPerf Tiny models are not there: set PETIOLE_DATASETS")
    rows, arenas, blobs = [], {}, {}
    for name, tflite in models.items():
        planned, theirs = plan(tflite), tflite_micro_arena(mlperf.folder() / mlperf.FILES[name])
        arenas[name] = round(planned.arena / theirs, 3)
        blobs[name] = round(len(planned.blob) / len(tflite), 3)
        rows.append(
            (
                name,
                f"{planned.arena:,}",
                f"{theirs:,}",
                f"{arenas[name]:.3f}",
                f"{len(planned.blob):,}",
                f"{len(tflite):,}",
                f"{blobs[name]:.3f}",
            )
        )
    return Section(
        title,
        figures={"arenaRatio": arenas, "blobRatio": blobs},
        columns=("model", "arena", "tflite-micro's", "ratio", "blob", ".tflite", "ratio"),
        rows=rows,
        bars=[
            *(Bar(f"arena of {n} to tflite-micro's", v, ARENA_BAR) for n, v in arenas.items()),
            *(Bar(f"blob of {n} to its .tflite", v, BLOB_BAR) for n, v in blobs.items()),
        ],
    )
