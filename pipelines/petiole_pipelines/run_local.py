"""``python -m petiole_pipelines.run_local RUN_FOLDER``: one pipeline run on this machine.

The child process of the local runner; docs/architecture.md, "Pipeline runs", is the contract. It
owns its session, so it outlives whoever started it, and it ends itself at its deadline.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from .errors import ERROR_FILE, RUN_FOLDER, STEP_FILE

Publish = Callable[[dict[str, Any]], None]
OUTPUT = {"Query": "query.json", "Train": "candidate.json", "Detect": "candidate.json"}


@dataclass(slots=True)
class LocalRun:
    """A run folder whose lock this process holds. The first result written is the result."""

    folder: Path
    publish: Publish | None = None  # tells others how the run ended
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    _once: threading.Lock = field(default_factory=threading.Lock)

    def succeed(self, outputs: dict[str, str]) -> None:
        self._finish({"state": "Succeeded", "reason": "", "step": "", "message": ""}, outputs)

    def fail(self, reason: str, step: str, message: str) -> None:
        self._finish({"state": "Failed", "reason": reason, "step": step, "message": message}, {})

    def current_step(self) -> str:
        """Name of the step that began last."""
        return self._text(STEP_FILE) or "start"

    def cause(self) -> dict[str, str] | None:
        """Read what the failing step left: step, reason, message."""
        text = self._text(ERROR_FILE)
        return None if text is None else dict(json.loads(text))

    def _text(self, name: str) -> str | None:
        try:
            return (self.folder / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def _finish(self, document: dict[str, Any], outputs: dict[str, str]) -> None:
        with self._once:
            target = self.folder / "result.json"
            if target.exists():
                return
            document |= {
                "outputs": outputs,
                "startedAt": self.started.isoformat(),
                "finishedAt": datetime.now(UTC).isoformat(),
            }
            partial = target.with_name(f".{target.name}.{os.getpid()}")
            partial.write_text(json.dumps(document, indent=1), encoding="utf-8")
            partial.replace(target)
            if self.publish is not None:
                self.publish(document)


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Hold the folder's lock; False when another process holds it."""
    with (folder / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def main(folder: Path, publish: Publish | None = None) -> int:
    """Run what ``run.json`` says; return the exit code: 0 succeeded, 1 failed, 2 nothing to do."""
    document = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    with _locked(folder) as mine:
        if not mine or (folder / "result.json").exists():
            return 2
        if os.getpgrp() != os.getpid():
            os.setsid()
        (folder / "pid").write_text(str(os.getpgrp()), encoding="utf-8")
        run = LocalRun(folder, publish)
        _watch(run, float(document["deadlineSeconds"]))
        return _execute(run, document["parameters"])


def _execute(run: LocalRun, parameters: dict[str, Any]) -> int:
    os.environ[RUN_FOLDER] = str(run.folder)
    try:
        output = _run_pipeline(run.folder, parameters)
    except Exception as error:  # noqa: BLE001 - whatever it was, the folder must say so
        print(f"run failed: {error}", flush=True)  # noqa: T201 - the log is what we print
        cause = run.cause() or _words(run, error)
        run.fail(cause["reason"], cause["step"], cause["message"])
        return 1
    run.succeed({output.rsplit("/", 1)[1]: output})
    return 0


def _run_pipeline(folder: Path, parameters: dict[str, Any]) -> str:
    """Run the pipeline to its end; return the store path of the document that it wrote."""
    phase = parameters["phase"]
    if phase not in OUTPUT:
        raise ValueError(f"phase is {phase!r}, must be one of {', '.join(OUTPUT)}")
    targets = json.loads(parameters["targets"])
    from kfp import local  # noqa: PLC0415 - the deadline counts from before this slow import

    from .pipelines import learning_round  # noqa: PLC0415

    local.init(
        runner=local.SubprocessRunner(use_venv=False),
        pipeline_root=str(folder / "steps"),
        raise_on_error=True,
    )
    learning_round(**(parameters | {"targets": targets}))
    return f"{parameters['output_path']}/{OUTPUT[phase]}"


def _words(run: LocalRun, error: Exception) -> dict[str, str]:
    """Name a failure whose step had no time to say why: killed, or out of memory."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    return {
        "reason": "StepFailed",
        "step": run.current_step(),
        "message": f"{text} (see {run.folder / 'log.txt'})",
    }


def _watch(run: LocalRun, seconds: float) -> None:
    def expire() -> NoReturn:
        time.sleep(seconds)
        step = run.current_step()
        run.fail(
            "DeadlineExceeded",
            step,
            f"the run took longer than its deadline of {seconds:g} s and was ended in step {step}: "
            "raise spec.learning.deadline, or see log.txt for what was slow",
        )
        os.killpg(os.getpgrp(), signal.SIGKILL)
        raise SystemExit(1)

    threading.Thread(target=expire, daemon=True).start()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m petiole_pipelines.run_local RUN_FOLDER")
    sys.exit(main(Path(sys.argv[1])))
