"""Label Studio when it fails: what is told, and that no question is asked twice.

The double answers the few calls that are made; ``test_studio_server`` shows the same on a server.
"""

import itertools
import json
import re
from datetime import UTC, datetime, timedelta

import httpx
import numpy as np
import pytest

from petiole.api.learning import LabelStudio
from petiole.controller.labels.source import Batch, Question
from petiole.controller.labels.studio import Hook, Studio
from petiole.controller.labels.studio_client import StudioClient
from petiole.controller.problem import Problem
from petiole.controller.store import Store
from petiole_pipelines import pictures

KNOWN = ("yes", "no")
IDS = ("a", "b", "c")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Double:
    """Projects, tasks and webhooks in memory. ``fault`` may answer a request in its place."""

    def __init__(self):
        self.projects, self.tasks, self.hooks, self.imports = [], {}, [], []
        self._numbers = itertools.count(1)
        self.fault = lambda request: None

    def __call__(self, request):
        answer = self.fault(request)
        return answer or self.answer(request)

    def answer(self, request):
        name = request.method + re.sub(r"\d+", "N", request.url.path)
        content = json.loads(request.content or b"null")
        number = int((re.findall(r"\d+", request.url.path) or [0])[-1])
        return httpx.Response(200, json=getattr(self, _METHODS[name])(number, request, content))

    def list_projects(self, _, request, __):
        title = request.url.params["title"]
        return {"results": [p for p in self.projects if title.lower() in p["title"].lower()]}

    def make_project(self, _, __, content):
        choices = re.findall(r'Choice value="([^"]+)"', content["label_config"])
        config = {"label": {"type": "Choices", "labels": choices}}
        made = {**content, "id": len(self.projects) + 1, "parsed_label_config": config}
        self.projects.append(made)
        return made

    def change_project(self, number, _, content):
        self.projects[number - 1].update(content)

    def import_tasks(self, project, _, content):
        self.imports.append([task["data"]["sample"] for task in content])
        for task in content:
            number = next(self._numbers)
            self.tasks[number] = {**task, "id": number, "overlap": 1, "annotations": []}
        return {"task_count": len(content)}

    def list_tasks(self, _, request, __):
        value = json.loads(request.url.params["query"])["filters"]["items"][0]["value"]
        found = [task for task in self.tasks.values() if task["data"]["round"] == value]
        page, size = int(request.url.params["page"]), 2  # less than is asked for
        return {"tasks": found[(page - 1) * size : page * size], "total": len(found)}

    def change_task(self, number, _, content):
        self.tasks[number].update(content)

    def delete_task(self, number, *_):
        del self.tasks[number]

    def list_hooks(self, *_):
        return self.hooks

    def make_hook(self, _, __, content):
        self.hooks.append({**content, "id": len(self.hooks) + 1})

    def change_hook(self, number, _, content):
        self.hooks[number - 1].update(content)

    def annotate(self, sample, *choices, who=1, skipped=False, at=0):
        task = next(task for task in self.tasks.values() if task["data"]["sample"] == sample)
        value = {"from_name": "label", "value": {"choices": list(choices)}}
        task["annotations"].append(
            {
                "completed_by": who,
                "was_cancelled": skipped,
                "updated_at": (NOW + timedelta(seconds=at)).isoformat(),
                "result": [value] if choices else [],
            }
        )


_METHODS = {
    "GET/api/projects": "list_projects",
    "POST/api/projects": "make_project",
    "PATCH/api/projects/N": "change_project",
    "POST/api/projects/N/import": "import_tasks",
    "GET/api/tasks": "list_tasks",
    "PATCH/api/tasks/N": "change_task",
    "DELETE/api/tasks/N": "delete_task",
    "GET/api/webhooks/": "list_hooks",
    "POST/api/webhooks/": "make_hook",
    "PATCH/api/webhooks/N/": "change_hook",
}


class World:
    """A source, its store, a clock, and the double behind it."""

    def __init__(self, folder):
        self.double, self.folder, self.now, self.hook = Double(), folder, NOW, None
        self.draw(IDS)

    def draw(self, ids, folder="round"):
        x = np.zeros((len(ids), 2, 2, 1), np.uint8)
        (self.folder / folder).mkdir(exist_ok=True)
        (self.folder / folder / "pictures.zip").write_bytes(pictures.pack(x, ids))

    def source(self, token="0123", **spec):
        given = {"url": "http://labels", "project": "leaves"} | spec
        described = LabelStudio(token_secret_ref={"name": "s", "key": "t"}, **given)
        transport = httpx.MockTransport(self.double)

        def connect():
            return StudioClient("http://labels", token, transport)

        store = Store(self.folder.as_uri())
        return Studio(described, KNOWN, store, connect, lambda: self.now, self.hook)


def batch(*ids, run="leaf-1-r1-b0-query", folder="round"):
    return Batch(run, "leaf-1-r1", folder, tuple(Question(i, "yes", 0.7) for i in ids or IDS))


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def fails(error, path="", *, after=False):
    """A fault: the connection breaks before the server acts, or ``after`` it did."""

    def fault(request):
        if path not in request.url.path or request.method == "GET":
            return
        request.read()
        if after:
            fails.double.answer(request)
        raise error("broken", request=request)

    return fault


def answers_with(status, **content):
    return lambda request: httpx.Response(status, **content)


def test_questions_become_tasks_once(world):
    world.source().ask(batch())
    world.source().ask(batch())
    assert world.double.imports == [list(IDS)]
    (project,) = world.double.projects
    assert project["parsed_label_config"]["label"]["labels"] == list(KNOWN)
    task = world.double.tasks[1]
    assert task["data"]["image"].startswith("data:image/png;base64,iVBOR")
    assert task["data"]["run"] == "leaf-1-r1-b0-query"
    (prediction,) = task["predictions"]
    assert (prediction["score"], prediction["model_version"]) == (0.7, "leaf-1-r1-b0-query")
    assert prediction["result"][0]["value"] == {"choices": ["yes"]}


def test_many_questions_go_in_several_calls(world, monkeypatch):
    monkeypatch.setattr("petiole.controller.labels.studio_client._BYTES", 1000)
    world.source().ask(batch())
    assert [task for part in world.double.imports for task in part] == list(IDS)
    assert len(world.double.imports) > 1


@pytest.mark.parametrize("made", [True, False])
def test_an_import_that_nobody_saw_end_is_looked_for_before_it_is_made_again(world, made):
    fails.double = world.double
    world.double.fault = fails(httpx.ReadTimeout, "/import", after=made)
    with pytest.raises(Problem, match=r"http://labels does not answer \(ReadTimeout\)"):
        world.source().ask(batch())
    world.double.fault = lambda request: None
    world.now += timedelta(seconds=59)
    if made:
        world.source().ask(batch())
    else:
        with pytest.raises(Problem, match="looked for until 00:01:00 UTC, then made again"):
            world.source().ask(batch())
        assert world.double.imports == []
    world.now += timedelta(seconds=2)
    world.source().ask(batch())
    world.source().ask(batch())
    assert world.double.imports == [list(IDS)]


def test_a_project_that_nobody_saw_made_is_looked_for_too(world):
    fails.double = world.double
    world.double.fault = fails(httpx.ReadTimeout, "/api/projects", after=True)
    with pytest.raises(Problem, match="ReadTimeout"):
        world.source().ask(batch())
    world.double.fault = lambda request: None
    world.now += timedelta(seconds=61)
    world.source().ask(batch())
    assert len(world.double.projects) == len(world.double.imports) == 1


def test_an_import_that_was_refused_is_tried_again_at_once(world):
    def fault(request):
        refused = request.url.path.endswith("/import")
        return httpx.Response(400, json={"detail": "too large"}) if refused else None

    world.double.fault = fault
    for _ in range(2):
        with pytest.raises(Problem, match=r"answered 400 to POST .*/import: too large"):
            world.source().ask(batch())
    world.double.fault = lambda request: None
    world.source().ask(batch())
    assert world.double.imports == [list(IDS)]


def test_a_task_that_is_there_twice_is_taken_away_unless_somebody_answered_it(world):
    world.source().ask(batch())
    copies = [dict(world.double.tasks[1]), dict(world.double.tasks[2], annotations=[])]
    world.double.tasks |= {4: copies[0] | {"id": 4}, 5: copies[1] | {"id": 5}}
    world.double.tasks[5]["annotations"] = [
        {"completed_by": 1, "updated_at": NOW.isoformat(), "result": []}
    ]
    world.source().ask(batch())
    assert sorted(world.double.tasks) == [1, 2, 3, 5]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (fails(httpx.ConnectError), "does not answer .ConnectError.*labelStudio.url is right"),
        (answers_with(401), "refuses the token .401.*tokenSecretRef"),
        (answers_with(403), "refuses the token .403.*may make projects"),
        (answers_with(500, text="oops"), "answered 500 to GET /api/projects: oops"),
        (answers_with(200, text="<html>"), "not JSON. Is it a Label Studio"),
        (answers_with(302, text="login"), "answered 302"),
        (
            answers_with(200, json={"results": [{"id": "x", "title": "leaves"}]}),
            "cannot be read: .*id.*1.23",
        ),
    ],
)
def test_what_is_wrong_is_told(world, fault, words):
    world.double.fault = fault
    with pytest.raises(Problem, match=words):
        world.source().ask(batch())
    assert world.double.tasks == {}


def test_a_project_with_another_interface_is_refused(world):
    world.source().ask(batch())
    for config in ({}, {"label": {"type": "Choices", "labels": ["yes"]}}):
        world.double.projects[0]["parsed_label_config"] = config
        with pytest.raises(Problem, match=r"another labelling interface.*yes, no"):
            world.source().ask(batch())


def test_pictures_that_lack_a_question_are_told(world):
    world.draw(["a"])
    with pytest.raises(Problem, match=r"pictures\.zip does not hold.*'b\.png'"):
        world.source().ask(batch())
    assert world.double.tasks == {}


def test_what_is_deleted_is_told_and_made_again(world):
    world.source().ask(batch())
    world.source().ask(batch())  # sees them
    del world.double.tasks[2]
    found = world.source().answers(batch())
    assert found.problem == "Tasks were deleted in Label Studio: b. They are made again."
    world.source().ask(batch())
    assert world.double.imports == [list(IDS), ["b"]]
    assert world.source().answers(batch()).problem == ""
    world.source().ask(batch())

    world.double.projects.clear()
    world.double.tasks.clear()
    assert "Project 'leaves' is gone" in world.source().answers(batch()).problem
    world.source().ask(batch())
    assert world.double.imports[2:] == [list(IDS)]


def test_before_the_questions_are_there_nothing_is_wrong(world):
    found = world.source().answers(batch())
    assert (found.labels, found.problem) == ({}, "")


def test_answers_count_by_person_and_the_last_wins(world):
    world.source().ask(batch())
    world.double.annotate("a", "no")
    world.double.annotate("a", "yes", at=5)
    world.double.annotate("b", "no")
    assert world.source().answers(batch()).labels == {"a": "yes", "b": "no"}
    two = world.source(overlap=2)
    assert two.answers(batch()).labels == {}
    world.double.annotate("a", "yes", who=2)
    world.double.annotate("b", "yes", who=2)
    found = two.answers(batch())
    assert found.labels == {"a": "yes"}
    assert "People do not agree on task 2" in found.problem


def test_more_people_are_asked_where_the_first_do_not_agree(world):
    source = world.source(overlap=2)
    source.ask(batch())
    assert world.double.projects[0]["maximum_annotations"] == 2
    for task in world.double.tasks.values():
        task["overlap"] = 2
    world.double.annotate("a", "yes", who=1)
    world.double.annotate("a", "no", who=2)
    for _ in range(3):
        source.ask(batch())
    assert (world.double.tasks[1]["overlap"], world.double.tasks[1]["is_labeled"]) == (3, False)
    world.double.annotate("a", "no", who=3)
    assert source.answers(batch()).labels == {"a": "no"}


def test_those_who_never_agree_are_not_asked_for_ever(world):
    source = world.source(agreement="100%")
    source.ask(batch())
    for who in range(1, 6):
        world.double.annotate("a", KNOWN[who % 2], who=who)
        source.ask(batch())
    assert world.double.tasks[1]["overlap"] == 3


def test_skipped_strange_and_empty_answers_are_told_and_not_counted(world):
    world.source().ask(batch())
    world.double.annotate("a", skipped=True)
    world.double.annotate("b", "maybe")
    world.double.annotate("c", "yes", "no")
    found = world.source().answers(batch())
    assert found.labels == {}
    assert "task 2: maybe; task 3: yes, no. Use one of yes, no." in found.problem
    assert "not answered by anybody: task 1." in found.problem
    world.double.annotate("a", "yes", at=9)
    world.double.annotate("b", "no", at=9)
    world.double.annotate("c", at=9)
    found = world.source().answers(batch())
    assert found.labels == {"a": "yes", "b": "no"}
    assert "task 3: no choice" in found.problem


def test_corrections_of_earlier_batches_of_the_round_come_too(world):
    world.source().ask(batch("a"))
    world.double.annotate("a", "yes")
    second = batch("b", run="leaf-1-r1-b1-query", folder="second")
    world.draw(["b"], "second")
    world.source().ask(second)
    world.double.annotate("a", "no", at=5)
    assert world.source().answers(second).labels == {"a": "no"}
    other = Batch("leaf-1-r2-b2-query", "leaf-1-r2", "round", second.questions)
    assert world.source().answers(other).labels == {}


def test_a_personal_token_is_exchanged_once_a_connection(world):
    seen = []

    def fault(request):
        if request.url.path == "/api/token/refresh":
            return httpx.Response(200, json={"access": "short"})
        seen.append(request.headers["Authorization"])
        return None

    world.double.fault = fault
    world.source(token="aa.bb.cc\n").ask(batch())
    assert set(seen) == {"Bearer short"}
    world.source().ask(batch())
    assert seen[-1] == "Token 0123"


def test_label_studio_is_told_where_to_tell_of_answers(world):
    world.hook = Hook("http://operator/hook", {"X-Secret": "one"})
    for _ in range(3):
        world.source().ask(batch())
    (hook,) = world.double.hooks
    assert (hook["url"], hook["headers"]) == ("http://operator/hook", {"X-Secret": "one"})
    world.hook = Hook("http://operator/hook", {"X-Secret": "two"})
    world.source().ask(batch())
    assert [hook["headers"] for hook in world.double.hooks] == [{"X-Secret": "two"}]
