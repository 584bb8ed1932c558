"""Is every answer that of tflite-micro, bit for bit: here and on five boards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hack.testbed import mlperf
from hack.testbed.exactness import PLACES, Server, Where, compare
from petiole_pipelines.planner import plan
from tests.nn.generated import NAMES, generate

from .section import Bar, Section

INPUTS, QUICK_INPUTS = 500, 5
SECONDS = 900.0  # for an answer of a board


def section(quick: bool) -> Section:
    """Run the MLPerf Tiny models that are at hand, and the networks drawn at random."""
    inputs = QUICK_INPUTS if quick else INPUTS
    models = {n: data for n in mlperf.FILES if (data := mlperf.load(n)) is not None}
    networks = {name: generate(name) for name in NAMES}
    rows, ran, wrong = [], 0, 0
    for where in PLACES:
        for kind, nets in (("MLPerf Tiny", models), ("drawn at random", networks)):
            if not nets:
                continue
            found = list(_compare(where, nets, inputs))
            mismatches = sum(found)
            ran, wrong = ran + inputs * len(nets), wrong + mismatches
            rows.append((where, kind, str(len(nets)), f"{inputs:,}", str(mismatches)))
    figures = {
        "models": len(models),
        "networks": len(networks),
        "inputs": inputs,
        "answers": ran,
        "mismatches": wrong,
    }
    missing = len(mlperf.FILES) - len(models)
    return Section(
        "answers that differ from tflite-micro's",
        figures={"exact": figures},
        columns=("where", "models", "how many", "inputs each", "differ"),
        rows=rows,
        bars=[
            Bar("answers that differ", wrong, 0),
            Bar("networks drawn", len(networks), 30, least=True),
        ],
        notes=[f"{missing} MLPerf Tiny models are not there: set PETIOLE_DATASETS"]
        if missing
        else [],
    )


def _compare(where: Where, nets: Mapping[str, bytes], inputs: int) -> Iterator[int]:
    first = next(iter(nets.values()))
    with Server(where, plan(first).blob, seconds=SECONDS, counted=False) as server:
        for tflite in nets.values():
            yield compare(tflite, inputs=inputs, where=server).mismatches
