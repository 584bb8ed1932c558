"""The device applies a patch as the gateway does, or refuses it as the gateway would."""

from __future__ import annotations

import random
import struct

import pytest

from petiole.artifact.patch import PatchError, apply, make

from .test_core import run, written

CASES = 400


@pytest.fixture(autouse=True)
def built(made):
    made("test-programs")


def cases(chance: random.Random):
    """Base, patch and the size of the result: right ones first, then spoiled ones."""
    for number in range(CASES):
        base = chance.randbytes(chance.randrange(2000))
        pieces = [chance.randbytes(chance.randrange(30))]
        for _ in range(chance.randrange(6)):
            start = chance.randrange(len(base) + 1)
            pieces += [base[start : start + chance.randrange(900)], chance.randbytes(9)]
        new = b"".join(pieces)
        patch = bytearray(make(base, new))
        if number >= CASES // 4:
            for _ in range(chance.randint(1, 3)):
                patch[chance.randrange(len(patch))] = chance.randrange(256)
        yield base, bytes(patch), len(new) + (number % 20 == 19)


def wanted(base: bytes, patch: bytes, size: int) -> str:
    try:
        made = apply(base, patch)
    except PatchError:
        return "refused"
    return made.hex() if len(made) == size else "refused"


def test_device_and_gateway_agree_on_patches(tmp_path):
    given = list(cases(random.Random(7)))
    packed = (struct.pack("<III", len(b), len(p), size) + b + p for b, p, size in given)
    shown = run("test_patch", *written(tmp_path, cases=b"".join(packed))).splitlines()
    expected = [wanted(*case) for case in given]
    assert shown == expected
    assert 50 < expected.count("refused") < CASES - 50
