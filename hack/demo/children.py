"""What the demo measures beside the loop, in processes of low priority.

The loop has two cores and its own deadlines; these take what is left.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hack.testbed.processes import ROOT, Process, Processes

from .summary import Json
from .watch import ActFailedError, Object, status_of

EXACT_INPUTS = 500
REFERENCE = "reference.json"
NICE = ("nice", "-n", "19")
AGENTS = {
    "Cortex-M4 (QEMU mps2-an386)": "build/firmware/mps2-an386/petiole-agent.elf",
}


@dataclass(slots=True)
class Children:
    """Reference trainings, and exactness of every variant on both kinds of device."""

    processes: Processes
    folder: Path
    store: Path
    detectors: dict[int, dict[str, str]] = field(default_factory=dict)  # by version and target
    _running: dict[Path, Process] = field(default_factory=dict)

    def start_reference(self, arguments: Sequence[str]) -> None:
        """Find out what all labels, and as many random ones, would have given."""
        out = self.folder / REFERENCE
        command = ("petiole_pipelines.reference", *arguments, "--out", str(out))
        self._start("reference", command, out)

    def start_exactness(self, model: Object, number: int) -> None:
        """Compare a version's variants with tflite-micro, on POSIX and in QEMU."""
        candidate = self._candidate(model, number)
        self.detectors[number] = detectors_of(candidate)
        out = self.folder / f"exactness-{number}.json"
        files = [f"{v['target']}={self.store / v['tflite']}" for v in candidate["variants"]]
        command = ("hack.demo.exact", str(out), str(number), str(EXACT_INPUTS), *files)
        self._start(f"exactness-{number}", command, out)

    def _candidate(self, model: Object, number: int) -> Json:
        """The candidate document that a version was packed from."""
        version = next(v for v in status_of(model)["versions"] if v["version"] == number)
        rounds = self.store / "models" / model["metadata"]["uid"] / "rounds"
        documents = sorted(rounds.glob(f"*-r{version['round']}-*/candidate.json"))
        found: Json = json.loads(documents[-1].read_text())
        return found

    def _start(self, name: str, command: Sequence[str], out: Path) -> None:
        self._running[out] = self.processes.start(name, [*NICE, sys.executable, "-m", *command])

    async def results(self, deadline: float) -> tuple[Json | None, list[Json]]:
        """What the reference runs, if any, and the comparisons found, when all are through.

        Raises ActFailedError for one that failed or took longer than ``deadline`` seconds.
        """
        for process in self._running.values():
            await asyncio.to_thread(_finish, process, deadline)
        found = {out: json.loads(out.read_text()) for out in self._running}
        reference = found.pop(self.folder / REFERENCE, None)
        return reference, [line for lines in found.values() for line in lines]


def _finish(process: Process, deadline: float) -> None:
    try:
        code = process.wait(deadline)
    except subprocess.TimeoutExpired:
        raise ActFailedError(f"{process.name} took over {deadline:.0f} s; {process.log}") from None
    if code != 0:
        raise ActFailedError(f"{process.name} failed; {process.log}:\n{process.tail()}")


def detectors_of(candidate: Json) -> dict[str, str]:
    """Which detector was chosen for each target; nothing of a model with classes."""
    return {
        variant["target"]: variant["choice"]["option"]
        for variant in candidate["variants"]
        if "detector" in variant
    }


def agent_sizes() -> list[Json]:
    """Flash and RAM of the agent by the cross compiler's own ``size``."""
    rows = []
    for build, file in AGENTS.items():
        said = subprocess.run(
            ["arm-none-eabi-size", file], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        text, data, bss, *_ = said.splitlines()[1].split()
        rows.append({"build": build, "text": int(text), "data": int(data), "bss": int(bss)})
    return rows
