"""What the agent and the boot loader take on a Cortex-M4, part by part.

``python -m hack.sizes`` prints a table of what ``make -C firmware mps2 small`` has built, compares
it with the committed ``firmware/sizes.json``, and holds it against the limits. ``--write`` commits
to new sizes.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypedDict

from hack.testbed.processes import ROOT

SIZES = ROOT / "firmware" / "sizes.json"
UPDATE = ".venv/bin/python -m hack.sizes --write"

# The first pattern that fits an object file names its part.
PARTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("crypto", ("core/sha*", "core/ed25519*", "third_party/monocypher/*")),
    ("runtime", ("core/nn_*",)),
    (
        "messages",
        ("core/messages*", "core/encode*", "core/cbor*", "core/generated/*", "*/zcbor/*"),
    ),
    ("session", ("core/mqtt*", "core/link*", "core/report*", "core/topics*", "core/wait*")),
    (
        "telemetry",
        (
            "core/stats*",
            "core/samples*",
            "core/stash*",
            "core/drift*",
            "core/fixed*",
            "core/shadow*",
        ),
    ),
    ("anomalies", ("core/anomaly*", "core/distance*", "core/learned*")),
    ("boot", ("boot/*",)),
    ("updates", ("core/*",)),
    ("port", ("port/*",)),
    ("library", ("*.a(*",)),
)
OTHER = "padding"  # between functions and tables

# What a port lends: the arena, samples, and what bytes wait in on their way.
LENT = ("arena", "samples", "tx", "rx", "rings", "sensor")

_FLASH, _RAM = (".text", ".ARM.exidx", ".data"), (".noinit", ".data", ".bss")
_OUTPUT = re.compile(r"^(\.\S+)")
_INPUT = re.compile(r"^ (\S+)\s+0x[0-9a-f]+\s+0x([0-9a-f]+)(?: (.*))?$")


@dataclass(frozen=True, slots=True)
class Piece:
    """A section of an object file in a program, ``size`` in bytes."""

    output: str
    name: str
    size: int
    file: str


class Sizes(TypedDict):
    """Bytes of a program: ``text`` with constants by part, ``ram`` by variable.

    The stack does not count, nor what is ``LENT``.
    """

    text: dict[str, int]
    ram: dict[str, int]


@dataclass(frozen=True, slots=True)
class Limit:
    program: str
    what: str
    most: int


# Programs by name, below build/firmware: as it is, with its kernels small as well, the boot loader.
AGENT, SMALL, BOOT = "agent", "agent -Os", "boot"
PROGRAMS = {
    AGENT: "mps2-an386/petiole-agent",
    SMALL: "small/mps2-an386/petiole-agent",
    BOOT: "mps2-an386/petiole-boot",
}
LIMITS = (
    Limit(SMALL, "text", 48 * 1024),
    Limit(AGENT, "ram", 6 * 1024),
    Limit(BOOT, "text", 20 * 1024),
)


def pieces(linked: str) -> Iterator[Piece]:
    """What GNU ld's map says of a program."""
    memory_map = linked.split("Linker script and memory map", 1)[1]
    output = ""
    # A long name has a line of its own.
    for line in re.sub(r"^( \S+)\n +(?=0x)", r"\1 ", memory_map, flags=re.MULTILINE).splitlines():
        if found := _OUTPUT.match(line):
            output = found[1]
        elif found := _INPUT.match(line):
            yield Piece(output, found[1], int(found[2], 16), found[3] or "")


def part_of(file: str) -> str:
    """The part that an object file belongs to."""
    name = file.rsplit("/obj/", maxsplit=1)[-1]
    matching = (part for part, patterns in PARTS if any(fnmatchcase(name, p) for p in patterns))
    return next(matching, OTHER)


def measure(linked: str) -> Sizes:
    """Sizes of a program, from GNU ld's map."""
    text: Counter[str] = Counter()
    ram: Counter[str] = Counter()
    for piece in pieces(linked):
        if piece.output in _FLASH:
            text[part_of(piece.file)] += piece.size
        variable = _variable(piece)
        if piece.output in _RAM and variable not in LENT:
            ram[variable] += piece.size
    return {"text": dict(sorted((+text).items())), "ram": dict(sorted((+ram).items()))}


def _variable(piece: Piece) -> str:
    """The name in ``.bss.name`` or ``.bss.name.1``, or the section's."""
    words = piece.name.strip(".").split(".")
    return OTHER if not piece.file else words[1] if len(words) > 1 else words[0]


def built() -> dict[str, Sizes]:
    """Sizes of the programs for the Cortex-M4 board."""
    folder = ROOT / "build" / "firmware"
    return {name: measure((folder / f"{path}.map").read_text()) for name, path in PROGRAMS.items()}


def complaints(now: Mapping[str, Sizes], committed: object) -> list[str]:
    """What is wrong with these sizes; empty when nothing is."""
    found = [
        f"{limit.program}: {size:,} bytes of {limit.what}, more than {limit.most:,}"
        for limit in LIMITS
        if (size := sum(_of(now[limit.program], limit.what).values())) > limit.most
    ]
    if now != committed:
        found.append(f"the sizes are not those of {SIZES.relative_to(ROOT)}; to accept: {UPDATE}")
    return found


def table(now: Mapping[str, Sizes], committed: Mapping[str, Sizes]) -> str:
    """Bytes by program and part, and what has changed since they were committed."""
    lines = []
    for program, sizes in now.items():
        for what in ("text", "ram"):
            parts = _of(sizes, what)
            before = _of(committed[program], what) if program in committed else {}
            lines.append(f"{program + ' ' + what:<20}{sum(parts.values()):>16,}")
            for part in sorted(parts | before, key=lambda p: -parts.get(p, 0)):
                change = parts.get(part, 0) - before.get(part, 0)
                noted = f"  {change:+,}" if change else ""
                lines.append(f"  {part:<24}{parts.get(part, 0):>10,}{noted}")
    return "\n".join(lines)


def _of(sizes: Sizes, what: str) -> dict[str, int]:
    return sizes["text"] if what == "text" else sizes["ram"]


def main() -> int:
    parser = argparse.ArgumentParser(description="Sizes of the agent and of the boot loader.")
    parser.add_argument("--write", action="store_true", help="commit to these sizes")
    parser.add_argument("--quiet", action="store_true", help="print complaints only")
    arguments = parser.parse_args()
    now = built()
    committed = json.loads(SIZES.read_text()) if SIZES.exists() else {}
    found = complaints(now, now if arguments.write else committed)
    if found or not arguments.quiet:
        print(table(now, committed))
    for line in found:
        print(f"sizes: {line}", file=sys.stderr)
    if arguments.write:
        SIZES.write_text(json.dumps(now, indent=2) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
