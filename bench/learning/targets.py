"""Students searched for three targets: what was chosen, and what a device makes of it.

The networks are searched as a round with ``student.search: Halving`` does, on leaves, or on digits
where the leaves are absent, with the labels that a teacher asked for. Instructions are counted on
an emulated board of the target's core, where the answers must equal those of tflite-micro bit for
bit. The arena is proven by the agent on that board: with exactly so many bytes it takes the model,
with one less it refuses it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.firmware.memory import tflite_micro_arena
from hack.testbed.boards import BoardName
from hack.testbed.exactness import compare
from petiole.api.base import octets
from petiole.api.student import Student
from petiole_pipelines import augment, fit, making, networks, search
from petiole_pipelines.augment import Lesson
from petiole_pipelines.planner import plan
from petiole_pipelines.store import Store

from . import onboard
from .arms import Row, Seed
from .figures import OUTPUT, keep
from .kept import write
from .settings import SETTINGS, AbsentError, Setting

SEED = 0
WANTED = Student(search="Halving")
INPUTS = 20  # that a board answers
BAR = 5.0  # percent that a prediction may be off
BOARDS: Mapping[str, BoardName] = {
    "cortex-m3": "an385",
    "cortex-m4": "an386",
    "cortex-m7": "an500",
    "cortex-m33": "an505",
    "cortex-m55": "an547",
}
# Instructions: two, four and ten inferences a second at 8, 32 and 160 million a second.
TARGETS = (
    {"name": "small", "flash": "32Ki", "arena": "16Ki", "core": "cortex-m3", "instructions": "4M"},
    {"name": "medium", "flash": "64Ki", "arena": "32Ki", "core": "cortex-m4", "instructions": "8M"},
    {"name": "large", "flash": "256Ki", "arena": "64Ki", "core": "cortex-m55",
     "instructions": "16M"},
)  # fmt: skip
LABELS = {"leaves": 160, "digits": 100}  # asked for in all


def setting() -> Setting:
    """Leaves, or digits where they are absent."""
    try:
        SETTINGS["leaves"].split(SEED)
    except AbsentError:
        return SETTINGS["digits"]
    return SETTINGS["leaves"]


@dataclass(frozen=True)
class Bench:
    """One setting, what it has taught, and where results are kept as soon as they are there."""

    seed: Seed
    folder: Path
    steps: int | None
    say: Callable[[str], None]

    @cached_property
    def lesson(self) -> Lesson:
        return self.seed.lesson(LABELS[self.seed.setting.name])

    def row(self, target: dict[str, str]) -> Row:
        """Figures of one target."""
        file = self.folder / f"{target['name']}.json"
        if not file.exists():
            found = self._measured(target)
            write(file, json.dumps(found, indent=1))
        return dict(json.loads(file.read_text()))

    def _measured(self, target: dict[str, str]) -> Row:
        self.say(f"{self.seed.setting.name}: searching for {target['name']}")
        made = making.make(self.lesson, target, WANTED, None, SEED, steps=self.steps)
        path = self.folder / f"{target['name']}.tflite"
        path.write_bytes(made.tflite)
        planned = plan(made.tflite)
        cost = fit.cost_of(planned, self.seed.split.x.shape[1:], target)
        board = BOARDS[target["core"]]
        counted = compare(made.tflite, inputs=INPUTS, where=board)
        assert counted.instructions is not None
        verdict = self.seed.judged(made.tflite)
        off = 100 * abs(cost.instructions / counted.instructions - 1)
        return {
            "name": target["name"],
            "data": self.seed.setting.name,
            "labels": LABELS[self.seed.setting.name],
            "core": target["core"],
            "network": made.network,
            "flash": cost.flash,
            "flashLimit": octets(target["flash"]),
            "arena": cost.arena,
            "arenaLimit": octets(target["arena"]),
            "arenaProven": onboard.needs_its_arena(
                made.tflite, self.seed.split.images[self.seed.split.evaluation], target, board
            ),
            "tfliteMicroArena": tflite_micro_arena(path),
            "instructionsLimit": fit.most(target),
            "predictedInstructions": cost.instructions,
            "countedInstructions": counted.instructions,
            "errorPercent": round(off, 2),
            "mismatches": counted.mismatches,
            "accuracy": round(verdict.accuracy, 4),
            "worstRecall": round(min(verdict.recall.values()), 4),
            "choice": made.why,
            "front": made.front,
        }


def recipe(steps: int | None) -> str:
    """Digest of what results depend on besides code and the setting."""
    words = (
        WANTED,
        TARGETS,
        LABELS,
        steps,
        (networks.SEARCHED, networks.PLAIN_BODIES, networks.SEPARABLE_BODIES),
        (search.KEEP, search.BACK_SHARE, search.BLOCK),
        (augment.SMALL, augment.LARGE, augment.COLOUR),
    )
    return hashlib.sha256(repr(words).encode()).hexdigest()[:12]


def section(console: Console, steps: int | None = None) -> bool:
    """Search, show and keep the figures; say whether the bars are held.

    What an earlier run has kept is taken. With ``steps`` it is only tried: no figures, no bars.
    """
    rows = measured(steps, console)
    show(console, rows)
    if steps is not None:
        return True
    keep({"targets": rows})
    draw(rows, OUTPUT / "targets.png")
    return held(rows, console)


def measured(steps: int | None, console: Console) -> list[Row]:
    """Search and measure the students of all targets."""
    chosen, folder = setting(), (OUTPUT / "learning").absolute()
    kept = folder / "targets" / chosen.name / recipe(steps)
    kept.mkdir(parents=True, exist_ok=True)
    seed = Seed(chosen, SEED, kept, Store((folder / "store").as_uri()), steps, console.print)
    bench = Bench(seed, kept, steps, console.print)
    return [bench.row(target) for target in TARGETS]


def show(console: Console, rows: list[Row]) -> None:
    table = Table("target", "network", "flash", "arena", "tflite-micro's", "predicted", "counted",
                  "off %", "accuracy %", title=f"students of {rows[0]['data']}")  # fmt: skip
    for row in rows:
        table.add_row(
            row["name"],
            row["network"],
            f"{row['flash']:,} of {row['flashLimit']:,}",
            f"{row['arena']:,} of {row['arenaLimit']:,}",
            f"{row['tfliteMicroArena']:,}",
            f"{row['predictedInstructions']:,}",
            f"{row['countedInstructions']:,}",
            f"{row['errorPercent']:.2f}",
            f"{100 * row['accuracy']:.2f}",
        )
    console.print(table)
    for row in rows:
        console.print(f"{row['name']}: {row['choice']}")


def held(rows: list[Row], console: Console) -> bool:
    """Whether predictions and answers hold and each student keeps its target's limits."""
    all_good = True
    for row in rows:
        limits = ("flash", "arena")
        good = (
            row["errorPercent"] <= BAR
            and row["mismatches"] == 0
            and row["arenaProven"]
            and all(row[name] <= row[f"{name}Limit"] for name in limits)
            and row["predictedInstructions"] <= row["instructionsLimit"]
        )
        all_good = all_good and good
        console.print(
            f"{'held' if good else 'MISSED'}: {row['name']} keeps its limits, instructions "
            f"{row['errorPercent']} % off (bar {BAR:g}), {row['mismatches']} wrong answers"
        )
    return all_good


def draw(rows: list[Row], path: Path) -> None:
    """Draw accuracy on what was kept back over instructions, a front for each target."""
    import matplotlib as mpl  # noqa: PLC0415

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, axis = plt.subplots(figsize=(6.5, 4), layout="constrained")
    for row in rows:
        front: list[dict[str, Any]] = row["front"]
        line = axis.plot(
            [point["instructions"] / 1e6 for point in front],
            [100 * point["accuracy"] for point in front],
            "o-",
            label=f"{row['name']}: {row['network']}",
        )
        axis.axvline(row["instructionsLimit"] / 1e6, color=line[0].get_color(), linestyle=":")
    axis.set(
        xscale="log",
        xlabel="million instructions of one inference, as predicted (dotted: the limit)",
        ylabel="% of samples kept back",
        title=f"Fronts on {rows[0]['data']}",
    )
    axis.legend()
    figure.savefig(path, dpi=130)
    plt.close(figure)
