"""Compares the device runtime with tflite-micro, bit for bit, here or on an emulated board.

By hand: ``python -m hack.testbed.exactness model.tflite``.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import select
import struct
import subprocess
import time
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from petiole_pipelines.planner import Reference, plan

from .boards import BOARDS, BoardName
from .processes import ROOT

Where = Literal["posix"] | BoardName
Values = npt.NDArray[np.int8]

PLACES: tuple[Where, ...] = ("posix", *BOARDS)
BUILD = ROOT / "build" / "firmware"
LOAD, RUN, CHECK = 1, 2, 3  # commands of firmware/tests/nn_server.h
REQUEST = struct.Struct("<2sHI")
RESPONSE = struct.Struct("<2sHiI")
AT_ONCE = 10  # inputs of a check in one request
# One instruction is 64 ns of the emulated clock, so that the board's timer counts instructions.
COUNTED = ("-serial", "stdio", "-icount", "shift=6", "-kernel")
UNCOUNTED = ("-serial", "stdio", "-kernel")


class ServerError(Exception):
    """The runtime refused a request, or did not answer in time."""


@dataclass(frozen=True)
class Exactness:
    """``mismatches`` of ``inputs`` gave another output; mean ``instructions`` where counted."""

    inputs: int
    mismatches: int
    instructions: int | None


@dataclass(frozen=True)
class Check:
    """Of one inference: the instructions it took, and the CRC-32 of its output."""

    instructions: int
    crc: int


@dataclass(frozen=True)
class Answer:
    """One inference: int8 [out_len], and the instructions it took (0 where not counted)."""

    output: Values
    instructions: int


def build(*target: str) -> None:
    """Make targets of ``firmware/nn.mk``, or set its variables; only one process at a time."""
    BUILD.mkdir(parents=True, exist_ok=True)
    command = ["make", "--no-print-directory", "-C", str(ROOT / "firmware"), "-f", "nn.mk", *target]
    with (BUILD / ".nn.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if made.returncode:
        raise ServerError(f"{' '.join(command)} failed:\n{made.stdout}{made.stderr}")


def server_command(where: Where, *, counted: bool = True) -> tuple[str, ...]:
    """Build ``nn_server`` for this machine or for a board, and return how it is started."""
    if where == "posix":
        build("nn-host")
        return (str(BUILD / "host" / "nn_server"),)
    build("nn-mps2", f"BOARD={where}")
    board = BOARDS[where]
    options = COUNTED if counted else UNCOUNTED
    return (*board.command, *options, str(board.built / "nn_server.elf"))


class Talk:
    """A running program that answers requests in the form of ``nn_server.h``; a context."""

    def __init__(self, command: tuple[str, ...], *, seconds: float = 60.0) -> None:
        """Start. ``seconds`` is the deadline of every single answer."""
        self._seconds = seconds
        # The child must not outlive this process, even one that is killed.
        self._process = subprocess.Popen(
            ("setpriv", "--pdeathsig", "KILL", *command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._process.kill()
        self._process.wait(timeout=10)
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    def ask(self, command: int, payload: bytes) -> bytes:
        """Return the answer's payload. Raises ServerError if it says no, or nothing in time."""
        deadline = time.monotonic() + self._seconds
        self._write(REQUEST.pack(b"PN", command, len(payload)) + payload, deadline)
        magic, echo, status, length = RESPONSE.unpack(self._read(RESPONSE.size, deadline))
        if (magic, echo) != (b"PN", command):
            raise ServerError(f"nn_server answered out of step: {magic!r} {echo}")
        if status:
            raise ServerError(f"nn_server refused command {command} with status {status}")
        return self._read(length, deadline)

    def _write(self, data: bytes, deadline: float) -> None:
        stream = self._process.stdin
        assert stream is not None
        while data:
            self._wait([], [stream.fileno()], deadline)
            # A pipe that is ready takes this much at least without blocking.
            data = data[os.write(stream.fileno(), data[: select.PIPE_BUF]) :]

    def _read(self, size: int, deadline: float) -> bytes:
        stream = self._process.stdout
        assert stream is not None
        data = b""
        while len(data) < size:
            self._wait([stream.fileno()], [], deadline)
            part = os.read(stream.fileno(), size - len(data))
            if not part:
                raise ServerError(f"nn_server ended with status {self._process.wait(timeout=10)}")
            data += part
        return data

    def _wait(self, read: list[int], write: list[int], deadline: float) -> None:
        left = max(0.0, deadline - time.monotonic())
        ready = select.select(read, write, [], left)
        if not any(ready):
            raise ServerError(f"nn_server did not answer within {self._seconds:g} s")


class Server(Talk):
    """A running ``nn_server`` with one model loaded."""

    def __init__(
        self, where: Where, blob: bytes, *, seconds: float = 60.0, counted: bool = True
    ) -> None:
        """Start and load. A board that is not ``counted`` is faster; its counts mean nothing."""
        super().__init__(server_command(where, counted=counted), seconds=seconds)
        try:
            self.load(blob)
        except BaseException:
            self.close()
            raise

    def load(self, blob: bytes) -> None:
        """Load another model in place of the present one."""
        self.in_len, self.out_len, self.arena = struct.unpack("<3I", self.ask(LOAD, blob))

    def check(self, first: int, count: int) -> list[Check]:
        """Run ``count`` inputs of :func:`drawn`, that begin with number ``first``."""
        checks: list[Check] = []
        while len(checks) < count:
            some = min(AT_ONCE, count - len(checks))
            ask = struct.pack("<2I", first + len(checks) * self.in_len, some)
            checks += [Check(*c) for c in struct.iter_unpack("<2I", self.ask(CHECK, ask))]
        return checks

    def run(self, values: Values) -> Answer:
        """Run one input of ``in_len`` values."""
        answer = self.ask(RUN, values.tobytes())
        return Answer(np.frombuffer(answer[4:], np.int8), int.from_bytes(answer[:4], "little"))


def drawn(first: int, count: int) -> Values:
    """Return the int8 values that ``nn_server`` draws too: hashes of the numbers from ``first``."""
    n = np.arange(first, first + count, dtype=np.uint64).astype(np.uint32)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        n = (n ^ n >> np.uint32(shift)) * np.uint32(factor)
    return ((n ^ n >> np.uint32(16)) >> np.uint32(24)).astype(np.uint8).view(np.int8)


@cache
def wanted(tflite: bytes, in_len: int, inputs: int) -> tuple[int, ...]:
    """Return the CRC-32 of what tflite-micro answers to each of the first inputs drawn."""
    outputs = Reference(tflite).run(drawn(0, inputs * in_len).reshape(inputs, in_len))
    return tuple(zlib.crc32(y.tobytes()) for y in outputs)


def compare(tflite: bytes, *, inputs: int, where: Where | Server) -> Exactness:
    """Run ``inputs`` random inputs on tflite-micro and on the runtime.

    ``where`` may be a server that runs already. Raises ``PlanError`` for a model that cannot be
    planned, ``ServerError`` if the runtime fails.
    """
    planned = plan(tflite)
    if not isinstance(where, Server):
        with Server(where, planned.blob) as server:
            return compare(tflite, inputs=inputs, where=server)
    where.load(planned.blob)
    checks = where.check(0, inputs)
    crcs = wanted(tflite, planned.in_len, inputs)
    mismatches = sum(c.crc != crc for c, crc in zip(checks, crcs, strict=True))
    counted = sum(c.instructions for c in checks)
    return Exactness(inputs, mismatches, counted // inputs if counted else None)


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare the device runtime with tflite-micro.")
    parser.add_argument("model", type=Path, help="an int8 .tflite file")
    parser.add_argument("--inputs", type=int, default=500)
    arguments = parser.parse_args()
    for where in PLACES:
        found = compare(arguments.model.read_bytes(), inputs=arguments.inputs, where=where)
        print(f"{where}: {found}")


if __name__ == "__main__":
    main()
