"""Instructions of the kernels and of the MLPerf Tiny models, counted on emulated boards.

The counts are exact and the same in each run. ``kernels.json`` beside this file has those of the
last commit; tests/nn/test_counts.py compares. ``python -m bench.firmware.kernels`` prints a table,
with ``--write`` it writes that file.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from hack.testbed import mlperf
from hack.testbed.boards import BOARDS, BoardName
from hack.testbed.exactness import Server
from hack.testbed.singles import (
    AVERAGE_POOL,
    CONV,
    DENSE,
    DEPTHWISE,
    MAX_POOL,
    MEAN,
    Single,
)
from petiole_pipelines.planner import plan

from .section import Bar, Section

COMMITTED = Path(__file__).with_suffix(".json")
MODEL_SECONDS = 300.0  # for one inference on an emulated board

CONV_BAR = 1.8  # CMSIS-NN 4.0: 2.47 on the same convolution
KWS_BAR = 7_000_000
KWS = "model kws"

CONV_3X3 = "conv 3x3, 16x16x16 to 16"
KERNELS: Mapping[str, Single] = MappingProxyType(
    {
        CONV_3X3: Single(CONV, (16, 16, 16), 16, (3, 3)),
        "conv 3x3, ring": Single(CONV, (16, 16, 16), 16, (3, 3), ring=True),
        "conv 3x3, 3 to 8, stride 2": Single(CONV, (48, 48, 3), 8, (3, 3), (2, 2)),
        "conv 10x4, 1 to 64, stride 2": Single(CONV, (49, 10, 1), 64, (10, 4), (2, 2)),
        "conv 1x1, 64 to 64": Single(CONV, (25, 5, 64), 64),
        "conv 1x1, 8 to 16": Single(CONV, (24, 24, 8), 16),
        "depthwise 3x3, 64": Single(DEPTHWISE, (25, 5, 64), 64, (3, 3)),
        "depthwise 3x3, 64, ring": Single(DEPTHWISE, (25, 5, 64), 64, (3, 3), ring=True),
        "depthwise 3x3, 16, stride 2": Single(DEPTHWISE, (24, 24, 16), 16, (3, 3), (2, 2)),
        "depthwise 5x5, 8": Single(DEPTHWISE, (16, 16, 8), 8, (5, 5)),
        "depthwise 3x3, 8 to 16": Single(DEPTHWISE, (12, 12, 8), 16, (3, 3)),
        "dense, 128 to 128": Single(DENSE, (1, 1, 128), 128, shift=(-10, -8)),
        "dense packed, 128 to 128": Single(DENSE, (1, 1, 128), 128, shift=(-8, -8), bits=6),
        "max pool 2x2, 16": Single(MAX_POOL, (16, 16, 16), 16, (2, 2), (2, 2)),
        "average pool 25x5, 64": Single(
            AVERAGE_POOL, (25, 5, 64), 64, (25, 5), (25, 5), same=False
        ),
        "mean 8x8, 32": Single(MEAN, (8, 8, 32), 32),
    }
)
MODELS: Mapping[str, mlperf.ModelName] = MappingProxyType({f"model {n}": n for n in mlperf.FILES})


@dataclass(frozen=True, slots=True)
class Row:
    """``products`` is None for a model."""

    board: BoardName
    name: str
    instructions: int
    products: int | None = None

    @property
    def each(self) -> float | None:
        """Instructions a product, or a value read by a pool; padding counts too."""
        return None if self.products is None else self.instructions / self.products


def count_kernels(board: BoardName, names: Iterable[str] = tuple(KERNELS)) -> list[Row]:
    """Count kernels of ``KERNELS`` alone, one inference each."""
    chosen = list(names)
    with Server(board, KERNELS[chosen[0]].blob()) as server:
        return [
            Row(board, name, _count(server, KERNELS[name].blob()), KERNELS[name].products)
            for name in chosen
        ]


def count_models(board: BoardName, names: Iterable[str] = tuple(MODELS)) -> list[Row]:
    """Count models of ``MODELS``, one inference each; those whose file is absent are left out."""
    files = {name: mlperf.load(MODELS[name]) for name in names}
    blobs = {name: plan(data).blob for name, data in files.items() if data is not None}
    if not blobs:
        return []
    with Server(board, next(iter(blobs.values())), seconds=MODEL_SECONDS) as server:
        return [Row(board, name, _count(server, blob)) for name, blob in blobs.items()]


def _count(server: Server, blob: bytes) -> int:
    server.load(blob)
    values = np.random.default_rng(1).integers(-128, 128, server.in_len, dtype=np.int8)
    return server.run(values).instructions


def rows(boards: Iterable[BoardName] = tuple(BOARDS)) -> Iterator[Row]:
    """Count everything; half a minute a board."""
    for board in boards:
        yield from count_kernels(board)
        yield from count_models(board)


def committed() -> Mapping[BoardName, Mapping[str, int]]:
    """Return the counts of the last commit."""
    counts: Mapping[BoardName, Mapping[str, int]] = json.loads(COMMITTED.read_text())
    return counts


def section(quick: bool) -> Section:
    """Count all kernels and models on all boards; ``quick``: on the Cortex-M4 only."""
    boards: Sequence[BoardName] = ("an386",) if quick else tuple(BOARDS)
    counted: dict[str, dict[BoardName, Row]] = {}
    for row in rows(boards):
        counted.setdefault(row.name, {})[row.board] = row
    conv = counted[CONV_3X3]["an386"]
    assert conv.each is not None
    figures: dict[str, object] = {"convInstructionsPerMac": round(conv.each, 3)}
    bars = [Bar("instructions a product: conv 3x3 on the Cortex-M4", round(conv.each, 3), CONV_BAR)]
    if (kws := counted.get(KWS)) is not None:
        figures["kwsInstructions"] = kws["an386"].instructions
        bars.append(
            Bar("instructions: KWS DS-CNN on the Cortex-M4", kws["an386"].instructions, KWS_BAR)
        )
    return Section(
        "instructions of one inference",
        figures=figures,
        columns=("kernel or model", *(BOARDS[board].core for board in boards)),
        rows=[
            (name, *(f"{by_board[board].instructions:,}" for board in boards))
            for name, by_board in counted.items()
        ],
        bars=bars,
    )


def show(row: Row) -> str:
    """One line for people."""
    each = "" if row.each is None else f"{row.each:8.2f} a product"
    return f"{row.board:6} {row.name:30} {row.instructions:12,}{each}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Count the instructions of the kernels.")
    parser.add_argument("--write", action="store_true", help=f"write {COMMITTED.name}")
    parser.add_argument("--boards", nargs="+", choices=tuple(BOARDS), default=tuple(BOARDS))
    arguments = parser.parse_args()
    for board in arguments.boards:
        counted = list(rows([board]))
        print(*map(show, counted), sep="\n", flush=True)
        if arguments.write:
            counts = {**committed(), board: {row.name: row.instructions for row in counted}}
            COMMITTED.write_text(json.dumps(counts, indent=2) + "\n")


if __name__ == "__main__":
    main()
