"""Steps of a learning round by hand, on files: in a shell or a notebook, without Kubernetes.

    bench = Workbench(read_model(Path("tinymodel.yaml")), Path("work"))
    bench.run("query")                      # embed, teacher, select
    bench.answer(Path("labels.csv"))
    bench.run("teacher")

The steps are those of the pipeline, with the parameters that the operator would give them. What
goes between them lies in the work folder, so that any of them can be run again alone.
"""

from __future__ import annotations

import csv
import inspect
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from petiole.api.tinymodel import TinyModelSpec
from petiole.learning.attempts import described

from . import steps
from .errors import StepError

PHASES = {
    "query": ("embed", "teacher", "select"),
    "train": ("embed", "teacher", "student", "compress", "judge"),
}
STEPS = ("embed", "teacher", "select", "student", "compress", "judge", "detect")
SAMPLES, ANSWERS, LABELS, OUT, FIELD = (
    "samples.npz",
    "answers.npz",
    "labels.json",
    "out",
    "field",
)


@dataclass(frozen=True, slots=True)
class Done:
    """A step that ran: the file that it wrote, and how good what it made is, each 0..1."""

    step: str
    file: Path
    target: str = ""
    accuracy: float | None = None
    f1: float | None = None
    false_alarms: float = 0.0


@dataclass(slots=True)
class Workbench:
    """One model's work folder. ``round_number`` and the spec's seed decide what is drawn."""

    model: TinyModelSpec
    work: Path
    round_number: int = 1
    _parameters: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.work = self.work.absolute()
        self.work.mkdir(parents=True, exist_ok=True)
        self._parameters = {
            **described(self.model, self.model.learning.batch_size),
            "store_uri": self.work.as_uri(),
            "labels_path": LABELS,
            "samples_path": FIELD,
            "output_path": OUT,
            "round_number": self.round_number,
        }

    def answer(self, labels: Path) -> int:
        """Take over a table of ``id,label``; return how many samples have a label now."""
        path = self.work / LABELS
        known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        known |= dict(_rows(labels))
        path.write_text(json.dumps(known, indent=1))
        return len(known)

    def run(
        self, what: str, target: str = "", tell: Callable[[Done], None] | None = None
    ) -> list[Done]:
        """Run a step, or the steps of a phase, of one target or of all; ``tell`` of each.

        Raises StepError: what cannot be done, and what to do.
        """
        all_done = []
        for name in PHASES.get(what, (what,)):
            for done in self._step(name, target):
                all_done.append(done)
                if tell is not None:
                    tell(done)
        return all_done

    def _step(self, name: str, target: str) -> Iterator[Done]:
        if name in STEPS and (name == "detect") == self.model.task.has_classes:
            wanted = "query and train" if self.model.task.has_classes else "detect"
            raise StepError("StepFailed", f"{name} is not for this task: run {wanted}")
        if name == "embed":
            self._call(steps.embed, self._path(SAMPLES))
            yield Done(name, self.work / SAMPLES)
        elif name == "teacher":
            files = self._needs(SAMPLES, "embed"), self._path(ANSWERS)
            accuracy = self._call(steps.teacher, *files)
            yield Done(name, self.work / ANSWERS, accuracy=float(accuracy))
        elif name == "select":
            yield Done(name, self.work / self._call(steps.select, *self._taught()))
        elif name in ("student", "compress"):
            for chosen in self._targets(target):
                yield self._student(chosen) if name == "student" else self._compress(chosen)
        elif name == "judge":
            yield from self._judge(target)
        elif name == "detect":
            yield from self._detect(target)
        else:
            raise StepError("StepFailed", f"there is no step {name!r}; choose of {_all()}")

    def _student(self, target: dict[str, Any]) -> Done:
        path = self._call(steps.student, *self._taught(), target=target)
        return Done("student", self.work / path, target["name"])

    def _compress(self, target: dict[str, Any]) -> Done:
        samples = self._needs(SAMPLES, "embed")
        tflite = f"{OUT}/{target['name']}.tflite"
        self._needs(tflite, "student")
        variant = self._call(steps.compress, samples, tflite, target=target)
        path = self.work / OUT / f"{target['name']}.json"
        path.write_text(variant)
        return Done("compress", path, target["name"])

    def _judge(self, target: str) -> Iterator[Done]:
        names = [f"{OUT}/{chosen['name']}.json" for chosen in self._targets(target)]
        variants = [Path(self._needs(name, "compress")).read_text() for name in names]
        path = self.work / self._call(steps.judge, *self._taught(), variants)
        for variant in json.loads(path.read_text())["variants"]:
            yield Done("judge", path, variant["target"], variant["accuracy"])

    def _detect(self, target: str) -> Iterator[Done]:
        from .detect import detect  # noqa: PLC0415 - tflite-micro loads slowly

        path = self.work / self._call(detect, targets=self._targets(target))
        for variant in json.loads(path.read_text())["variants"]:
            figures = variant["f1"], variant["falseAlarms"]
            yield Done("detect", path, variant["target"], None, *figures)

    def _targets(self, name: str) -> list[dict[str, Any]]:
        targets: list[dict[str, Any]] = json.loads(self._parameters["targets"])
        chosen = [target for target in targets if name in ("", target["name"])]
        if not chosen:
            known = ", ".join(target["name"] for target in targets)
            raise StepError("StepFailed", f"the model has no target {name!r}; it has {known}")
        return chosen

    def _taught(self) -> tuple[str, str]:
        return self._needs(SAMPLES, "embed"), self._needs(ANSWERS, "teacher")

    def _path(self, name: str) -> str:
        return str(self.work / name)

    def _needs(self, name: str, step: str) -> str:
        if not (self.work / name).exists():
            raise StepError(
                "StepFailed", f"there is no {name} in {self.work}: run the step {step} first"
            )
        return self._path(name)

    def _call(self, step: Callable[..., Any], *files: Any, **more: Any) -> Any:  # noqa: ANN401
        """Call a step with those of the parameters that it names."""
        known = self._parameters | more
        wanted = inspect.signature(step).parameters.values()
        return step(*files, **{p.name: known[p.name] for p in wanted if p.kind is p.KEYWORD_ONLY})


def read_model(file: Path) -> TinyModelSpec:
    """Read the manifest of a TinyModel. ValueError says what is wrong where."""
    try:
        document = yaml.safe_load(file.read_text())
        if not isinstance(document, dict) or document.get("kind") != "TinyModel":
            raise ValueError(f"{file} is not the manifest of one TinyModel")
        return TinyModelSpec.model_validate(document.get("spec"))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{file}: spec.{where}: {first['msg']}") from error
    except yaml.YAMLError as error:
        raise ValueError(f"{file} is not YAML: {error}") from error


def _rows(labels: Path) -> Iterator[tuple[str, str]]:
    with labels.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        if not {"id", "label"} <= set(rows.fieldnames or ()):
            raise ValueError(f"the first line of {labels} must name the columns id and label")
        yield from ((row["id"], row["label"]) for row in rows if row["label"])


def _all() -> str:
    return ", ".join((*STEPS, *PHASES))
