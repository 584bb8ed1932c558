"""Devices of a testbed: provisioned flash images, run by the POSIX agent. Boards: ``boards``.

``firmware/README.md`` says how the agents are started; ``docs/architecture.md`` what goes over
their sensor links.
"""

from __future__ import annotations

import os
import resource
import secrets
import signal
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from petiole.artifact.flash import SLOTS_OFFSET, Identity, flash_image

from .processes import ROOT, Process, Processes
from .waits import wait_until

POSIX_AGENT = ROOT / "build" / "firmware" / "posix" / "petiole-sim"
READY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Device:
    """One device before it is provisioned. ``slot`` and ``arena`` are bytes.

    ``firmware_size`` is that of a firmware slot, ``firmware_offset`` where its journal begins; both
    0: the device takes no firmware. ``archive`` is bytes for what outlives a reset.
    """

    id: str
    target: str
    labels: dict[str, str] = field(default_factory=dict)
    slot: int = 64 * 1024
    arena: int = 32 * 1024
    firmware_offset: int = 0
    firmware_size: int = 0
    archive: int = 0
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
            firmware_offset=self.firmware_offset,
            firmware_size=self.firmware_size,
            archive_size=self.archive,
        )


def passwords(devices: Iterable[Device]) -> dict[str, str]:
    """Broker users of the devices."""
    return {device.id: device.password for device in devices}


def provision_posix(
    folder: Path,
    devices: Iterable[Device],
    keys: tuple[bytes, ...],
    seed: int = 0,
    firmware: bytes = b"",
) -> None:
    """Write ``<id>.flash`` for each device, as ``petiole-sim --flash`` wants them.

    ``firmware`` is the image in slot A of those that have firmware slots. All other slots are holes
    of the file: a device erases a slot before it relies on it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number, device in enumerate(devices):
        identity = device.identity(keys, seed + number)
        image = firmware if device.firmware_size else b""
        flash = flash_image(identity, identity.size, image)
        with (folder / f"{device.id}.flash").open("wb") as file:
            file.write(flash[:SLOTS_OFFSET])
            file.truncate(identity.size)
            if image:
                file.seek(identity.firmware_slot(0))
                file.write(image)


def start_posix(
    processes: Processes,
    flash: Path,
    *,
    broker_port: int,
    sensor: Path,
    faults: Iterable[str] = (),
    events: Path | None = None,
) -> Process:
    """Start all devices of the folder ``flash`` in one process; ready with its sensor link.

    ``faults`` are rules as the agent's ``--fault`` takes them; the file ``events`` gets a line for
    each change of phase.
    """
    sensor.unlink(missing_ok=True)
    command = _posix_command(flash, broker_port, faults)
    told: list[str | Path] = ["--events", events] if events else []
    agent = processes.start("devices-posix", [*command, *told, "--sensor", sensor])
    agent.wait_ready(sensor.exists, READY_SECONDS)
    return agent


@dataclass(frozen=True, slots=True)
class Simulation:
    """How ``petiole-sim`` runs a fleet that feeds itself; ``firmware/README.md`` has the options.

    ``feed`` is inputs a second and device, ``keepalive`` seconds. ``faults`` is a file of rules,
    which ``set_faults`` replaces; ``events`` gets a line for each change of phase.
    """

    faults: Path
    events: Path
    feed: float = 0.01
    feed_seed: int = 0
    fault_seed: int = 0
    trial_answers: int = 8
    trial_ms: int = 600_000
    connects_per_second: int = 1000
    keepalive: int = 240
    log: bool = False

    def arguments(self) -> list[str | Path]:
        options: dict[str, object] = {
            "--feed": self.feed,
            "--feed-seed": self.feed_seed,
            "--fault-seed": self.fault_seed,
            "--trial-answers": self.trial_answers,
            "--trial-ms": self.trial_ms,
            "--connects-per-second": self.connects_per_second,
            "--keepalive": self.keepalive,
        }
        given: list[str | Path] = ["--faults", self.faults, "--events", self.events]
        given += [text for name, value in options.items() for text in (name, str(value))]
        return [*given, "--log"] if self.log else given


def start_simulation(
    processes: Processes,
    flash: Path,
    simulation: Simulation,
    *,
    broker_port: int,
    name: str = "devices-simulated",
) -> Process:
    """Start all devices of the folder ``flash``; ready once they run, before they are connected."""
    simulation.faults.touch()
    command = [*_posix_command(flash, broker_port, ()), *simulation.arguments()]
    agent = processes.start(name, command)
    agent.wait_ready(lambda: b" devices, broker " in agent.log.read_bytes(), READY_SECONDS)
    return agent


def set_faults(agent: Process, simulation: Simulation, *rules: str) -> None:
    """Put other rules in force while the devices run; returns when they are.

    Raises ``DeadlineError`` when the agent does not accept them; its log says why.
    """
    before = _faults_read(agent)
    simulation.faults.write_text("".join(f"{rule}\n" for rule in rules))
    os.kill(agent.pid, signal.SIGHUP)
    wait_until(
        lambda: _faults_read(agent) > before, READY_SECONDS, f"faults {rules} read; {agent.log}"
    )


def allow_descriptors(most: int) -> None:
    """Let this process and those it starts open ``most`` files: a broker needs one a device.

    Raises ``ValueError`` when the system's hard limit is lower.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < most:
        raise ValueError(f"open files are limited to {hard}, {most} are needed: see ulimit -Hn")
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _faults_read(agent: Process) -> int:
    return agent.log.read_bytes().count(b" devices have one")


def _posix_command(flash: Path, broker_port: int, faults: Iterable[str]) -> list[str | Path]:
    command: list[str | Path] = [POSIX_AGENT, "--broker", f"127.0.0.1:{broker_port}"]
    command += ["--flash", flash]
    for fault in faults:
        command += ["--fault", fault]
    return command
