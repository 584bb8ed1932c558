"""What goes wrong outside is said in a condition: what, where, and what to do. Then it goes on."""

import json
import os
import subprocess

import pytest


def accepted(status):
    return status.get("latestVersion") == 1


@pytest.fixture
def small_store(operator, tmp_path):
    """A store of 256 KiB on a file system of its own."""
    folder = tmp_path / "small"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system takes root")
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, timeout=10).returncode:
        pytest.skip("this environment allows no mounts")
    operator.store = folder
    yield folder
    operator.process.stop()
    subprocess.run(["umount", "-l", str(folder)], check=True, timeout=10)


def test_a_missing_data_set(shared, model):
    (model.pool / "ids.json").rename(model.pool / "gone.json")
    shared.cluster.apply(model.manifest())
    message = shared.until_condition("tinymodel", model.name, "Stalled", "DataMissing")
    assert f"there is no pool at {model.pool}: put the data there" in message


def test_a_failing_step(shared, model):
    model.behave(failing="embed")
    shared.cluster.apply(model.manifest())
    message = shared.until_condition("tinymodel", model.name, "Stalled", "StepFailed")
    assert "step embed of run leaf" in message
    assert "the samples have another shape" in message
    assert "edit the spec to try again" in message
    # Other objects go on.
    name = f"{model.name}-other"
    other = model.manifest() | {"metadata": {"name": name, "namespace": model.namespace}}
    model.behave()
    shared.cluster.apply(other)
    shared.until("tinymodel", name, accepted, "version 1 of the other model")


def test_an_overrunning_step(shared, model):
    model.behave(sleep=600)
    shared.cluster.apply(model.manifest(deadline="1s"))
    message = shared.until_condition("tinymodel", model.name, "Stalled", "DeadlineExceeded")
    assert "longer than 1 s" in message
    assert "spec.learning.deadline" in message


def test_a_key_that_is_none_and_a_lost_file(operator, model):
    good = operator.key.read_bytes()
    operator.key.write_text("no key")
    operator.start()
    operator.cluster.apply(model.manifest(labelBudget=4))
    message = operator.until_condition("tinymodel", model.name, "Stalled", "PackFailed")
    assert str(operator.key) in message
    assert "petiole key new" in message
    # With the key in place, a file that the pipeline promised is missed.
    uid = operator.get("tinymodel", model.name)["metadata"]["uid"]
    (golden,) = (operator.store / "models" / uid).glob("rounds/*/cortex-m4.golden")
    away = golden.rename(golden.with_suffix(".away"))
    operator.key.write_bytes(good)

    def told(status):
        return "cortex-m4.golden is not there" in json.dumps(status["conditions"])

    operator.until("tinymodel", model.name, told, "a condition that names the file")
    away.rename(golden)
    operator.until("tinymodel", model.name, accepted, "version 1")


def test_a_full_store(operator, model, small_store):
    good = operator.key.read_bytes()
    operator.key.write_text("no key")  # holds the round before packing
    operator.start()
    operator.cluster.apply(model.manifest(labelBudget=4))
    operator.until_condition("tinymodel", model.name, "Stalled", "PackFailed")
    filler = small_store / "filler"
    with pytest.raises(OSError, match="No space left"):
        filler.write_bytes(bytes(1_000_000))
    operator.key.write_bytes(good)

    def full(status):
        conditions = {c["type"]: c for c in status["conditions"]}
        return "is full; free some space" in conditions["Stalled"]["message"]

    operator.until("tinymodel", model.name, full, "a condition that names the full disk")
    filler.unlink()
    operator.until("tinymodel", model.name, accepted, "version 1")


def test_missing_labels(shared, model):
    kept = model.labels.read_text()
    model.labels.unlink()
    shared.cluster.apply(model.manifest(labelBudget=4))

    def told(status):
        conditions = {c["type"]: c for c in status.get("conditions", ())}
        return conditions.get("LabelsAvailable", {}).get("status") == "False"

    status = shared.until("tinymodel", model.name, told, "condition LabelsAvailable False")
    message = next(c for c in status["conditions"] if c["type"] == "LabelsAvailable")["message"]
    assert "spec.learning.labels.uri" in message
    model.labels.write_text(kept)
    shared.until("tinymodel", model.name, accepted, "version 1")
