"""Devices of a testbed: provisioned flash images, run by the POSIX agent or by QEMU boards.

``firmware/README.md`` says how the agents are started; ``docs/architecture.md`` what goes over
their sensor links.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from petiole.artifact.flash import MPS2_MEMORY_SIZE, Identity, flash_image

from .processes import ROOT, Process, Processes

POSIX_AGENT = ROOT / "build" / "firmware" / "posix" / "petiole-sim"
BOARD_AGENT = ROOT / "build" / "firmware" / "mps2-an386" / "petiole-agent.elf"
_READY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Device:
    """One device before it is provisioned. ``slot`` and ``arena`` are bytes."""

    id: str
    target: str
    labels: dict[str, str] = field(default_factory=dict)
    slot: int = 64 * 1024
    arena: int = 32 * 1024
    password: str = field(default_factory=lambda: secrets.token_urlsafe(18))

    def identity(self, keys: tuple[bytes, ...], seed: int) -> Identity:
        """What goes into the identity sector. ``keys`` are raw Ed25519 public keys."""
        return Identity(
            device=self.id,
            user=self.id,
            password=self.password,
            target=self.target,
            keys=keys,
            slot_size=self.slot,
            arena_size=self.arena,
            seed=seed,
        )


def passwords(devices: Iterable[Device]) -> dict[str, str]:
    """Broker users of the devices."""
    return {device.id: device.password for device in devices}


def provision_posix(
    folder: Path, devices: Iterable[Device], keys: tuple[bytes, ...], seed: int = 0
) -> None:
    """Write ``<id>.flash`` for each device, as ``petiole-sim --flash`` wants them."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, device in enumerate(devices):
        image = flash_image(device.identity(keys, seed + number))
        (folder / f"{device.id}.flash").write_bytes(image)


def provision_board(folder: Path, device: Device, keys: tuple[bytes, ...], seed: int = 0) -> Path:
    """Write the memory file of one QEMU board and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    memory = folder / f"{device.id}.memory"
    memory.write_bytes(flash_image(device.identity(keys, seed), MPS2_MEMORY_SIZE))
    return memory


def start_posix(
    processes: Processes, flash: Path, *, broker_port: int, sensor: Path, faults: Iterable[str] = ()
) -> Process:
    """Start all devices of the folder ``flash`` in one process; ready with its sensor link.

    ``faults`` are ``ID:KIND`` as the agent's ``--fault`` takes them.
    """
    sensor.unlink(missing_ok=True)
    command: list[str | Path] = [POSIX_AGENT, "--broker", f"127.0.0.1:{broker_port}"]
    command += ["--flash", flash, "--sensor", sensor]
    for fault in faults:
        command += ["--fault", fault]
    agent = processes.start("devices-posix", command)
    agent.wait_ready(sensor.exists, _READY_SECONDS)
    return agent


def start_board(processes: Processes, memory: Path, *, broker_port: int, sensor: Path) -> Process:
    """Start one Cortex-M4 board in QEMU: first UART log, second MQTT, third sensor link."""
    sensor.unlink(missing_ok=True)
    uarts = [
        "-chardev", "stdio,id=log", "-serial", "chardev:log",
        "-chardev", f"socket,id=mqtt,host=127.0.0.1,port={broker_port},nodelay=on,reconnect=1",
        "-serial", "chardev:mqtt",
        "-chardev", f"socket,id=sensor,path={sensor},server=on,wait=off",
        "-serial", "chardev:sensor",
    ]  # fmt: skip
    flash = f"memory-backend-file,id=fl,size=16M,mem-path={memory},share=on"
    command = [
        "qemu-system-arm", "-M", "mps2-an386,memory-backend=fl", "-object", flash,
        "-display", "none", "-monitor", "none", *uarts, "-kernel", str(BOARD_AGENT),
    ]  # fmt: skip
    board = processes.start(f"device-{memory.stem}", command)
    board.wait_ready(sensor.exists, _READY_SECONDS)
    return board
