"""Photos of leaves in other light: from the agent's counts to an alarm that says what moved.

Real photos go through a real int8 student in the POSIX agent and its telemetry over a real broker;
the gateway's windows and the operator's pass are the pure parts. Only the clock is the test's own:
a window ends when every device has reported all that it was shown.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from hack.testbed import datasets, leaves
from hack.testbed.broker import Broker
from hack.testbed.devices import Device, passwords, provision_posix, start_posix
from hack.testbed.hand import FLEET, Hand
from hack.testbed.light import relit
from hack.testbed.link import SensorLink
from hack.testbed.models import TARGET, digest
from hack.testbed.processes import Processes
from petiole.api.devicefleet import DriftStatus
from petiole.artifact.keys import load_private, new_private_pem, public_raw
from petiole.fleet import windows
from petiole.rollout.plan import Window
from petiole.wire.messages import Phase
from tests.rollout.fleet import Field, Operator, spec, version

PHOTOS = datasets.folder("plantvillage-apple")
DEVICES, INPUTS = 20, 50  # a window
CALM, LATEST = 20, 3  # windows before the light changes; until it must be found
INTERVAL = timedelta(minutes=15)
START = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
ARTEFACT = version(1).variants[0].digest  # as the operator knows it

pytestmark = [
    pytest.mark.long,  # a training
    pytest.mark.skipif(not PHOTOS.is_dir(), reason=f"no photos of leaves at {PHOTOS}"),
]


@dataclass
class Orchard:
    """Devices that are shown photos, and the gateway's windows of what they count."""

    names: list[str]
    link: SensorLink
    hand: Hand
    book: windows.WindowBook = field(default_factory=windows.WindowBook)
    tallies: dict[str, dict[str, windows.Tally]] = field(default_factory=dict)
    now: datetime = START

    async def show(self, photos: np.ndarray, random: np.random.Generator) -> None:
        """Show each device photos by chance, and wait until it has counted them."""
        before = {name: self._count(name) for name in self.names}
        for index in range(len(self.names)):
            for pick in random.integers(len(photos), size=INPUTS):
                self.link.show(index, photos[pick].tobytes())
            await self.link.flush()
        await self.hand.until(
            lambda: all(self._count(name) == before[name] + INPUTS for name in self.names),
            f"{INPUTS} answers of each device counted",
            120,
        )

    async def window(self, photos: np.ndarray, random: np.random.Generator) -> Window:
        """One monitoring interval: all devices report what they were shown in it."""
        await self.show(photos, random)
        seconds = INTERVAL.total_seconds()
        for name in self.names:
            stats = self.hand.stats[name]
            tallies = self.tallies.setdefault(name, {})
            delta = windows.take(tallies, stats)
            assert delta is not None
            tally = tallies[stats.digest]
            self.book.add(FLEET, tally, delta, self.now.timestamp(), seconds)
        self.now += INTERVAL
        return self.book.closed(FLEET, stats.digest, self.now.timestamp())[-1]

    def _count(self, name: str) -> int:
        stats = self.hand.stats.get(name)
        return stats.count if stats else 0


@asynccontextmanager
async def planted(folder: Path, student: leaves.Student) -> AsyncIterator[Orchard]:
    """Devices that run the student, and are connected."""
    key = load_private(new_private_pem())
    fleet = [Device(f"leaf-{n:02d}", TARGET) for n in range(DEVICES)]
    names = [device.id for device in fleet]
    data = student.signed(key)
    with Processes(folder) as processes:
        broker = Broker(folder / "broker", passwords(fleet), processes)
        broker.start()
        provision_posix(folder / "flash", fleet, (public_raw(key.public_key()),))
        link = SensorLink(folder / "sensor")
        start_posix(processes, folder / "flash", broker_port=broker.port, sensor=link.path)
        await link.connect()
        async with Hand(broker) as hand:
            orchard = Orchard(names, link, hand)
            await hand.publish_blocks(data)
            for name in names:
                await hand.state(name, lambda _: True)
                await hand.grant(name, data)
            await hand.until(
                lambda: all(hand.states[name].phase == Phase.TRIAL for name in names), "trials", 60
            )
            await orchard.show(student.field, np.random.default_rng(0))
            assert {hand.states[name].active for name in names} == {digest(data)}
            yield orchard
            await link.close()


def seen(operator: Operator, found: Sequence[Window]) -> DriftStatus:
    """What the operator makes of these windows, which revision 1 sent."""
    operator.windows = tuple(w.model_copy(update={"digest": ARTEFACT}) for w in found)
    operator.now = found[-1].end
    operator.settle()
    return operator.status.drift


async def test_other_light_is_found_within_three_windows_and_told(tmp_path, made) -> None:
    made("posix")
    student = leaves.student(PHOTOS)
    assert student.accuracy > 0.7
    random = np.random.default_rng(1)
    evening = np.stack([relit(photo, random) for photo in student.field])
    operator = Operator(spec(), Field(), labels=leaves.LABELS)
    operator.roll()
    operator.references = {ARTEFACT: student.reference}

    found = []
    async with planted(tmp_path, student) as orchard:
        for _ in range(CALM):
            found.append(await orchard.window(student.field, random))
            drift = seen(operator, found)
            assert drift.state != "Drifted", drift.message
        assert operator.condition("Drifted").status == "False"
        changed = orchard.now
        while drift.state != "Drifted" and len(found) < CALM + LATEST:
            found.append(await orchard.window(evening, random))
            drift = seen(operator, found)

    assert all((w.devices, w.count) == (DEVICES, DEVICES * INPUTS) for w in found[1:])
    assert (drift.state, drift.since) == ("Drifted", changed)
    assert "InputMean" in drift.detectors
    told = operator.condition("Drifted")
    assert (told.status, told.message) == ("True", drift.message)
    assert "inputs are lower (mean " in told.message
    assert any(text.startswith("more inputs with a mean of ") for text in drift.moved)
    assert operator.events[-1] == "Drifted"
