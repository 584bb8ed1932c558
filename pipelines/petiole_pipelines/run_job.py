"""``python -m petiole_pipelines.run_job``: one pipeline run in a Pod of its own.

``PETIOLE_RUN`` holds what stands in a local run's ``run.json``. How the run ended goes to the
store, ``result.json`` below ``output_path``, as the Pod's disk goes with the Pod; the first one
written stays, so a run that the operator cancelled stays cancelled.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from . import run_local
from .errors import StepError
from .store import Store

RUN = "PETIOLE_RUN"


def main(text: str) -> int:
    """Run what ``text`` says; return run_local's exit code."""
    # The first process of a Pod is not ended by a signal that it does not ask for.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(128 + signal.SIGTERM))
    parameters = json.loads(text)["parameters"]

    def publish(result: dict[str, Any]) -> None:
        try:
            store = Store(parameters["store_uri"])
            store.create_json(f"{parameters['output_path']}/result.json", result)
        except StepError as error:
            print(f"the result cannot be stored: {error}", flush=True)  # noqa: T201 - the Pod's log

    with tempfile.TemporaryDirectory(prefix="petiole-run-") as folder:
        Path(folder, "run.json").write_text(text, encoding="utf-8")
        return run_local.main(Path(folder), publish)


if __name__ == "__main__":
    if RUN not in os.environ:
        sys.exit(f"{RUN} is not set: the operator's Job runner does it")
    sys.exit(main(os.environ[RUN]))
