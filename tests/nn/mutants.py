"""Byte strings that may be planned models, loaded and run under sanitizers."""

import struct
import subprocess
from collections.abc import Sequence

from hack.testbed.exactness import BUILD, build


def run_mutants(blobs: Sequence[bytes]) -> list[tuple[int, str]]:
    """Return what nn_load, and nn_run or "-", said of each; fail if a sanitizer did."""
    build("nn-mutants")
    done = subprocess.run(
        [BUILD / "host" / "nn_mutants"],
        input=b"".join(struct.pack("<I", len(b)) + b for b in blobs),
        capture_output=True,
        timeout=150,
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    lines = [line.split() for line in done.stdout.decode().splitlines()]
    assert len(lines) == len(blobs)
    return [(int(load), run) for load, run in lines]
