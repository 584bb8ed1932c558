"""The boards of ``firmware/port/mps2`` as machines of QEMU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from petiole.artifact.flash import MPS2_MEMORY_SIZE

from .processes import ROOT

BoardName = Literal["an385", "an386", "an500", "an505", "an547"]

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
