"""A pass over a TinyModel: what is gathered for it and how its actions are carried out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from petiole.api.base import REQUEST, SecretKeyRef
from petiole.api.devicefleet import DeviceFleetSpec, DeviceFleetStatus
from petiole.api.tinymodel import TinyModelSpec, TinyModelStatus
from petiole.learning.attempts import round_name
from petiole.learning.observed import (
    AskLabels,
    CancelRun,
    DriftAlarm,
    ModelAction,
    ModelObserved,
    Pack,
    SaveLabels,
    StartRun,
)
from petiole.learning.runs import CREDENTIAL_KEYS
from petiole.runners.base import Credentials, RunKey, Runner, RunnerError

from . import paths
from .cluster import Cluster, Object
from .hooks import Hooks
from .keys import Key
from .labels import label_source
from .labels.source import Batch, LabelSource, Question
from .problem import Problem
from .store import Store
from .versions import Versions

PIPELINE = "learning_round"
_LONGEST_REQUEST = 1024  # characters, as status takes
_MEMORY = 60.0  # seconds; longer than the queue's longest delay


@dataclass
class ModelPass:
    """Adapters around ``learning.reconcile``."""

    cluster: Cluster
    runner: Runner
    store: Store
    versions: Versions
    hooks: Hooks
    # Why an action failed stays known until it works, so that status can say it meanwhile; not
    # for ever, because the action may never be asked for again.
    _problems: dict[tuple[str, str], tuple[str, float]] = field(default_factory=dict)

    async def observe(self, body: Object) -> ModelObserved:
        """Gather everything. Raises ValidationError when the object itself cannot be read."""
        meta = body["metadata"]
        observed = ModelObserved(
            namespace=meta["namespace"],
            name=meta["name"],
            uid=meta["uid"],
            generation=meta["generation"],
            spec=TinyModelSpec.model_validate(body["spec"]),
            status=TinyModelStatus.model_validate(body.get("status") or {}),
            run_problem=self._problem(meta["uid"], "run"),
            answers_problem=self._problem(meta["uid"], "answers"),
            pack_problem=self._problem(meta["uid"], "pack"),
            request=(meta.get("annotations") or {}).get(REQUEST, "")[:_LONGEST_REQUEST],
        )
        follow = f"spec.model.name={observed.name}"
        fleets = await self.cluster.all("devicefleets", (observed.namespace,), follow)
        following = _following(observed.name, fleets)
        fielded = max((status.revision.stable for _, status in following), default=0)
        observed = replace(observed, drift=_alarms(following), fielded=fielded)
        return await self._with_answers(await asyncio.to_thread(self._gather, observed))

    async def act(self, observed: ModelObserved, action: ModelAction) -> None:
        """Carry an action out that is no Event. Raises Problem, which the next pass sees."""
        memory = (observed.uid, _FIELDS[type(action)])
        try:
            if isinstance(action, AskLabels):
                source = await self._source(observed)
                await asyncio.to_thread(source.ask, _batch(observed))
            else:
                credentials = await self._credentials(observed, action)
                await asyncio.to_thread(self._act, observed, action, credentials)
        except (Problem, RunnerError) as problem:
            now = time.monotonic()
            self._problems = {key: told for key, told in self._problems.items() if told[1] > now}
            self._problems[memory] = (str(problem), now + _MEMORY)
            raise Problem(str(problem)) from problem
        self._problems.pop(memory, None)

    async def end(self, run: RunKey) -> None:
        """End the run of a model that is no more."""
        try:
            await asyncio.to_thread(self.runner.cancel, run)
        except RunnerError as problem:
            raise Problem(str(problem)) from problem

    def _problem(self, uid: str, what: str) -> str:
        text, until = self._problems.get((uid, what), ("", 0.0))
        return text if time.monotonic() < until else ""

    def _gather(self, observed: ModelObserved) -> ModelObserved:
        try:
            observed = self._with_run(observed)
            observed = replace(
                observed,
                labels=len(self._labels(observed.uid)),
                samples=sum(1 for _ in self.store.names(paths.samples(observed.uid))),
            )
        except (Problem, RunnerError) as problem:
            return replace(observed, run_problem=str(problem))
        return self._with_packed(observed)

    def _with_run(self, observed: ModelObserved) -> ModelObserved:
        """Add the run that status names and, once it succeeded, its document."""
        name = observed.status.round.run
        run = self.runner.find(run_key(observed, name)) if name else None
        if run is None or run.state != "Succeeded":
            return replace(observed, run=run)
        trained = observed.status.round.step in ("Training", "Packing")
        path = (paths.candidate if trained else paths.query)(observed.uid, name)
        document = self.store.get_json(path)
        if document is None:
            raise Problem(
                f"Run {name} succeeded, but {self.store.uri}/{path} is not there. "
                "Do pipeline and operator use the same store?"
            )
        return replace(observed, run=run, run_document=document)

    async def _with_answers(self, observed: ModelObserved) -> ModelObserved:
        if observed.status.round.step != "Labelling" or observed.run_document is None:
            return observed
        try:
            source = await self._source(observed)
            found = await asyncio.to_thread(source.answers, _batch(observed))
        except Problem as problem:
            return replace(observed, answers_problem=str(problem))
        return replace(
            observed,
            answers=found.labels,
            answers_problem=found.problem or observed.answers_problem,
        )

    async def _source(self, observed: ModelObserved) -> LabelSource:
        """Open the source of labels, with what a Secret says where it needs one."""
        spec, token = observed.spec, ""
        labels = spec.learning.labels
        if labels is not None and labels.label_studio is not None:
            token = await self._value(observed.namespace, labels.label_studio.token_secret_ref)
        hook = self.hooks.of(Key("tinymodels", observed.namespace, observed.name))
        return await asyncio.to_thread(label_source, spec, self.store, token, hook)

    async def _value(self, namespace: str, ref: SecretKeyRef) -> str:
        found = await self.cluster.secret(namespace, ref.name)
        if not found.get(ref.key):
            raise Problem(f"The Secret {ref.name} in the namespace {namespace} has no {ref.key!r}.")
        return found[ref.key]

    def _with_packed(self, observed: ModelObserved) -> ModelObserved:
        if observed.status.round.step != "Packing":
            return observed
        number = observed.status.latest_version + 1
        try:
            found = self.versions.find(observed.uid, number, observed.status.round.run)
        except Problem as problem:
            return replace(observed, pack_problem=str(problem))
        return replace(observed, packed=found)

    async def _credentials(
        self, observed: ModelObserved, action: ModelAction
    ) -> Credentials | None:
        """Read the Secret of the data sets for a run that starts; nobody keeps what it says."""
        named = observed.spec.data.credentials
        if named is None or not isinstance(action, StartRun):
            return None
        name = named.secret_ref.name
        found = await self.cluster.secret(observed.namespace, name)
        values = {key: found[key] for key in CREDENTIAL_KEYS if found.get(key)}
        if not values:
            raise Problem(
                f"The Secret {name} that spec.data.credentials names has none of the keys "
                f"{', '.join(CREDENTIAL_KEYS)}."
            )
        return Credentials(name, values)

    def _act(
        self, observed: ModelObserved, action: ModelAction, credentials: Credentials | None
    ) -> None:
        match action:
            case StartRun(name, parameters, deadline_seconds):
                key = run_key(observed, name)
                given = {**self._places(key), **parameters}
                self.runner.start(key, PIPELINE, given, deadline_seconds, credentials)
            case CancelRun(name):
                self.runner.cancel(run_key(observed, name))
            case SaveLabels(answers):
                self._save_labels(observed.uid, answers)
            case Pack(version, run):
                self.versions.pack(observed, version, run)

    def _places(self, key: RunKey) -> dict[str, str]:
        """Return the parameters that say where a run reads and writes."""
        return {
            "store_uri": self.store.uri,
            "labels_path": paths.labels(key.uid),
            "samples_path": paths.samples(key.uid),
            "output_path": key.folder,
        }

    def _labels(self, uid: str) -> dict[str, Any]:
        return self.store.get_json(paths.labels(uid)) or {}

    def _save_labels(self, uid: str, answers: Mapping[str, str]) -> None:
        before = self._labels(uid)
        after = {**before, **answers}
        if after != before:
            self.store.put_json(paths.labels(uid), after)


_FIELDS: dict[type, str] = {
    StartRun: "run",
    CancelRun: "run",
    AskLabels: "answers",
    SaveLabels: "answers",
    Pack: "pack",
}


def run_key(observed: ModelObserved, name: str) -> RunKey:
    """Say which run of a model is meant."""
    folder = paths.round_folder(observed.uid, name)
    return RunKey(name, observed.namespace, observed.name, observed.uid, folder)


def _batch(observed: ModelObserved) -> Batch:
    """Return the questions of the run that status names."""
    run = observed.status.round.run
    queries = (observed.run_document or {}).get("queries", ())
    questions = {str(query["id"]): Question.read(query) for query in queries}
    return Batch(
        run=run,
        round=round_name(observed, observed.status.round.number),
        folder=paths.round_folder(observed.uid, run),
        questions=tuple(questions.values()),
    )


def _following(model: str, fleets: list[Object]) -> list[tuple[str, DeviceFleetStatus]]:
    """Return names and statuses of the fleets that follow a model.

    One that cannot be read says so itself; it must not hold up the models of its namespace.
    """
    found = []
    for body in fleets:
        with suppress(ValidationError):
            if DeviceFleetSpec.model_validate(body["spec"]).model.name == model:
                status = DeviceFleetStatus.model_validate(body.get("status") or {})
                found.append((body["metadata"]["name"], status))
    return found


def _alarms(fleets: list[tuple[str, DeviceFleetStatus]]) -> tuple[DriftAlarm, ...]:
    alarms = [
        DriftAlarm(name, drift.version, drift.detected_at, drift.message)
        for name, status in fleets
        if (drift := status.drift).state == "Drifted" and drift.detected_at is not None
    ]
    return tuple(sorted(alarms, key=lambda alarm: alarm.fleet))
