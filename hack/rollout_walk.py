"""Writes what ``docs/rollout-walk.md`` shows: ``python -m hack.rollout_walk``.

A real installation with device cores plays three versions of a model; at each ``<!-- act: ... -->``
of the page the next thing happens, and each fence below it begins with a command that is then run.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .answers import answered
from .normalise import same_in_every_run
from .testbed import models
from .testbed.crowd import Crowd
from .testbed.devices import (
    Device,
    Simulation,
    provision_posix,
    set_faults,
    start_simulation,
)
from .testbed.lifetime import Lifetime
from .testbed.processes import ROOT, Process

PAGE = ROOT / "docs" / "rollout-walk.md"
FLEET, MODEL = "meters", "digits"
DEVICES, SITES = 40, ("east", "north", "south", "west")
ROLLOUT: dict[str, Any] = {
    "stages": [
        {"name": "canary", "size": 10, "soak": "10m"},
        {"name": "early", "size": "50%", "soak": "10m"},
        {"name": "all", "size": "100%"},
    ],
    "pace": {"maxInFlight": 1},  # so that as many as must fail do, and none more
    "gates": [
        {"name": "update", "outcome": "Confirmed", "test": {"good": "5%", "bad": "30%"}},
    ],
    "noReportAfter": "60s",
    "progressDeadline": "30m",
}
WIDTH = 120  # columns of the page; kubectl does not keep to any
_SECONDS = 120.0  # for an act
_COMMAND_SECONDS = 60.0
_ACT = re.compile(r"^<!-- act: (?P<name>\w+) -->$", re.MULTILINE)


class Walk(Lifetime):
    """The installation, with version 1 everywhere. ``refreshed`` can be asked for once."""

    def __init__(self, folder: Path) -> None:
        devices = [
            Device(
                f"meter-{number:03}",
                models.TARGET,
                {"app": FLEET, "site": SITES[number % len(SITES)]},
                slot=48 * 1024,
                arena=1024,
            )
            for number in range(DEVICES)
        ]
        self._folder = folder
        self._crowd = Crowd(folder / "crowd", devices, model=MODEL)
        self._simulation = Simulation(folder / "faults", folder / "events")
        self._agent: Process

    def start(self) -> None:
        subprocess.run(["make", "-C", ROOT / "firmware", "-s", "posix"], check=True, timeout=600)
        self._crowd.start()
        try:
            flash, testbed = self._folder / "flash", self._crowd.testbed
            provision_posix(flash, self._crowd.devices, (testbed.public_key,))
            self._agent = start_simulation(
                testbed.processes, flash, self._simulation, broker_port=testbed.broker.port
            )
            self._crowd.publish()
            self._crowd.apply(ROLLOUT | {"stages": ROLLOUT["stages"][-1:]}, fleet=FLEET)
            self._until(_ended(1, "Promoted"), "version 1 everywhere")
            self._crowd.apply(ROLLOUT, fleet=FLEET)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        self._crowd.stop()

    def refreshed(self, text: str) -> str:
        """``text`` with what is answered now, act by act."""
        found, end = "", 0
        for act in _ACT.finditer(text):
            found += answered(text[end : act.end()], self._ask)
            getattr(self, f"_{act['name']}")()
            end = act.end()
        return found + answered(text[end:], self._ask)

    # --- acts ---

    def _canary(self) -> None:
        """A new version has reached the first stage, which soaks."""
        self._crowd.publish()

        def soaks(status: Mapping[str, Any]) -> bool:
            return bool(status.get("waitingFor", {}).get("reason") == "Soaking")

        self._until(soaks, "the canary's soak")

    def _promoted(self) -> None:
        self._until(_ended(2, "Promoted"), "version 2 everywhere")

    def _reverted(self) -> None:
        """A version comes with which every second device crashes."""
        artefact = self._crowd.sign(3, size=0, seed=3)
        bad = f"50%@{models.digest(artefact)[:16]}:trial-crash"
        set_faults(self._agent, self._simulation, bad)
        self._crowd.list_version({models.TARGET: artefact})
        self._until(_ended(3, "Reverted"), "the way back from version 3")

    def _until(self, met: Callable[[Mapping[str, Any]], object], what: str) -> None:
        self._crowd.wait(met, _SECONDS, what, FLEET)

    def _ask(self, command: str) -> str:
        program, *arguments = shlex.split(command)
        testbed = self._crowd.testbed
        if program == "kubectl":
            return same_in_every_run(testbed.cluster.kubectl(*arguments))
        done = subprocess.run(
            [sys.executable, "-m", "petiole.cli.main", *arguments],
            env={name: value for name, value in os.environ.items() if name != "COLUMNS"}
            | {
                "PYTHONPATH": os.pathsep.join(sys.path),
                "KUBECONFIG": str(testbed.cluster.kubeconfig),
                "PETIOLE_GATEWAY_URL": testbed.gateway_url,
                "PETIOLE_GATEWAY_TOKEN": testbed.gateway_token,
            },
            capture_output=True,
            text=True,
            check=True,
            timeout=_COMMAND_SECONDS,
        )
        return same_in_every_run(done.stdout, WIDTH)


def _ended(revision: int, result: str) -> Callable[[Mapping[str, Any]], bool]:
    def met(status: Mapping[str, Any]) -> bool:
        ends = [(entry["revision"], entry["result"]) for entry in status.get("history", ())]
        return status.get("mode") == "Idle" and (revision, result) in ends[-1:]

    return met


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Walk(Path(folder)) as walk:
        PAGE.write_text(walk.refreshed(PAGE.read_text()))


if __name__ == "__main__":
    main()
