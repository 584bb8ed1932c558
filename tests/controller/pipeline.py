"""A child of the local runner that keeps its contract without learning anything.

It reads and writes the same places as the real pipeline. ``behaviour.json`` beside the pool says
how: ``sleep`` seconds, ``failing`` step, ``accuracy``, size of the model in ``blocks`` of 32 bytes;
or ``made``, a path without suffix of a real ``.model``, its ``.golden`` and its ``.json``.
Every child that takes its run's lock adds a line to ``trace`` beside the pool, and leaves there
what it may open the data with.
"""

import base64
import fcntl
import hashlib
import json
import os
import shutil
import sys
import time
import zipfile
from pathlib import Path
from urllib.parse import urlparse

OUTPUTS = 12  # features of a model without classes
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
)


def path_of(uri):
    return Path(urlparse(uri).path)


def main(folder):
    run = json.loads((folder / "run.json").read_text())
    lock = (folder / "lock").open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    if (folder / "result.json").exists():
        return
    (folder / "pid").write_text(str(os.getpid()))
    parameters = run["parameters"]
    finish(folder, traced(work)(run["name"], parameters, path_of(parameters["pool_uri"])))


def work(name, parameters, pool):
    if not (pool / "ids.json").exists():
        return failed("DataMissing", "embed", f"there is no pool at {pool}: put the data there")
    with (pool / "trace").open("a") as trace:
        trace.write(f"{name}\n")
    secrets = {key: value for key, value in os.environ.items() if key.startswith("PETIOLE_DATA_")}
    (pool / "credentials.json").write_text(json.dumps(secrets))
    behaviour = json.loads((pool / "behaviour.json").read_text())
    time.sleep(behaviour["sleep"])
    if behaviour["failing"]:
        return failed("StepFailed", behaviour["failing"], "the samples have another shape")
    store, output = path_of(parameters["store_uri"]), parameters["output_path"]
    (store / output).mkdir(parents=True, exist_ok=True)
    if parameters["phase"] == "Query":
        name, document = "query.json", query(store, parameters, pool)
        draw(store / output / "pictures.zip", document["queries"])
    else:
        name, document = "candidate.json", train(store, parameters, behaviour)
    (store / output / name).write_text(json.dumps(document))
    return {"state": "Succeeded", "outputs": {name: f"{output}/{name}"}}


def traced(function):
    """A step of a trace, as each of the real pipeline is."""
    if "TRACEPARENT" not in os.environ:
        return function
    from petiole_pipelines.errors import step

    return step(function)


def failed(reason, step, message):
    return {"state": "Failed", "reason": reason, "step": step, "message": message}


def labelled(store, parameters):
    labels = store / parameters["labels_path"]
    return json.loads(labels.read_text()) if labels.exists() else {}


def query(store, parameters, pool):
    known = labelled(store, parameters)
    batch = json.loads(parameters["learning"])["batchSize"]
    ids = json.loads((pool / "ids.json").read_text())
    chosen = [i for i in ids if i not in known][:batch]
    guess = {"guess": "yes", "confidence": 0.75} if known else {}
    return {
        "pool": len(ids),
        "labelled": len(known),
        "teacherAccuracy": 0.9,
        "queries": [{"id": i, "why": "Margin", "score": 0.5} | guess for i in chosen],
    }


def draw(path, queries):
    """A picture of one grey pixel for every question."""
    with zipfile.ZipFile(path, "w") as archive:
        for asked in queries:
            archive.writestr(f"{asked['id']}.png", base64.b64decode(PIXEL))


def searched(behaviour):
    """A student that was searched, with a front of one point."""
    front = {"network": "Plain 6", "flash": 3072, "arena": 512, "instructions": 61234}
    return {
        "accuracy": behaviour["accuracy"],
        "network": "Plain 8",
        "choice": "Plain 8 is the best of 2",
        "flash": 4096,
        "instructions": 90000,
        "front": [front | {"accuracy": 0.9321, "steps": 500}],
    }


def train(store, parameters, behaviour):
    task, output = json.loads(parameters["task"]), parameters["output_path"]
    shape = task["input"]
    figures, outputs = searched(behaviour), len(task["labels"])
    if parameters["phase"] == "Detect":
        figures, outputs = detector(behaviour), OUTPUTS
    pair = shape["height"] * shape["width"] * shape["channels"] + outputs
    known = labelled(store, parameters)
    seed = hashlib.sha256(json.dumps(known, sort_keys=True).encode()).digest()
    variants, references = [], {}
    for target in json.loads(parameters["targets"]):
        base = f"{output}/{target['name']}"
        needs = {"bytes": 32 * behaviour["blocks"], "arena": 1024, "ops": 7}
        if behaviour.get("made"):
            made = Path(behaviour["made"])
            needs = json.loads(made.with_suffix(".json").read_text())
            shutil.copy(made.with_suffix(".model"), store / f"{base}.model")
            shutil.copy(made.with_suffix(".golden"), store / f"{base}.golden")
        else:
            (store / f"{base}.model").write_bytes(seed * behaviour["blocks"])
            (store / f"{base}.golden").write_bytes(bytes(pair) * 4)
        files = {"model": f"{base}.model", "golden": f"{base}.golden"}
        variants.append({"target": target["name"], **files, **needs, **figures})
        references[target["name"]] = {
            "count": 100,
            "confidence": [0] * 15 + [100],
            "classes": [50, 50],
            "confidenceSum": 24000,
            "confidenceSquares": 5760000,
            "inputSum": 12800,
        }
    (store / f"{output}/reference.json").write_text(json.dumps(references))
    return {
        "pool": 20,
        "labelled": len(known),
        "teacherAccuracy": 0.95,
        "variants": variants,
        "reference": f"{output}/reference.json",
    }


def detector(behaviour):
    """What a variant without classes has; ``accuracy`` stands for its F1."""
    policy = {"kind": "Distance", "outputs": OUTPUTS, "threshold": 90.5, "release": 45.25}
    return {
        "f1": behaviour["accuracy"],
        "falseAlarms": 0.05,
        "detector": policy | {"inputs": 391},
        "runs": [{"run": "bed/1", "baselineDrifted": True}],
    }


def finish(folder, result):
    draft = folder / "result.draft"
    draft.write_text(json.dumps(result))
    draft.replace(folder / "result.json")


main(Path(sys.argv[1]))
