"""What the operator creates is its own: nothing that a GitOps tool would take for its own."""

from __future__ import annotations

from petiole.runners.base import RunKey
from petiole.runners.job_body import JobTemplate, job_body

KEY = RunKey("digits-0a1b2c3d-r1-b0-query", "orchard", "digits", "0a1b2c3d-1111", "models/x")
DATA = {"pool_uri": "file:///data/pool", "evaluation_uri": "pvc://orchard/evaluation"}
RUN = {
    "name": KEY.name,
    "pipeline": "learning_round",
    "parameters": DATA,
    "deadlineSeconds": 60,
}


def test_a_job_goes_with_its_model_and_is_tracked_by_nobody_else() -> None:
    job = job_body(KEY, RUN, JobTemplate("localhost/pipelines:1"))
    (owner,) = job["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("TinyModel", KEY.model, KEY.uid)
    assert owner["controller"]
    pod = job["spec"]["template"]["metadata"]
    for meta in (job["metadata"], pod):
        marks = {**meta["labels"], **meta["annotations"]}
        assert set(marks) == {
            "app.kubernetes.io/name",
            "app.kubernetes.io/managed-by",
            "petiole.dev/model-uid",
            "petiole.dev/run",
        }
