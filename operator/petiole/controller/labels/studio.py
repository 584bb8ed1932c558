"""People in Label Studio: a task a question, and what their annotations come to.

Nothing is remembered but a note beside the run's queries, ``asked.json``. Tasks are looked for
before they are made. A call whose answer was lost may still make its tasks, so after one that was
begun and not seen through, they are looked for during a minute before they are made again.
"""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from petiole.api.base import fraction
from petiole.api.learning import LabelStudio
from petiole.controller.problem import Problem
from petiole.controller.store import Store
from petiole.learning.agreement import agree

from .source import Answers, Batch, Question, listed
from .studio_client import (
    CONTROL,
    PICTURE,
    Annotation,
    Project,
    RefusedError,
    StudioClient,
    Task,
)

_IN_DOUBT = timedelta(seconds=60)  # longer than a server works on one import
_MORE = 2  # further people who are asked when the first do not agree


@dataclass(frozen=True, slots=True)
class Hook:
    """Where Label Studio tells of answers, and the headers that prove it."""

    url: str
    headers: Mapping[str, str]


class Studio:
    """One project of one server; ``known`` are the labels of the model's task."""

    def __init__(
        self,
        spec: LabelStudio,
        known: tuple[str, ...],
        store: Store,
        connect: Callable[[], StudioClient],
        clock: Callable[[], datetime],
        hook: Hook | None = None,
    ) -> None:
        self._spec, self._known, self._store = spec, known, store
        self._connect, self._clock, self._hook = connect, clock, hook

    def ask(self, batch: Batch) -> None:
        note = _Note(self._store, f"{batch.folder}/asked.json")
        with self._connect() as client:
            project = self._project(client, note)
            tasks = list(client.tasks(project.id, batch.round))
            there = {task.data.sample for task in tasks if task.data.run == batch.run}
            missing = [question for question in batch.questions if question.id not in there]
            if missing:
                self._doubt(note)
                self._make(client, project, batch, missing, note)
                return
            note.complete()
            self._settle(client, tasks)
            self._listen(client, project)

    def answers(self, batch: Batch) -> Answers:
        note = _Note(self._store, f"{batch.folder}/asked.json")
        with self._connect() as client:
            project = client.project(self._spec.project)
            tasks = [] if project is None else list(client.tasks(project.id, batch.round))
        problems: list[str] = []
        if project is None and note.was_complete:
            problems.append(
                f"Project {self._spec.project!r} is gone from Label Studio, and what was answered "
                "there and not collected. It is made again, with the questions of this batch."
            )
        elif note.was_complete:
            there = {task.data.sample for task in tasks}
            gone = [id_ for id_ in batch.ids if id_ not in there]
            if gone:
                problems.append(
                    f"Tasks were deleted in Label Studio: {listed(gone)}. They are made again."
                )
        counted = {sample: self._count(group) for sample, group in _by_sample(tasks).items()}
        present = [counted[id_] for id_ in batch.ids if id_ in counted]
        problems += [text for text in (self._told(present),) if text]
        labels = {sample: count.label for sample, count in counted.items() if count.label}
        return Answers(labels, " ".join(problems))

    def _project(self, client: StudioClient, note: _Note) -> Project:
        found = client.project(self._spec.project)
        if found is None:
            self._doubt(note)
            note.begin(self._clock())
            client.make_project(self._spec.project, self._known, self._spec.overlap)
            found = client.project(self._spec.project)
            assert found is not None, "it was made just now"
        control = found.parsed_label_config.get(CONTROL)
        if control is None or control.type != "Choices" or set(self._known) - {*control.labels}:
            raise Problem(
                f"Project {self._spec.project!r} of Label Studio has another labelling interface: "
                f"it needs <Choices name={CONTROL!r}> with {', '.join(self._known)} for "
                f"${PICTURE}. Correct it there, or name another project in "
                "spec.learning.labels.labelStudio.project."
            )
        if found.maximum_annotations < self._spec.overlap:
            client.raise_overlap(found.id, self._spec.overlap)
        return found

    def _doubt(self, note: _Note) -> None:
        """Wait while a call that was begun may still be under way."""
        until = note.begun + _IN_DOUBT if note.begun is not None else None
        if until is not None and self._clock() < until:
            raise Problem(
                "Nobody saw whether the tasks were made in Label Studio. They are looked for until "
                f"{until:%H:%M:%S} UTC, then made again."
            )

    def _make(
        self,
        client: StudioClient,
        project: Project,
        batch: Batch,
        missing: Sequence[Question],
        note: _Note,
    ) -> None:
        pictures = _pictures(self._store, f"{batch.folder}/pictures.zip", missing)
        tasks = [
            {
                "data": {
                    PICTURE: pictures[question.id],
                    "sample": question.id,
                    "run": batch.run,
                    "round": batch.round,
                },
                "predictions": _prediction(question, batch.run),
            }
            for question in missing
        ]
        note.begin(self._clock())
        try:
            client.make_tasks(project.id, tasks)
        except RefusedError:
            note.forget()
            raise

    def _settle(self, client: StudioClient, tasks: Iterable[Task]) -> None:
        """Ask further people where the first do not agree; take away tasks that are there twice."""
        for group in _by_sample(tasks).values():
            unanswered = [task for task in group[1:] if not task.annotations]
            for task in unanswered:
                client.delete_task(task.id)
            count, most = self._count(group), self._spec.overlap + _MORE
            first = group[0]
            if count.disputed and first.overlap <= count.people < most:
                client.ask_more(first.id, count.people + 1)

    def _listen(self, client: StudioClient, project: Project) -> None:
        hook = self._hook
        if hook is None:
            return
        found = next((w for w in client.webhooks(project.id) if w.url == hook.url), None)
        if found is None:
            client.make_webhook(project.id, hook.url, hook.headers)
        elif found.headers != dict(hook.headers):
            client.change_webhook(found.id, hook.url, hook.headers)

    def _count(self, tasks: Sequence[Task]) -> _Count:
        people = _newest_by_person(annotation for task in tasks for annotation in task.annotations)
        answered = [annotation.choices for annotation in people if not annotation.was_cancelled]
        good = [choices[0] for choices in answered if self._is_label(choices)]
        verdict = agree(good, self._spec.overlap, fraction(self._spec.agreement))
        wrong = [", ".join(c) or "no choice" for c in answered if not self._is_label(c)]
        return _Count(
            task=f"task {tasks[0].id}",
            label=verdict.label,
            disputed=verdict.disputed,
            people=len(good),
            skipped=len(people) - len(answered),
            wrong=wrong,
        )

    def _is_label(self, choices: tuple[str, ...]) -> bool:
        return len(choices) == 1 and choices[0] in self._known

    def _told(self, counts: Sequence[_Count]) -> str:
        """Say of the questions of a batch what a person should look at."""
        wrong = [f"{count.task}: {', '.join(count.wrong)}" for count in counts if count.wrong]
        disputed = [count.task for count in counts if count.disputed]
        skipped = [count.task for count in counts if count.skipped and not count.people]
        said = (
            (wrong, f"Answers that are no label of the task: {{}}. Use one of {self._labels}."),
            (disputed, "People do not agree on {}; more of them are asked, or one may give in."),
            (skipped, "Skipped, and not answered by anybody: {}."),
        )
        return " ".join(text.format(listed(names)) for names, text in said if names)

    @property
    def _labels(self) -> str:
        return ", ".join(self._known)


@dataclass(frozen=True, slots=True)
class _Count:
    """What the people who saw a question come to; ``wrong`` are answers that are no label."""

    task: str
    label: str
    disputed: bool
    people: int  # who gave a label
    skipped: int
    wrong: Sequence[str]


class _Note:
    """``asked.json``: when an import was last begun, and whether all tasks were seen after it."""

    def __init__(self, store: Store, path: str) -> None:
        self._store, self._path = store, path
        found = store.get_json(path) or {}
        self.was_complete = bool(found.get("complete"))
        at = None if self.was_complete else found.get("begun")
        self.begun = None if at is None else datetime.fromisoformat(at)

    def begin(self, now: datetime) -> None:
        self._store.put_json(self._path, {"begun": now.isoformat()})

    def forget(self) -> None:
        self._store.put_json(self._path, {})

    def complete(self) -> None:
        if not self.was_complete:
            self._store.put_json(self._path, {"complete": True})


def _by_sample(tasks: Iterable[Task]) -> dict[str, list[Task]]:
    """Group tasks, the oldest first."""
    found: dict[str, list[Task]] = {}
    for task in sorted(tasks, key=lambda task: task.id):
        found.setdefault(task.data.sample, []).append(task)
    return found


def _newest_by_person(annotations: Iterable[Annotation]) -> list[Annotation]:
    ordered = sorted(annotations, key=lambda annotation: annotation.updated_at)
    return list({annotation.completed_by: annotation for annotation in ordered}.values())


def _prediction(question: Question, run: str) -> list[dict[str, object]]:
    """Return the teacher's guess as Label Studio shows it before somebody answers."""
    if not question.guess:
        return []
    value = {"choices": [question.guess]}
    result = {"from_name": CONTROL, "to_name": PICTURE, "type": "choices", "value": value}
    return [{"model_version": run, "score": question.confidence, "result": [result]}]


def _pictures(store: Store, path: str, questions: Sequence[Question]) -> dict[str, str]:
    """Return pictures by sample id, as data URIs: people need no access to the store."""
    content = store.get(path)
    try:
        with zipfile.ZipFile(io.BytesIO(content or b"")) as archive:
            drawn = {question.id: archive.read(f"{question.id}.png") for question in questions}
    except (zipfile.BadZipFile, KeyError) as error:
        raise Problem(
            f"{store.uri}/{path} does not hold the pictures of all questions: {error}. Is the "
            "pipelines' image older than the operator? Edit the spec to begin a new round."
        ) from error
    return {
        name: f"data:image/png;base64,{base64.b64encode(png).decode()}"
        for name, png in drawn.items()
    }
