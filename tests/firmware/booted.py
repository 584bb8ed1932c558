"""Boards with a boot loader at a bench's broker, whose power a test can cut."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hack.testbed import devices
from hack.testbed.boards import (
    FIRMWARE_OFFSET,
    FIRMWARE_SIZE,
    BoardName,
    provision_board,
    start_board,
)
from hack.testbed.broker import Broker
from hack.testbed.devices import Device
from hack.testbed.firmware import Release, release
from hack.testbed.hand import Hand
from hack.testbed.link import SensorLink
from hack.testbed.models import TARGET, Model, digest
from hack.testbed.processes import Process, Processes
from petiole.artifact.keys import public_raw
from petiole.wire.messages import Phase, Reason, State

NAMES = tuple(f"twig-{n}" for n in range(500))
BLOCK = 1024
SLOW = 60  # QEMU on a busy machine

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
        self._sensor = self._memory.with_name(f"{self.id}-sensor-{next(self._numbers)}")
        self._running = start_board(
            self._processes,
            self._memory,
            broker_port=self._broker.port,
            sensor=self._sensor,
            board=self._board,
            program="boot",
            reboots=reboots,
        )

    async def show(self, inputs: list[bytes]) -> None:
        """Have the board answer inputs. OSError or TimeoutError when it goes off."""
        answered = asyncio.Semaphore(0)
        link = SensorLink(self._sensor)
        link.on_answer = lambda *_: answered.release()
        await link.connect(1)
        try:
            async with asyncio.timeout(5):
                for one in inputs:
                    link.show(0, one)
                await link.flush()
                for _ in inputs:
                    await answered.acquire()
        finally:
            await link.close()

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


class Field:
    """Boards at one broker that start with the same firmware in slot A."""

    def __init__(self, folder: Path, processes: Processes, key: Ed25519PrivateKey) -> None:
        self._key = key
        self._folder = folder
        self._processes = processes
        self._keys = (public_raw(key.public_key()),)
        self._known = {name: device(name) for name in NAMES}
        known = devices.passwords(self._known.values())
        self._broker = Broker(folder / "broker", known, processes)
        self._broker.start()
        self.hand = Hand(self._broker)

    def first(self, board: BoardName = "an386") -> Release:
        """What a board starts with."""
        return release(self._key, revision=1, board=board)

    def board(
        self,
        name: str,
        cut_in: int = 0,
        board: BoardName = "an386",
        first: Release | None = None,
    ) -> Booted:
        """A board that was just provisioned, whose power fails once or never."""
        one = self._known[name]
        image = (first or self.first(board)).a
        memory = provision_board(self._folder, one, self._keys, firmware=image)
        made = Booted(one, memory, self._broker, self._processes, board)
        made.cut_in(cut_in)
        return made


class Change(Protocol):
    """An update as the gateway sees it: what it grants, and when it is done."""

    async def offer(self, hand: Hand, board: Booted, attempt: int = 0) -> None:
        """Grant it."""

    async def support(self, hand: Hand, board: Booted) -> None:
        """Do what a trial needs."""

    def runs(self, state: State) -> bool:
        """Is it what the board runs?"""


@dataclass(frozen=True, slots=True)
class FirmwareChange:
    """To another release."""

    new: Release

    async def offer(self, hand: Hand, board: Booted, attempt: int = 0) -> None:
        await hand.grant(board.id, None, firmware=self.new.granted(BLOCK, attempt=attempt))

    async def support(self, hand: Hand, board: Booted) -> None:
        await self.offer(hand, board)  # the gateway answers a state that says "trial"

    def runs(self, state: State) -> bool:
        assert state.firmware is not None
        return state.firmware.active == digest(self.new.b)


@dataclass(frozen=True, slots=True)
class ModelChange:
    """To another model; ``artefact`` is the signed one."""

    model: Model
    artefact: bytes

    async def offer(self, hand: Hand, board: Booted, attempt: int = 0) -> None:
        await hand.grant(board.id, self.artefact, block=BLOCK, attempt=attempt)

    async def support(self, hand: Hand, board: Booted) -> None:
        with contextlib.suppress(OSError, TimeoutError):  # it may just have gone off
            await board.show([one.tobytes() for one in self.model.inputs] * 2)

    def runs(self, state: State) -> bool:
        return state.active == digest(self.artefact)


async def confirmed(hand: Hand, board: Booted, change: Change) -> State:
    """Wait until the board has confirmed the change; turn it on again whenever it went off.

    A trial of a model that power ended is given up: then it is granted once more.
    """
    seen = None
    end = asyncio.get_running_loop().time() + SLOW
    while True:
        assert asyncio.get_running_loop().time() < end, f"{hand.states.get(board.id)}\n{board.log}"
        if not board.alive:
            board.start(reboots=False)
        state = hand.states.get(board.id)
        if state is not None and state is not seen:
            seen = state
            if state.phase == Phase.TRIAL:
                await change.support(hand, board)
            elif state.phase == Phase.ROLLEDBACK:
                assert state.reason == Reason.TRIAL_EXPIRED
                await change.offer(hand, board, state.attempt + 1)
        if state is not None and state.phase == Phase.CONFIRMED and change.runs(state):
            return state
        await asyncio.sleep(0.05)
