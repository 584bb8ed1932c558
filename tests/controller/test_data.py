"""Data sets behind credentials: the Secret reaches the run and nothing else."""

import json

from .conftest import condition

SECRET = "q9-very-secret-value"
KEYS = {"AWS_ACCESS_KEY_ID": "orchard", "AWS_SECRET_ACCESS_KEY": SECRET, "password": "not asked"}


def with_credentials(model):
    manifest = model.manifest(labelBudget=4)
    manifest["spec"]["data"]["credentials"] = {"secretRef": {"name": model.name}}
    return manifest


def secret(model, keys):
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": model.name, "namespace": model.namespace},
        "stringData": keys,
    }


def test_credentials_reach_the_run_and_stand_nowhere(shared, model):
    shared.cluster.apply(with_credentials(model))
    said = shared.until_condition("tinymodel", model.name, "Stalled", "RunUnavailable")
    assert f"no Secret {model.name} in the namespace {model.namespace}" in said
    shared.cluster.apply(secret(model, {"password": "x"}))
    shared.until(
        "tinymodel",
        model.name,
        lambda s: "none of the keys AWS_ACCESS_KEY_ID" in condition(s, "Stalled")["message"],
        "a Secret without keys to be named",
    )
    assert model.runs() == []
    shared.cluster.apply(secret(model, KEYS))
    status = shared.until(
        "tinymodel", model.name, lambda s: s.get("latestVersion") == 1, "version 1"
    )
    seen = json.loads((model.pool / "credentials.json").read_text())
    assert seen == {
        "PETIOLE_DATA_AWS_ACCESS_KEY_ID": "orchard",
        "PETIOLE_DATA_AWS_SECRET_ACCESS_KEY": SECRET,
    }
    assert SECRET not in json.dumps(status)
    assert SECRET not in shared.process.log.read_text()
    files = [f for root in (shared.work, shared.store) for f in root.rglob("*") if f.is_file()]
    assert any(f.name == "run.json" for f in files)
    assert [f for f in files if SECRET.encode() in f.read_bytes()] == []
