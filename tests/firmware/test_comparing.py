"""Shadow runs from end to end: a real gateway asks, real devices compare, a gate judges."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hack.testbed import devices
from hack.testbed.models import TARGET, Model, make, sign
from petiole.api.rollout import Gate, GateTest
from petiole.artifact.keys import public_raw
from petiole.rollout.plan import Revision
from tests.gateway.world import World

SAME = Gate(name="same", metric="Disagreement", test=GateTest(max="10%"))
DEVICES, INPUTS = 8, 40


@pytest.fixture(autouse=True)
def built(made: Callable[[str], None]) -> None:
    made("posix")


class Comparing(World):
    """The devices are those of one POSIX process, which feed themselves."""

    def __init__(self, folder: Path, key: Ed25519PrivateKey) -> None:
        super().__init__(folder, DEVICES)
        self.key = key

    def start_devices(self) -> None:
        fleet = [
            devices.Device(id=d.id, target=TARGET, password=self.passwords[d.id])
            for d in self.devices
        ]
        devices.provision_posix(self.folder / "flash", fleet, (public_raw(self.key.public_key()),))
        simulation = devices.Simulation(
            faults=self.folder / "faults", events=self.folder / "events", feed=5.0
        )
        devices.start_simulation(
            self.processes, self.folder / "flash", simulation, broker_port=self.broker.port
        )

    def signed(self, number: int, model: Model) -> Revision:
        artefact = self.artefact(sign(model, self.key, revision=number))
        return Revision(number=number, variants={TARGET: artefact})


async def test_a_model_that_disagrees_is_stopped_and_one_that_agrees_is_not(tmp_path, key):
    first, other = make(1), make(2)
    async with Comparing(tmp_path, key) as world:
        await world.register()
        world.start_devices()
        stable = world.signed(1, first)
        everyone = {"limit": DEVICES, "gates": (SAME,), "shadow": INPUTS}
        await world.put(world.rolling(stable, **everyone))
        summary = await world.until(lambda s: s.counts.updated == DEVICES, 40)
        assert summary.evidence[0].shares == {}, "no device had a model to compare with"
        again = world.signed(2, first)  # the same answers
        await world.put(world.rolling(again, stable=stable, **everyone))
        summary = await world.until(
            lambda s: (
                s.counts.updated == DEVICES
                and bool(s.evidence)
                and s.evidence[0].shares == {0: DEVICES}
            ),
            40,
        )
        assert summary.halt is None
        await world.put(world.rolling(world.signed(3, other), stable=again, **everyone))
        summary = await world.until(lambda s: s.halt is not None, 40)
        assert summary.halt is not None
        assert summary.halt.gate == "same"
        assert "the new model disagreed with the one that answers" in summary.halt.message
        assert min(summary.evidence[0].shares) > 500
