"""The KFP runner: races, faults of the server, kills at each write, and what a run carries."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from petiole.controller.problem import Problem
from petiole.runners import kfp_api
from petiole.runners.base import Credentials, RunnerError
from petiole.runners.kfp import KfpRunner
from petiole.runners.kfp_api import KfpApi, KfpServer
from petiole.runners.kfp_spec import KfpTemplate, arguments, run_spec
from tests.runners.kfp_double import JSONResponse, sign_in_page
from tests.runners.worlds import World, until


class Full:
    """A store that is full: whatever is written fails."""

    def __init__(self, store):
        self._store = store

    def get_json(self, path):
        return self._store.get_json(path)

    def create_json(self, path, document):
        raise Problem("the store is full")


def with_full_store(kfp):
    return KfpRunner(KfpApi(KfpServer(kfp.double.url)), Full(kfp.store), kfp.template)


def test_of_two_runs_of_a_name_the_oldest_is_the_run(kfp):
    kfp.behave(sleep=600)
    kfp.start()
    (first,) = kfp.double.runs.values()
    first.created_at = (datetime.now(UTC) - timedelta(seconds=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    key = kfp.key()
    KfpApi(KfpServer(kfp.double.url)).create(
        key.name,
        experiment="orchard.leaf",
        description="",
        spec=run_spec(kfp.template, key, kfp.parameters(key), 60.0),
        arguments=arguments(kfp.template, kfp.parameters(key)),
    )
    assert kfp.find().state == "Running"
    states = {run.id == first.id: run.look() for run in kfp.double.runs.values()}
    assert states == {True: "RUNNING", False: "FAILED"}


def test_an_answer_that_is_lost_makes_no_second_run(kfp):
    """The server carries out each write, and the operator hears nothing of it."""
    for _ in range(2):  # the experiment, the run
        kfp.double.lose_next = 1
        with pytest.raises(RunnerError, match="502"):
            kfp.start()
        kfp.restart()
    kfp.start()
    assert kfp.until_over().state == "Succeeded"
    assert len(kfp.double.runs) == len(kfp.begun()) == 1


def test_a_kill_before_the_record_makes_no_second_run(kfp):
    kfp.runner = with_full_store(kfp)
    with pytest.raises(Problem):
        kfp.start()
    kfp.restart()
    assert kfp.find() is not None
    kfp.start()
    assert kfp.until_over().state == "Succeeded"
    assert len(kfp.begun()) == 1


def test_a_kill_between_ending_a_run_and_saying_so_loses_no_reason(kfp):
    kfp.behave(sleep=600)
    kfp.start(deadline=0.5)
    kfp.until_begun()
    kfp.runner = with_full_store(kfp)

    def ended():
        try:
            kfp.find()
        except Problem:
            return True
        return False

    until(ended, "the deadline")
    kfp.restart()
    assert kfp.until_over().reason == "DeadlineExceeded"


def test_a_run_that_somebody_terminates_is_canceled(kfp):
    kfp.behave(sleep=600)
    kfp.start()
    kfp.until_begun()
    api = KfpApi(KfpServer(kfp.double.url))
    (run,) = api.named(kfp.key().name)
    api.terminate(run)
    found = kfp.until_over()
    assert (found.reason, found.message) == ("Canceled", f"Run {run.id} was terminated in KFP.")
    api.terminate(run)  # 400: it is over


def test_a_result_outlives_its_run(kfp):
    kfp.start()
    before = kfp.until_over()
    kfp.double.delete(kfp.key().name)
    assert kfp.find() == before


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (JSONResponse({"error": "database is gone"}, 503), "503.*database is gone.*again"),
        (JSONResponse({"error": "no"}, 401), "401.*--kfp-token-file"),
        (JSONResponse({"error": "no"}, 404), "404.*--kfp-url"),
        (sign_in_page(), "text/html.*sign-in page"),
        (JSONResponse({"runs": [{"run_id": 7, "created_at": "never"}]}), "cannot be read"),
    ],
    ids=["503", "401", "404", "sign-in", "nonsense"],
)
def test_a_server_that_refuses_is_named_and_starts_nothing(kfp, answer, words):
    kfp.double.answer_with = answer
    for call in (kfp.find, kfp.start, lambda: kfp.runner.cancel(kfp.key())):
        with pytest.raises(RunnerError, match=words):
            call()
    kfp.double.answer_with = None
    assert kfp.find() is None
    assert kfp.double.runs == {}


def test_a_server_that_hangs_or_is_away_is_named(kfp, monkeypatch):
    monkeypatch.setattr(kfp_api, "_TIMEOUT", (0.3, 0.3))
    kfp.double.delay = 2.0
    with pytest.raises(RunnerError, match=r"does not answer.*Timeout"):
        kfp.find()
    gone = KfpApi(KfpServer("http://127.0.0.1:1"))
    with pytest.raises(RunnerError, match="--kfp-url"):
        gone.named("leaf")


def test_a_pipeline_of_another_version_is_named(kfp):
    key = kfp.key()
    with pytest.raises(RunnerError, match=r"400.*unknown parameter colour"):
        kfp.runner.start(
            key, "learning_round", kfp.parameters(key) | {"colour": "red"}, deadline_seconds=60.0
        )


def test_the_token_is_read_for_each_call(kfp, tmp_path):
    token = tmp_path / "token"
    kfp.restart(token_file=token)
    with pytest.raises(RunnerError, match="--kfp-token-file"):
        kfp.find()
    for text in ("one", "two"):
        token.write_text(f"{text}\n")
        kfp.find()
        assert kfp.double.requests[-1][2] == f"Bearer {text}"


# --- what a run carries -------------------------------------------------------------------------


@pytest.fixture
def carried(tmp_path, documents):
    world = World(tmp_path)
    key = world.key()
    given = world.parameters(key) | {"pool_uri": "pvc://photos/pool"}
    template = KfpTemplate(documents, "registry.example/pipelines@sha256:0", "store")
    credentials = Credentials("camera", {"AWS_SECRET_ACCESS_KEY": "hidden"})
    return run_spec(template, key, given, 90.5, credentials)


def tasks(part):
    """All that has cachingOptions, wherever it stands."""
    if isinstance(part, dict):
        if "componentRef" in part:
            yield part
        for inner in part.values():
            yield from tasks(inner)


def test_no_task_is_cached_also_within_conditions_and_loops(carried, documents):
    names = {task["componentRef"]["name"] for task in tasks(carried["pipeline_spec"])}
    steps = ("embed", "teacher", "select", "student", "compress", "judge")
    assert {f"comp-{step}" for step in steps} <= names
    assert all(not task.get("cachingOptions") for task in tasks(carried["pipeline_spec"]))
    assert any(task.get("cachingOptions") for task in tasks(documents[0]))  # the template's stay


def test_every_step_has_image_folder_limit_and_secrets_but_no_value(carried):
    executors = carried["pipeline_spec"]["deploymentSpec"]["executors"]
    platform = carried["platform_spec"]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert set(platform) == set(executors)
    for name, executor in executors.items():
        container, limits = executor["container"], platform[name]
        assert container["image"] == "registry.example/pipelines@sha256:0"
        told = {entry["name"]: entry["value"] for entry in container["env"]}
        assert told["PETIOLE_RUN_OUTPUT"].startswith("models/")
        assert limits["activeDeadlineSeconds"] == "91"
        (store,), (camera,) = limits["secretAsVolume"], limits["secretAsEnv"]
        assert (store["secretName"], camera["secretName"]) == ("store", "camera")
        assert (store["mountPath"], store["optional"]) == ("/var/run/petiole/store", True)
        assert camera["keyToEnv"] == [
            {"secretKey": "AWS_SECRET_ACCESS_KEY", "envVar": "PETIOLE_DATA_AWS_SECRET_ACCESS_KEY"}
        ]
        (mount,) = limits["pvcMount"]
        assert mount["mountPath"] == "/var/run/petiole/claims/photos"
    assert "hidden" not in json.dumps(carried)


def test_lists_are_given_as_lists_and_texts_as_texts(documents):
    given = {"targets": '[{"name": "m4"}]', "task": '{"labels": []}', "seed": 3}
    expected = {"targets": [{"name": "m4"}], "task": '{"labels": []}', "seed": 3}
    assert arguments(KfpTemplate(documents), given) == expected
