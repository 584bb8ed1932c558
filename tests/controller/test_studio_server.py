"""Labels from a real Label Studio. It starts in 40 seconds, so these tests are long."""

import json
import queue
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest

from hack.testbed.labelstudio import LabelStudio
from hack.testbed.waits import wait_until
from petiole.api.learning import LabelStudio as LabelStudioSpec
from petiole.controller.labels.source import Batch, Question
from petiole.controller.labels.studio import Hook, Studio
from petiole.controller.labels.studio_client import StudioClient
from petiole.controller.problem import Problem
from petiole.controller.store import Store
from petiole_pipelines import pictures
from tests.controller.broken_line import Break, BrokenLine

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]
KNOWN = ("yes", "no")
IDS = ("a", "b/1", "c", "d", "e")
TITLE = "Leaves of the test"
PATIENCE = 600  # seconds; a server on busy cores is slow


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    with LabelStudio(tmp_path_factory.mktemp("studio")) as running:
        yield running


def source(studio, folder, *, token="", hook=None, **spec):
    described = LabelStudioSpec(
        url=studio.url, token_secret_ref={"name": "s", "key": "t"}, **{"project": TITLE} | spec
    )
    token = token or studio.token
    store = Store(folder.as_uri())
    return Studio(
        described,
        KNOWN,
        store,
        lambda: StudioClient(studio.url, token),
        lambda: datetime.now(UTC),
        hook,
    )


def listen(calls):
    """Put the secret of every call that comes into the queue; returns the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            calls.put(self.headers["X-Secret"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def test_questions_go_to_people_and_their_answers_come_back(studio, tmp_path):
    (tmp_path / "round").mkdir()
    x = np.arange(5 * 48, dtype=np.uint8).reshape(5, 4, 4, 3)
    (tmp_path / "round" / "pictures.zip").write_bytes(pictures.pack(x, IDS))
    questions = (*(Question(id_, "yes", 0.7) for id_ in IDS[:4]), Question("e"))
    batch = Batch("leaf-1-r1-b0-query", "leaf-1-r1", "round", questions)
    with pytest.raises(Problem, match=r"refuses the token \(401"):
        source(studio, tmp_path, token="0" * 40).ask(batch)

    calls = queue.Queue()
    asking = source(studio, tmp_path, overlap=2, hook=Hook(listen(calls), {"X-Secret": "s3cret"}))
    asking.ask(batch)
    asking.ask(batch)
    (project,) = studio.projects(TITLE)
    tasks = studio.tasks(project)
    number = {task["data"]["sample"]: task["id"] for task in tasks}
    assert sorted(number) == sorted(IDS)
    assert len(tasks) == 5
    assert {task["overlap"] for task in tasks} == {2}
    shown = {
        task["data"]["sample"]: [
            (p["score"], p["result"][0]["value"]["choices"]) for p in task["predictions"]
        ]
        for task in tasks
    }
    assert shown == {id_: [(0.7, ["yes"])] for id_ in IDS[:4]} | {"e": []}

    other = studio.user("other")
    first = studio.annotate(number["a"], ["no"])
    assert calls.get(timeout=PATIENCE) == "s3cret"  # somebody has answered, says Label Studio
    studio.annotate(number["a"], ["yes"], by=other)
    studio.annotate(number["b/1"], ["no"])
    studio.annotate(number["b/1"], ["no"], by=other)
    studio.annotate(number["c"], ["maybe"])
    studio.annotate(number["d"], [], skipped=True)
    found = asking.answers(batch)
    assert found.labels == {"b/1": "no"}
    assert f"task {number['c']}: maybe. Use one of yes, no." in found.problem
    assert f"do not agree on task {number['a']};" in found.problem
    assert f"not answered by anybody: task {number['d']}." in found.problem
    asking.ask(batch)
    again = next(task for task in studio.tasks(project) if task["id"] == number["a"])
    assert (again["overlap"], again["is_labeled"]) == (3, False)
    studio.correct(first, ["yes"])
    assert asking.answers(batch).labels == {"a": "yes", "b/1": "no"}

    studio.ask("DELETE", f"/api/tasks/{number['e']}")
    assert "Tasks were deleted in Label Studio: e." in asking.answers(batch).problem
    asking.ask(batch)
    remade = [task["id"] for task in studio.tasks(project) if task["data"]["sample"] == "e"]
    assert len(remade) == 1

    personal = studio.ask("POST", "/api/token/", json={})["token"]
    wider = source(studio, tmp_path, token=personal, overlap=2)
    assert wider.answers(batch).labels == {"a": "yes", "b/1": "no"}
    strange = Studio(
        wider._spec, ("yes", "no", "other"), wider._store, wider._connect, wider._clock
    )
    with pytest.raises(Problem, match="another labelling interface"):
        strange.ask(batch)

    asking.ask(batch)
    studio.ask("DELETE", f"/api/projects/{project}")
    assert f"Project '{TITLE}' is gone" in asking.answers(batch).problem
    asking.ask(batch)
    (new,) = studio.projects(TITLE)
    assert len(studio.tasks(new)) == 5


def test_an_operator_killed_while_it_makes_tasks_makes_none_twice(studio, operator, model):
    """From the first query to a version; a person answers, the operator dies at five calls."""
    title = f"Kills of {model.name}"
    with BrokenLine(studio.url, operator.kill) as line:
        project, task = r"POST /api/projects", r"POST /api/projects/\d+/import.*"
        line.breaks = [
            Break(project, "before"),
            Break(project, "after"),
            Break(task, "before"),
            Break(task, "during"),
            Break(task, "after"),
        ]
        labels = {
            "source": "LabelStudio",
            "labelStudio": {
                "url": line.url,
                "tokenSecretRef": {"name": "label-studio", "key": "token"},
                "project": title,
            },
        }
        operator.cluster.kubectl(
            *("create", "secret", "generic", "label-studio", "-n", operator.namespace),
            f"--from-literal=token={studio.token}",
        )
        operator.start()
        operator.cluster.apply(model.manifest(labels=labels))
        with Person(studio, title) as person:
            for left in range(len(line.breaks), 0, -1):
                wait_until(line.killed.is_set, PATIENCE, f"a kill, {left} to come")
                line.killed.clear()
                operator.start()
            done = lambda status: status.get("latestVersion") == 1  # noqa: E731
            status = operator.until("tinymodel", model.name, done, "version 1", PATIENCE)
    assert status["labels"]["spent"] == 8
    assert sorted(line.imported) == sorted({*line.imported})
    (number,) = studio.projects(title)
    samples = [task["data"]["sample"] for task in studio.tasks(number)]
    assert sorted(samples) == sorted(line.imported)
    assert len(samples) == 8
    uid = operator.get("tinymodel", model.name)["metadata"]["uid"]
    kept = json.loads((operator.store / f"models/{uid}/labels.json").read_text())
    assert kept == {sample: person.opinion(sample) for sample in samples}


class Person:
    """Answers every task that is there, in a thread of their own."""

    def __init__(self, studio, title):
        self._studio, self._title = studio, title
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(timeout=60)

    def opinion(self, sample):
        return KNOWN[int(sample.removeprefix("s")) % 2]

    def _work(self):
        while not self._stop.wait(2.0):
            for project in self._studio.projects(self._title):
                for task in self._studio.tasks(project):
                    if not task["annotations"]:
                        self._studio.annotate(task["id"], [self.opinion(task["data"]["sample"])])
