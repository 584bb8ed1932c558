"""Boards with a boot loader at a bench's broker, whose power a test can cut."""

from __future__ import annotations

import itertools
import mmap
import struct
from pathlib import Path

from hack.testbed import devices
from hack.testbed.boards import FIRMWARE_OFFSET, FIRMWARE_SIZE, BoardName
from hack.testbed.broker import Broker
from hack.testbed.devices import Device
from hack.testbed.models import TARGET
from hack.testbed.processes import Process, Processes

# Two words behind the flash: see firmware/port/mps2/flash.h.
_BENCH_AT = 0x1000000 - 0x1000
_BENCH = struct.Struct("<II")


def device(name: str) -> Device:
    """A device with firmware slots where the boards' firmware is linked for."""
    return Device(
        id=name, target=TARGET, firmware_offset=FIRMWARE_OFFSET, firmware_size=FIRMWARE_SIZE
    )


class Booted:
    """One board. What it says on its log line goes to ``log``."""

    def __init__(
        self,
        device: Device,
        memory: Path,
        broker: Broker,
        processes: Processes,
        board: BoardName = "an386",
    ) -> None:
        self.id = device.id
        self._board = board
        self._memory = memory
        self._broker = broker
        self._processes = processes
        self._numbers = itertools.count(1)
        self._running: Process

    def start(self, *, reboots: bool = True) -> None:
        """Turn the power on. Without ``reboots``, a reset turns it off."""
        sensor = self._memory.with_name(f"{self.id}-sensor-{next(self._numbers)}")
        self._running = devices.start_board(
            self._processes,
            self._memory,
            broker_port=self._broker.port,
            sensor=sensor,
            board=self._board,
            program="boot",
            reboots=reboots,
        )

    def kill(self) -> None:
        """Cut the power."""
        self._running.kill()

    @property
    def alive(self) -> bool:
        return self._running.alive

    @property
    def log(self) -> str:
        return self._running.log.read_text(errors="replace")

    @property
    def operations(self) -> int:
        """Flash operations since `cut_in`."""
        return self._bench()[1]

    def cut_in(self, operations: int) -> None:
        """Let the power fail half way in that operation of the flash from now on; 0: never.

        Only of a board that is off.
        """
        with self._memory.open("r+b") as file:
            file.seek(_BENCH_AT)
            file.write(_BENCH.pack(operations, 0))

    def read(self, offset: int, size: int) -> bytes:
        """Bytes of the flash."""
        with (
            self._memory.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as memory,
        ):
            return memory[offset : offset + size]

    def _bench(self) -> tuple[int, int]:
        left, done = _BENCH.unpack(self.read(_BENCH_AT, _BENCH.size))
        return left, done
