"""Boards of QEMU on Ethernet: a network of their own each, which leads to this machine's loopback.

``petiole.artifact.network`` says what a board must know to connect by itself.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from typing import TextIO

from petiole.artifact.network import Network, Secure

# QEMU's user network, as it is unless told otherwise.
_HOST = IPv4Address("10.0.2.2")
_BOARD = IPv4Interface("10.0.2.15/24")
_MAC = bytes.fromhex("525400123456")


def network(port: int, secure: Secure | None = None, *, broker: IPv4Address = _HOST) -> Network:
    """A board's way to a broker at ``port`` of this machine's loopback, or of ``broker``."""
    return Network(_MAC, _BOARD, _HOST, broker, port, secure)


def wires(memory: Path) -> list[str]:
    """Options of QEMU for a board without a second UART, on Ethernet with a cable to pull."""
    return [
        "-serial", "null",
        "-nic", "user,model=lan9118,id=lan",
        "-qmp", f"unix:{_console(memory)},server=on,wait=off",
    ]  # fmt: skip


def plug(memory: Path, *, into: bool) -> None:
    """Plug the cable of a running board in, or pull it out. RuntimeError when QEMU will not."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as console:
        console.settimeout(10)
        console.connect(str(_console(memory)))
        with console.makefile("rw") as lines:
            lines.readline()  # its greeting
            _command(lines, "qmp_capabilities", {})
            _command(lines, "set_link", {"name": "lan", "up": into})


def _command(lines: TextIO, name: str, arguments: Mapping[str, object]) -> None:
    lines.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
    lines.flush()
    answer = json.loads(lines.readline())
    if "return" not in answer:
        raise RuntimeError(f"QEMU's {name}: {answer}")


def _console(memory: Path) -> Path:
    return memory.with_suffix(".qmp")
