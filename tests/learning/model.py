"""A TinyModel's surroundings in memory, for tests of the learning decisions.

``World`` keeps runs, labels and versions as runner, store and label source do. Its pipeline gives
documents of the contract in docs/architecture.md; accuracies come from the test.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from petiole.api.learning import Labels, Learning, Triggers
from petiole.api.task import InputShape, Task
from petiole.api.tinymodel import (
    Acceptance,
    Data,
    DataSet,
    Target,
    TinyModelSpec,
    TinyModelStatus,
    VariantStatus,
    VersionStatus,
)
from petiole.learning.observed import (
    AskLabels,
    CancelRun,
    DriftAlarm,
    Event,
    ModelObserved,
    ModelOutcome,
    Pack,
    SaveLabels,
    StartRun,
)
from petiole.learning.reconcile import reconcile
from petiole.learning.runs import Run

START = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
UID = "0a1b2c3d-1111-2222-3333-444455556666"


def spec(*, pool: str = "file:///data/pool", **learning: Any) -> TinyModelSpec:
    accuracy = learning.pop("accuracy", "95%")
    defaults: dict[str, Any] = {
        "batch_size": 20,
        "label_budget": 60,
        "drift_budget": 20,
        "labels": Labels(source="Oracle", uri="file:///data/labels.csv"),
        "triggers": Triggers(drift=True),
    }
    return TinyModelSpec(
        task=Task(labels=("a", "b"), input=InputShape(height=8, width=8, channels=1)),
        data=Data(pool=DataSet(uri=pool), evaluation=DataSet(uri="file:///data/evaluation")),
        learning=Learning(**defaults | learning),
        targets=(
            Target(name="m4", flash="64Ki", arena="32Ki"),
            Target(name="m0", flash="32Ki", arena="16Ki"),
        ),
        acceptance=Acceptance(accuracy=accuracy, max_regression="1%"),
    )


def batch_of(start: StartRun) -> int:
    """How many labels a query run asks for."""
    return int(json.loads(str(start.parameters["learning"]))["batchSize"])


@dataclass
class World:
    spec: TinyModelSpec
    status: TinyModelStatus = field(default_factory=TinyModelStatus)
    now: datetime = START
    generation: int = 1
    pool: int = 1000
    accuracy: dict[str, float] = field(default_factory=lambda: {"m4": 0.97, "m0": 0.96})
    fails: dict[str, str] = field(default_factory=dict)  # reason by the end of a run's name
    data: dict[str, Any] = field(default_factory=dict)  # what runs say that they read
    runs: dict[str, Run] = field(default_factory=dict)
    started: dict[str, StartRun] = field(default_factory=dict)
    cancelled: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    asked: dict[str, tuple[str, ...]] = field(default_factory=dict)
    silent: bool = False  # the label source gives no answers
    answers_problem: str = ""
    run_problem: str = ""
    pack_problem: str = ""
    versions: dict[int, tuple[str, VersionStatus]] = field(default_factory=dict)
    drift: tuple[DriftAlarm, ...] = ()
    samples: int = 0
    fielded: int = 0
    said: dict[str, Any] = field(default_factory=dict)  # more of each variant
    writes: int = 0
    events: list[str] = field(default_factory=list)

    # --- what the controller gathers --------------------------------------------------------------

    def observe(self) -> ModelObserved:
        run = self.runs.get(self.status.round.run)
        document = self._document(run)
        observed = ModelObserved(
            namespace="default",
            name="digits",
            uid=UID,
            generation=self.generation,
            spec=self.spec,
            status=self.status,
            run=run,
            run_document=document,
            run_problem=self.run_problem,
            answers_problem=self.answers_problem,
            pack_problem=self.pack_problem,
            labels=len(self.labels),
            drift=self.drift,
            samples=self.samples,
            fielded=self.fielded,
        )
        if self.status.round.step == "Labelling" and document and not self._quiet():
            observed = replace(observed, answers={q["id"]: "a" for q in document["queries"]})
        packed = self.versions.get(self.status.latest_version + 1)
        if self.status.round.step == "Packing" and packed and packed[0] == self.status.round.run:
            observed = replace(observed, packed=packed[1])
        return observed

    def _quiet(self) -> bool:
        return self.silent or bool(self.answers_problem)

    def _document(self, run: Run | None) -> dict[str, Any] | None:
        if run is None or run.state != "Succeeded":
            return None
        labelled = int(run.name.split("-b")[1].split("-")[0])
        base = {"pool": self.pool, "labelled": labelled, "teacherAccuracy": 0.9}
        base |= {"data": self.data}
        if "-query" in run.name:
            batch = min(batch_of(self.started[run.name]), self.pool - labelled)
            ids = [f"s{n:04d}" for n in range(labelled, labelled + batch)]
            return base | {"queries": [{"id": i, "why": "Margin", "score": 0.5} for i in ids]}
        return base | {
            "variants": [
                self.said | {"target": t, "accuracy": a} for t, a in self.accuracy.items()
            ],
            "reference": "reference.json",
        }

    # --- what the controller does -----------------------------------------------------------------

    def one_pass(self, *, lose_status: bool = False, lose_actions: bool = False) -> ModelOutcome:
        """One pass. A crash loses the status, or the actions, that were still to be written."""
        outcome = reconcile(self.observe(), self.now)
        if not lose_actions:
            for action in outcome.actions:
                self.act(action)
        if outcome.status != self.status and not lose_status:
            text = outcome.status.model_dump_json(by_alias=True)
            self.status = TinyModelStatus.model_validate_json(text)
            self.writes += 1
        return outcome

    def act(self, action: Any) -> None:
        match action:
            case StartRun(name):
                assert not self.run_problem or self.runs.get(name) is None
                if not self.run_problem and name not in self.runs:
                    self.started[name] = action
                    self.runs[name] = Run(name, "Running")
            case CancelRun(name):
                self.cancelled.append(name)
                self.runs[name] = Run(name, "Failed", reason="Canceled")
            case AskLabels(run, ids):
                assert self.asked.setdefault(run, ids) == ids, "another task for the same batch"
            case SaveLabels(answers):
                self.labels.update(answers)
            case Pack(version, run):
                if not self.pack_problem:
                    self.versions[version] = (run, self._version(version, run))
            case Event(_, reason, _):
                self.events.append(reason)

    def _version(self, number: int, run: str) -> VersionStatus:
        return VersionStatus(
            version=number,
            round=self.status.round.number,
            created_at=self.now,
            accuracy="96.00%",
            labels=len(self.labels),
            trigger=self.status.round.trigger or "Initial",
            variants=tuple(
                VariantStatus(
                    target=t, digest=f"{number}{t}", size=1, arena=1, accuracy=f"{100 * a:.2f}%"
                )
                for t, a in self.accuracy.items()
            ),
            reference_uri=f"models/{UID}/versions/{number}.json",
        )

    # --- time -------------------------------------------------------------------------------------

    def work(self) -> None:
        """Every run that is going ends, well or as the test said."""
        for name, run in self.runs.items():
            if run.state == "Running":
                reason = next((r for end, r in self.fails.items() if name.endswith(end)), "")
                self.runs[name] = (
                    Run(name, "Failed", reason=reason, step="train", message="it broke")
                    if reason
                    else Run(name, "Succeeded")
                )

    def rest(self, passes: int = 60) -> ModelOutcome:
        """Pass, with runs ending at once, until nothing moves. Fails when that never happens."""
        for _ in range(passes):
            before = (self.writes, dict(self.runs), dict(self.labels), dict(self.versions))
            outcome = self.one_pass()
            self.work()
            if before == (self.writes, self.runs, self.labels, self.versions):
                return outcome
        raise AssertionError(f"no rest after {passes} passes: {self.status.message}")

    def wait(self, seconds: float) -> ModelOutcome:
        self.now += timedelta(seconds=seconds)
        return self.rest()

    def edit(self, **changes: Any) -> None:
        self.spec = spec(**changes)
        self.generation += 1

    def condition(self, type_: str) -> Any:
        return next(c for c in self.status.conditions if c.type == type_)
