"""A prepared data set, a store, and runs of the real pipeline in the real child process."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from hack.demo import data

TARGETS = [
    {"name": "cortex-m4", "flash": "64Ki", "arena": "16Ki"},
    {"name": "cortex-m0", "flash": "16Ki", "arena": "4Ki"},
]
TASK = {
    "type": "ImageClassification",
    "labels": list(data.LABELS),
    "input": {"height": 8, "width": 8, "channels": 1},
}
LEARNING = {
    "features": "Kernel",
    "strategy": "TypiClustThenMargin",
    "batchSize": 20,
    "randomShare": 0.1,
}
UID = "0f5c1e52"
LONGEST = 150  # seconds that a test waits for one run; a train run takes about 30 on idle cores


@dataclass
class Orchard:
    """One model's data and store."""

    root: Path
    digits: data.DigitsData

    @property
    def store(self) -> Path:
        return self.root / "store"

    @property
    def truth(self) -> dict[str, str]:
        lines = self.digits.labels_path.read_text().split()[1:]
        return dict(line.split(",") for line in lines)

    def answer(self, ids) -> None:
        """Add the oracle's answers, as the operator does."""
        path = self.store / f"models/{UID}/labels.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        answers = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps(answers | {name: self.truth[name] for name in ids}))

    def parameters(self, phase: str, name: str, **changes) -> dict:
        return {
            "phase": phase,
            "model_uid": UID,
            "pool_uri": self.digits.pool_uri,
            "evaluation_uri": self.digits.evaluation_uri,
            "store_uri": self.store.as_uri(),
            "labels_path": f"models/{UID}/labels.json",
            "samples_path": f"samples/{UID}",
            "output_path": f"models/{UID}/rounds/{name}",
            "task": json.dumps(TASK),
            "targets": json.dumps(TARGETS),
            "learning": json.dumps(LEARNING),
            "seed": 3,
            "round": 1,
        } | changes

    def start(self, phase: str, name: str, *, deadline=LONGEST, variables=None, **changes):
        """Start the child; returns its run folder and the process."""
        folder = self.root / "runs" / name
        folder.mkdir(parents=True)
        document = {
            "name": name,
            "pipeline": "learning_round",
            "parameters": self.parameters(phase, name, **changes),
            "deadlineSeconds": deadline,
            "createdAt": "2026-01-01T00:00:00+00:00",
        }
        (folder / "run.json").write_text(json.dumps(document))
        return folder, spawn(folder, variables)

    def run(self, phase: str, name: str, **changes) -> dict:
        """Run to the end; returns result.json."""
        folder, child = self.start(phase, name, **changes)
        child.wait(timeout=LONGEST + 20)
        return json.loads((folder / "result.json").read_text())

    def document(self, result: dict) -> dict:
        assert result["state"] == "Succeeded", result
        (path,) = result["outputs"].values()
        return json.loads((self.store / path).read_text())


def spawn(folder: Path, variables: dict | None = None) -> subprocess.Popen:
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "petiole_pipelines.run_local", str(folder)],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={"PYTHONPATH": "operator:pipelines:.", "PATH": "/usr/bin:/bin", "HOME": "/tmp"}
            | (variables or {}),
            cwd=Path(__file__).parents[2],
            start_new_session=True,
        )


@pytest.fixture
def orchard(tmp_path) -> Orchard:
    (tmp_path / "store").mkdir()
    return Orchard(tmp_path, data.prepare(tmp_path / "data"))
