"""The Job runner: what a Job says, and what the real Job controller does with it."""

import json

import pytest

from petiole.controller.problem import Problem
from petiole.runners import job_body as body_module
from petiole.runners.base import Credentials, RunKey, RunnerError
from petiole.runners.job import JobRunner
from petiole.runners.job_body import JobTemplate, job_body, job_name
from tests.pipelines.conftest import LEARNING
from tests.runners.worlds import until

KEY = RunKey("leaf-0f5c1e52-r1-b0-query", "orchard", "leaf", "uid-1", "models/uid-1/rounds/x")
DOCUMENT = {
    "name": KEY.name,
    "parameters": {"pool_uri": "pvc://photos.2026/pool", "evaluation_uri": "pvc://photos.2026/e"},
    "deadlineSeconds": 90.5,
}
POD = {
    "metadata": {"labels": {"team": "orchard"}},
    "spec": {
        "serviceAccountName": "pipelines",
        "volumes": [{"name": "store", "emptyDir": {}}],
        "containers": [
            {"name": "watcher", "image": "watcher:1"},
            {
                "name": "pipeline",
                "image": "another:1",
                "resources": {"limits": {"memory": "1Gi"}},
                "env": [{"name": "A", "value": "1"}],
                "volumeMounts": [{"name": "store", "mountPath": "/store"}],
            },
        ],
    },
}


@pytest.fixture
def made():
    credentials = Credentials("camera", {"AWS_ACCESS_KEY_ID": "hidden"})
    return job_body(KEY, DOCUMENT, JobTemplate("pipelines:1", POD), credentials)


def test_a_job_belongs_to_its_model_and_is_tried_once(made):
    (owner,) = made["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("TinyModel", "leaf", "uid-1")
    spec = made["spec"]
    assert (spec["backoffLimit"], spec["template"]["spec"]["restartPolicy"]) == (0, "Never")
    assert spec["activeDeadlineSeconds"] == 151  # the child's own deadline comes first
    assert spec["ttlSecondsAfterFinished"] > 0


def test_the_template_says_what_pods_have_in_common(made):
    pod = made["spec"]["template"]
    assert pod["metadata"]["labels"]["team"] == "orchard"
    assert pod["spec"]["serviceAccountName"] == "pipelines"
    pipeline, watcher = pod["spec"]["containers"]
    assert watcher == {"name": "watcher", "image": "watcher:1"}
    assert pipeline["image"] == "pipelines:1"
    assert pipeline["resources"] == {"limits": {"memory": "1Gi"}}
    assert json.loads({e["name"]: e.get("value") for e in pipeline["env"]}["PETIOLE_RUN"]) == (
        DOCUMENT
    )
    assert pipeline["env"][0] == {"name": "A", "value": "1"}
    assert POD["spec"]["containers"][1]["image"] == "another:1"  # the template itself stays


def test_what_the_template_says_of_traces_goes_before_what_the_operator_does():
    template = JobTemplate("pipelines:1", POD)
    plain, traced = (job_body(KEY, DOCUMENT, template, None, v) for v in ({}, {"A": "2", "B": "3"}))
    container, other = (b["spec"]["template"]["spec"]["containers"][0] for b in (traced, plain))
    entries = container.pop("env")
    assert {e["name"]: e["value"] for e in entries} == {  # of two of a name the last one counts
        e["name"]: e["value"] for e in other.pop("env")
    } | {"A": "1", "B": "3"}
    assert traced == plain  # name and all else


def test_claims_are_mounted_once_and_secrets_named_only(made):
    spec = made["spec"]["template"]["spec"]
    volume = spec["volumes"][1]
    assert volume["persistentVolumeClaim"] == {"claimName": "photos.2026"}
    mount = spec["containers"][0]["volumeMounts"][1]
    assert mount["name"] == volume["name"]
    assert (mount["mountPath"], mount["readOnly"]) == ("/var/run/petiole/claims/photos.2026", True)
    secret = spec["containers"][0]["env"][-1]
    assert secret["name"] == "PETIOLE_DATA_AWS_ACCESS_KEY_ID"
    assert secret["valueFrom"]["secretKeyRef"] == {"name": "camera", "key": "AWS_ACCESS_KEY_ID"}
    assert "hidden" not in json.dumps(made)


def test_names_fit_and_differ():
    long = "l" * 60
    assert job_name("leaf-r1") == "leaf-r1"
    assert job_name("apple.leaf-r1") != job_name("apple-leaf-r1")
    names = {job_name(f"{long}-r1-train{end}") for end in ("", "-a2", "-a3")}
    assert len(names) == 3
    assert all(len(name) <= 63 and name[0] == "l" for name in names)


def test_a_pod_that_never_gets_a_node_is_ended_by_the_job_controller(job, monkeypatch):
    monkeypatch.setattr(body_module, "_GRACE", 0.0)
    job.kubelet.sees = False
    try:
        job.start(deadline=1.0)
        run = job.until_over(seconds=60)
    finally:
        job.kubelet.sees = True
    assert run.reason == "DeadlineExceeded"
    assert "scheduled" in run.message
    assert job.begun() == []


def test_a_job_of_somebody_else_is_not_taken_for_the_run(job):
    name = job_name(job.key().name)
    container = {"name": "c", "image": "i"}
    pod = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}}
    job.jobs.create(job.namespace, body | {"spec": {"suspend": True, "template": pod}})
    with pytest.raises(RunnerError, match="somebody else"):
        job.start()
    job.jobs.delete(job.namespace, name)


def test_a_job_goes_with_its_time_to_live_and_the_result_stays(job):
    job.start()
    before = job.until_over()
    job.vanish()
    assert job.find() == before


def test_a_jobs_owner_is_known_to_the_api_server(job):
    job.behave(sleep=600)
    job.start()
    owner = job.jobs.get(job.namespace, job_name(job.key().name))["metadata"]["ownerReferences"][0]
    found = job.cluster.get("tinymodel", owner["name"], job.namespace)
    assert found["metadata"]["uid"] == owner["uid"]


class Away:
    def get(self, namespace, name):
        raise Problem("The API server does not answer.")


def test_an_api_server_that_is_away_starts_nothing(local):
    local.runner = JobRunner(Away(), local.store, JobTemplate("pipelines:1"))
    for call in (local.find, local.start, lambda: local.runner.cancel(local.key())):
        with pytest.raises(Problem, match="does not answer"):
            call()
    local.restart()
    assert local.begun() == []


@pytest.mark.long
@pytest.mark.timeout(400)
def test_the_genuine_command_runs_the_genuine_pipeline(job, tmp_path):
    """As on a node, but by hand: the Job's own command and environment, on digits."""
    import sys

    from hack.demo import data

    digits = data.prepare(tmp_path / "digits")
    task = {"type": "ImageClassification", "labels": list(data.LABELS)}
    shape = {"input": {"height": 8, "width": 8, "channels": 1}}
    key = job.key()
    given = job.parameters(key) | {
        "pool_uri": digits.pool_uri,
        "evaluation_uri": digits.evaluation_uri,
        "task": json.dumps(task | shape),
        "learning": json.dumps(LEARNING),
    }
    programs = job.kubelet.programs
    command = ("python", "-m", "petiole_pipelines.run_job")
    played, programs[command] = programs[command], (sys.executable, *command[1:])
    try:
        job.runner.start(key, "learning_round", given, 300.0)
        until(lambda: job.find().state != "Running", "the run", seconds=350)
    finally:
        programs[command] = played
    run = job.find()
    assert run.state == "Succeeded", run
    assert len(job.store.get_json(run.outputs["query.json"])["queries"]) == 20
