"""A crowd whose parts can be killed and brought back, one of them a database."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any, Literal

from hack.testbed.crowd import Crowd, members
from hack.testbed.devices import Simulation, provision_posix, set_faults, start_simulation
from hack.testbed.lifetime import Lifetime
from hack.testbed.postgres import Postgres
from hack.testbed.processes import Process

from .plan import Kill
from .truth import Events, Limits

Database = Literal["sqlite", "postgresql"]
ROLLOUT: dict[str, Any] = {
    "stages": [
        {"name": "canary", "size": 100},
        {"name": "half", "size": "50%"},
        {"name": "all", "size": "100%"},
    ],
    "stratifyBy": ["site"],
    "pace": {"maxInFlight": 100},
    "gates": [
        {
            "name": "update",
            "outcome": "Confirmed",
            "test": {"good": "1%", "bad": "10%", "alpha": "5%", "beta": "5%"},
        }
    ],
    "noReportAfter": "60s",
    "progressDeadline": "10m",
}


class World(Lifetime):
    """Start with ``with``: everything runs, every device is connected, nothing is rolled out."""

    def __init__(self, folder: Path, devices: int, database: Database) -> None:
        self.folder = folder
        self._postgres = Postgres(folder / "postgres") if database == "postgresql" else None
        self._devices = members(devices)
        self._simulation = Simulation(folder / "faults", folder / "events")
        self.crowd: Crowd
        self.events: Events
        self.limits: Limits
        self._agent: Process | None = None

    def start(self) -> None:
        """Bring all up, or nothing."""
        url = None
        if self._postgres is not None:
            self._postgres.start()
            url = asyncio.run(self._postgres.database("petiole"))
        self.crowd = Crowd(self.folder / "crowd", self._devices, database_url=url)
        try:
            self.crowd.start()
            self._start_devices()
            self.limits = Limits(self.crowd.testbed.cluster)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Take all down, the database last."""
        self.crowd.stop()
        if self._postgres is not None:
            self._postgres.stop()

    def _start_devices(self) -> None:
        flash = self.folder / "flash"
        provision_posix(flash, self._devices, (self.crowd.testbed.public_key,))
        self._agent = start_simulation(
            self.crowd.testbed.processes,
            flash,
            self._simulation,
            broker_port=self.crowd.testbed.broker.port,
        )
        self.events = Events(self._simulation.events)

    def faults(self, *rules: str) -> None:
        """Tell the running devices how to misbehave from now on."""
        assert self._agent is not None
        set_faults(self._agent, self._simulation, *rules)

    def kill(self, kill: Kill) -> None:
        """SIGKILL, a while of absence, and back."""
        time.sleep(kill.after)
        testbed = self.crowd.testbed
        match kill.victim:
            case "gateway":
                assert testbed.gateway is not None
                testbed.gateway.kill()
                time.sleep(kill.down)
                testbed.start_gateway()
            case "operator":
                assert testbed.operator is not None
                testbed.operator.kill()
                time.sleep(kill.down)
                testbed.start_operator()
            case "broker":
                testbed.broker.kill()
                time.sleep(kill.down)
                testbed.broker.start()
            case "database":
                assert self._postgres is not None
                self._postgres.kill()
                time.sleep(kill.down)
                self._postgres.start()
