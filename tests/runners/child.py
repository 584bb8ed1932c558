"""A real child of the local runner that obeys the run-folder protocol; parameters say what it does.

``sleep`` seconds, then ``end``: ``succeed``, ``fail``, or ``die`` (no result).
``trace`` names a file that gets one line for every child that got hold of the lock.
"""

import fcntl
import json
import os
import sys
import time
from pathlib import Path


def main() -> None:
    folder = Path(sys.argv[1])
    run = json.loads((folder / "run.json").read_text())
    wants = run["parameters"]
    lock = (folder / "lock").open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    if (folder / "result.json").exists():
        return
    with Path(wants["trace"]).open("a") as trace:
        trace.write(f"{run['name']} {os.getpid()}\n")
    (folder / "pid").write_text(str(os.getpid()))
    time.sleep(wants["sleep"])
    if wants["end"] == "die":
        os.write(1, b"out of luck\n")
        os.abort()
    result = {"state": "Succeeded", "outputs": {"query.json": "somewhere"}}
    if wants["end"] == "fail":
        result = {
            "state": "Failed",
            "reason": "StepFailed",
            "step": "embed",
            "message": "embed: no samples in the pool",
        }
    draft = folder / "result.draft"
    draft.write_text(json.dumps(result))
    draft.replace(folder / "result.json")


main()
