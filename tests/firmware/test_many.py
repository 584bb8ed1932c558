"""A thousand and ten thousand devices in one process: how soon they are there, what they cost."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path

import pytest

from hack.testbed import devices
from hack.testbed.broker import Broker
from hack.testbed.devices import Device, Simulation
from hack.testbed.hand import Hand
from hack.testbed.models import TARGET, digest, make, sign
from hack.testbed.processes import ROOT, Processes
from petiole.artifact.keys import public_raw
from petiole.wire.messages import Phase

SLOT = 40 * 1024
ARTEFACT = 32 * 1024
BLOCK = 4096
TICKS = os.sysconf("SC_CLK_TCK")


@pytest.fixture(autouse=True)
def built(made):
    made("posix")


def memory(pid: int) -> float:
    """Resident memory of a process in MiB, mapped flash included."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def cpu(pid: int) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@pytest.mark.parametrize(
    ("count", "start_seconds", "mebibytes"),
    [
        (1_000, 10, 12),
        pytest.param(10_000, 20, 57, marks=[pytest.mark.long, pytest.mark.timeout(400)]),
    ],
)
async def test_a_fleet_starts_soon_idles_cheaply_and_updates(
    tmp_path, key, count, start_seconds, mebibytes
):
    fleet = [Device(f"leaf-{n % 20}-{n}", TARGET, slot=SLOT, arena=4096) for n in range(count)]
    devices.allow_descriptors(count + 200)
    devices.provision_posix(tmp_path / "flash", fleet, (public_raw(key.public_key()),))
    data = sign(make(7, padding=ARTEFACT - 1500), key)
    simulation = Simulation(tmp_path / "faults", tmp_path / "events")
    seen: dict[str, float] = {}
    with Processes(tmp_path) as processes:
        broker = Broker(tmp_path / "broker", devices.passwords(fleet), processes)
        broker.start()
        async with Hand(broker) as hand:
            begun = time.monotonic()
            agent = devices.start_simulation(
                processes, tmp_path / "flash", simulation, broker_port=broker.port
            )
            seen["open_seconds"] = time.monotonic() - begun
            there = lambda: sum(hand.online.values()) == count == len(hand.states)  # noqa: E731
            await hand.until(there, f"{count} devices online", start_seconds)
            seen["online_seconds"] = time.monotonic() - begun
            seen["idle_mebibytes"] = memory(agent.pid)

            before = cpu(agent.pid)
            await asyncio.sleep(5)
            idle = (cpu(agent.pid) - before) / 5
            seen["idle_cpu"] = idle
            assert idle < 0.05, "idle devices cost next to nothing"

            await hand.publish_blocks(data, block=BLOCK)
            granted, before = time.monotonic(), cpu(agent.pid)
            for device in fleet:
                await hand.grant(device.id, data, interval=600_000, block=BLOCK)
            seen["granted_seconds"] = time.monotonic() - granted
            await hand.until(
                lambda: all(s.phase == Phase.CONFIRMED for s in hand.states.values()),
                f"{count} devices confirmed",
                count / 50,
            )
            seen["confirmed_seconds"] = time.monotonic() - granted
            seen["update_cpu_ms"] = 1000 * (cpu(agent.pid) - before) / count
            seen["updated_mebibytes"] = memory(agent.pid)
            seen["states"] = sum(map(len, hand.history.values())) / count
            assert {s.active for s in hand.states.values()} == {digest(data)}
            assert memory(agent.pid) < mebibytes
    figures = ROOT / "build" / "bench" / f"devices-{count}.json"
    figures.parent.mkdir(parents=True, exist_ok=True)
    figures.write_text(json.dumps({name: round(value, 3) for name, value in seen.items()}))
