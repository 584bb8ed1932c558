"""The boards of ``firmware/port/mps2`` as machines of QEMU, on a serial line or on a LAN."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from petiole.artifact.flash import MPS2_MEMORY_SIZE, flash_image
from petiole.artifact.network import MPS2_FLASH_SIZE, Network, provision

from . import lan
from .devices import READY_SECONDS, Device
from .processes import ROOT, Process, Processes

BoardName = Literal["an385", "an386", "an500", "an505", "an547"]
Program = Literal["agent", "boot"]

# Where firmware is linked for: see firmware/port/mps2/boards.h.
FIRMWARE_OFFSET, FIRMWARE_SIZE = 0x100000, 0x40000


@dataclass(frozen=True, slots=True)
class Board:
    """A board: QEMU's machine, its core, and the bytes of the memory that a file stands behind."""

    name: BoardName
    machine: str
    core: str
    memory: int = MPS2_MEMORY_SIZE

    @property
    def built(self) -> Path:
        """Where ``make -C firmware`` puts what it makes for this board."""
        return ROOT / "build" / "firmware" / self.machine

    @property
    def command(self) -> tuple[str, ...]:
        """QEMU with nothing connected yet."""
        return ("qemu-system-arm", "-M", self.machine, "-display", "none", "-monitor", "none")

    def with_memory(self, memory: Path) -> tuple[str, ...]:
        """QEMU with the file ``memory`` of :attr:`memory` bytes as the board's memory."""
        backend = f"memory-backend-file,id=fl,size={self.memory},mem-path={memory},share=on"
        machine = ("-M", f"{self.machine},memory-backend=fl", "-object", backend)
        return ("qemu-system-arm", *machine, "-display", "none", "-monitor", "none")


BOARDS: Mapping[BoardName, Board] = MappingProxyType(
    {
        board.name: board
        for board in (
            Board("an385", "mps2-an385", "Cortex-M3"),
            Board("an386", "mps2-an386", "Cortex-M4"),
            Board("an500", "mps2-an500", "Cortex-M7"),
            Board("an505", "mps2-an505", "Cortex-M33"),
            Board("an547", "mps3-an547", "Cortex-M55", memory=2 * 1024**3),
        )
    }
)


def provision_board(
    folder: Path,
    device: Device,
    keys: tuple[bytes, ...],
    *,
    network: Network | None = None,
    seed: int = 0,
    firmware: bytes = b"",
) -> Path:
    """Write the memory file of one board and return its path.

    With a ``network`` it is one on a LAN. ``firmware`` is the image in slot A.
    """
    identity = device.identity(keys, seed)
    size = MPS2_MEMORY_SIZE if network is None else MPS2_FLASH_SIZE
    flash = bytearray(flash_image(identity, size, firmware))
    if network is not None:
        provision(flash, network, secrets.token_bytes(32))
    folder.mkdir(parents=True, exist_ok=True)
    memory = folder / f"{device.id}.memory"
    memory.write_bytes(flash.ljust(MPS2_MEMORY_SIZE, b"\xff"))
    return memory


def start_board(
    processes: Processes,
    memory: Path,
    *,
    broker_port: int | None,
    sensor: Path,
    board: BoardName = "an386",
    program: Program = "agent",
    reboots: bool = True,
    prefix: Sequence[str] = (),
) -> Process:
    """Start one board: first UART log, second MQTT to ``broker_port``, third sensor link.

    Without ``broker_port`` it is one on a LAN, whose memory says where the broker is. ``program``
    is what the core starts: the agent alone, or the boot loader that starts one in a firmware slot.
    Without ``reboots``, a reset ends QEMU. ``prefix`` goes before QEMU, such as ``taskset``.
    """
    sensor.unlink(missing_ok=True)
    connected = [
        "-chardev", "stdio,id=log", "-serial", "chardev:log",
        *(lan.wires(memory) if broker_port is None else _serial(broker_port)),
        "-chardev", f"socket,id=sensor,path={sensor},server=on,wait=off",
        "-serial", "chardev:sensor",
    ]  # fmt: skip
    machine = BOARDS[board]
    os.truncate(memory, machine.memory)  # with a hole behind the flash where there is more
    linked = "agent-lan" if program == "agent" and broker_port is None else program
    kernel = machine.built / f"petiole-{linked}.elf"
    command = [*prefix, *machine.with_memory(memory), *connected, "-kernel", str(kernel)]
    if not reboots:
        command.append("-no-reboot")
    process = processes.start(f"device-{memory.stem}", command)
    if reboots:  # else it may be over already
        process.wait_ready(sensor.exists, READY_SECONDS)
    return process


def _serial(broker_port: int) -> list[str]:
    """Options of QEMU for a second UART that leads to the broker."""
    return [
        "-chardev", f"socket,id=mqtt,host=127.0.0.1,port={broker_port},nodelay=on,reconnect=1",
        "-serial", "chardev:mqtt",
    ]  # fmt: skip
