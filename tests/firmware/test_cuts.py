"""Power cuts at every flash operation of an update, natively: of models and of firmware."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hack.testbed.devices import Device
from hack.testbed.firmware import Release, stand_in
from hack.testbed.models import TARGET, make, sign
from petiole.artifact.flash import flash_image
from petiole.artifact.keys import public_raw

from .test_core import run, written

Kind = Literal["model", "firmware"]

SLOT = 16 * 1024
DEVICE = Device(
    "leaf", TARGET, slot=SLOT, arena=4096, firmware_offset=0x4000 + 2 * SLOT, firmware_size=8192
)
HIGHEST = 2**32 - 1  # security counter
QUICK = (3, 1)
FULL = (5, 5)


@pytest.fixture(autouse=True)
def built(made):
    made("test-programs")


def files(folder: Path, kind: Kind, key: Ed25519PrivateKey, counters: tuple[int, int]) -> list:
    """A provisioned flash, a model, and three artefacts of the kind; counters of OLD and NEW."""
    old, new = counters

    def firmware(revision: int, counter: int) -> Release:
        size = 100 + 400 * revision  # more or fewer blocks
        return stand_in(key, DEVICE, revision=revision, security_counter=counter, size=size)

    keys = (public_raw(key.public_key()),)
    flash = flash_image(DEVICE.identity(keys, 0), firmware=firmware(1, 1).a)
    model = sign(make(4, vectors=1), key, security_counter=1)
    given = written(folder, flash=flash, model=model)
    if kind == "model":
        models = {
            "first": sign(make(3, vectors=2), key, security_counter=1),
            "old": sign(make(1, vectors=1), key, security_counter=old),
            "new": sign(make(2, vectors=1), key, security_counter=new),
        }
        return given + written(folder, **models)
    for name, revision, counter in (("first", 4, 1), ("old", 2, old), ("new", 3, new)):
        made = firmware(revision, counter)
        (folder / f"{name}.a").write_bytes(made.a)
        (folder / f"{name}.b").write_bytes(made.b)
        given.append(folder / name)
    return given


def cuts(
    folder: Path,
    kind: Kind,
    key: Ed25519PrivateKey,
    parts: tuple[int, int],
    *,
    records: int = 0,
    counters: tuple[int, int] = (1, 2),
    seconds: float = 170,
) -> int:
    """Run the sweep. Returns in how many runs the power was cut."""
    given = files(folder, kind, key, counters)
    said = run("test_cuts", kind, *parts, records, *given, seconds=seconds)
    return int(re.search(r"(\d+) runs", said)[1])


KINDS: tuple[Kind, ...] = ("model", "firmware")


@pytest.mark.parametrize("kind", KINDS)
def test_an_update_survives_two_power_cuts_at_any_flash_operation(
    tmp_path, key, kind, record_property
):
    done = cuts(tmp_path, kind, key, QUICK)
    record_property("cuts", done)
    assert done > 300


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("records", [28, 31])
def test_an_update_survives_a_power_cut_while_the_journal_wraps(
    tmp_path, key, kind, records, record_property
):
    """Its sector is nearly full, and its numbers go over the end of their range."""
    done = cuts(tmp_path, kind, key, (5, 0), records=records)
    record_property("cuts", done)
    assert done > 50


@pytest.mark.parametrize("kind", KINDS)
def test_an_update_to_the_highest_counter_survives_a_power_cut(
    tmp_path, key, kind, record_property
):
    done = cuts(tmp_path, kind, key, (5, 0), counters=(HIGHEST - 1, HIGHEST))
    record_property("cuts", done)
    assert done > 50


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("records", [0, *range(24, 33)])
def test_an_update_survives_two_power_cuts_torn_in_any_way(
    tmp_path, key, kind, records, record_property
):
    done = cuts(tmp_path, kind, key, FULL, records=records, seconds=1500)
    record_property("cuts", done)
    assert done > 1000
