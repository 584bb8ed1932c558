"""A Pod of the Job runner that learns nothing: tests/controller/pipeline.py in place of TensorFlow.

Like ``petiole_pipelines.run_job`` it finds the run in ``PETIOLE_RUN`` and leaves its result in the
store.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlparse

PIPELINE = Path(__file__).parents[1] / "controller" / "pipeline.py"


def main():
    parameters = json.loads(os.environ["PETIOLE_RUN"])["parameters"]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "run.json").write_text(os.environ["PETIOLE_RUN"])
        subprocess.run([sys.executable, PIPELINE, folder], check=True)
        result = Path(folder, "result.json").read_text()
    store = Path(urlparse(parameters["store_uri"]).path)
    (store / parameters["output_path"]).mkdir(parents=True, exist_ok=True)
    (store / parameters["output_path"] / "result.json").write_text(result)


main()
