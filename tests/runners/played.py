"""A pipeline that learns nothing, in the genuine children of the runners and of the KFP double.

``python played.py local RUN_FOLDER``, ``... job`` (the run in PETIOLE_RUN) or ``... kfp
PARAMETERS``. ``behaviour.json`` beside the pool says what it does: ``sleep`` seconds, then ``end``:
``succeed``, ``fail`` with a step's reason, or ``die``. Each time it begins, ``trace`` there gets a
line.
"""

import json
import os
import sys
import time
from pathlib import Path
from urllib.parse import urlparse

from petiole_pipelines import run_job, run_local
from petiole_pipelines.errors import StepError, step
from petiole_pipelines.store import Store


@step
def embed(pool):
    with (pool / "trace").open("a") as trace:
        trace.write(f"{os.getpid()}\n")
    behaviour = json.loads((pool / "behaviour.json").read_text())
    time.sleep(behaviour["sleep"])
    if behaviour["end"] == "fail":
        raise StepError("NoLabels", "no sample has a label yet")
    if behaviour["end"] == "die":
        os.write(1, b"out of luck\n")
        os.abort()


def play(_folder, parameters):
    embed(Path(urlparse(parameters["pool_uri"]).path))
    path = f"{parameters['output_path']}/query.json"
    Store(parameters["store_uri"]).put_json(path, {"queries": []})
    return path


run_local._run_pipeline = play

if __name__ == "__main__":
    if sys.argv[1] == "local":
        sys.exit(run_local.main(Path(sys.argv[2])))
    if sys.argv[1] == "job":
        sys.exit(run_job.main(os.environ[run_job.RUN]))
    play(None, json.loads(sys.argv[2]))
