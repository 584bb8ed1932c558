"""The core's parts on this machine under sanitizers: programs in C, with input from here."""

from __future__ import annotations

import hashlib
import random
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hack.testbed.devices import Device
from hack.testbed.firmware import stand_in
from hack.testbed.models import TARGET, make, sign
from hack.testbed.processes import ROOT
from petiole.artifact.flash import FLASH_SIZE, Identity, flash_image
from petiole.artifact.keys import public_der, public_raw
from petiole.wire.messages import (
    Artefact,
    Cause,
    FirmwareState,
    Grant,
    Patch,
    Phase,
    Reason,
    Sample,
    ShadowRun,
    State,
    Stats,
    Why,
    encode_ack,
    encode_halt,
)

PROGRAMS = ROOT / "build" / "firmware" / "test"
NOT_A_MESSAGE = 3  # exit status of probe


@pytest.fixture(autouse=True)
def built(made):
    made("test-programs")


def run(program: str, *arguments: object, status: int = 0, seconds: float = 170) -> str:
    command = [PROGRAMS / program, *(str(a) for a in arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def written(folder: Path, **files: bytes) -> list[Path]:
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in files]


@pytest.mark.parametrize(
    "program",
    [
        "test_journal",
        "test_mqtt",
        "test_network",
        "test_samples",
        "test_stash",
        "test_stats",
        "test_encode",
    ],
)
def test_unit(program):
    run(program)


@pytest.mark.parametrize("kind", ["model", "firmware"])
def test_only_the_signed_image_is_accepted(tmp_path, key, kind):
    image = sign(make(1, vectors=1), key)
    if kind == "firmware":
        where = Device("leaf", TARGET, firmware_offset=0x80000, firmware_size=8192)
        image = stand_in(key, where, revision=1, size=100).a
    run("test_image", *written(tmp_path, image=image, key=public_raw(key.public_key())))


def signed_anew(data: bytes, key: Ed25519PrivateKey, change: Callable[[list], list]) -> bytes:
    """Change the protected TLVs, a list of (type, value), and sign the result properly."""
    _, protected, size = struct.unpack_from("<HHI", data, 8)
    start, tlvs = 32 + size + 4, []
    while start < 32 + size + protected:
        kind, length = struct.unpack_from("<HH", data, start)
        tlvs.append((kind, data[start + 4 : start + 4 + length]))
        start += 4 + length

    def area(magic: int, fields: list) -> bytes:
        body = b"".join(struct.pack("<HH", kind, len(v)) + v for kind, v in fields)
        return struct.pack("<HH", magic, 4 + len(body)) + body

    policy = area(0x6908, change(tlvs))
    body = data[:10] + struct.pack("<H", len(policy)) + data[12 : 32 + size] + policy
    digest = hashlib.sha256(body).digest()
    owner = hashlib.sha256(public_der(key.public_key())).digest()
    return body + area(0x6907, [(0x10, digest), (0x01, owner), (0x24, key.sign(digest))])


ODD = {
    "a field twice": lambda tlvs: [*tlvs, tlvs[0]],
    "a field less": lambda tlvs: tlvs[1:],
    "an unknown field": lambda tlvs: [*tlvs, (0xAF, b"1234")],
    "a short number": lambda tlvs: [(k, v[:2] if k == 0xA3 else v) for k, v in tlvs],
    "a model outside": lambda tlvs: [
        (k, struct.pack("<II", 64, 2**32 - 32) if k == 0xA8 else v) for k, v in tlvs
    ],
    "golden outside": lambda tlvs: [
        (k, struct.pack("<III", 0, 2**31, 1) if k == 0xA5 else v) for k, v in tlvs
    ],
}


def test_a_signature_does_not_excuse_an_odd_policy(key):
    data = sign(make(1, vectors=1), key)
    public = public_raw(key.public_key()).hex()
    assert signed_anew(data, key, list) == data
    assert run("probe", "image", public, data.hex()) == "none\n"
    for what, change in ODD.items():
        odd = signed_anew(data, key, change)
        assert (what, run("probe", "image", public, odd.hex())) == (what, "bad-image\n")


def test_hashes_equal_those_of_the_library():
    lines = iter(run("probe", "hashes").split())
    for size in range(300):
        data = bytes(i % 256 for i in range(size))
        for name in ("sha256", "sha512"):
            assert (next(lines), next(lines)) == (name, hashlib.new(name, data).hexdigest())


PATCH = ("cd" * 32, "ef" * 32, 800)
GRANTS = [
    Grant(1, "default.meters", 1000, 5),
    Grant(
        2**32 - 1,
        "n" * 127,
        2**32 - 1,
        10_000,
        Artefact("ab" * 32, 2**32 - 1, 65535),
        hold=True,
        attempt=65535,
    ),
    Grant(7, "default.meters", 1000, 5, Artefact("ab" * 32, 9000, 1024, Patch(*PATCH))),
]


@pytest.mark.parametrize("grant", GRANTS)
def test_the_device_reads_grants_as_they_are_written(grant):
    shown = dict(line.split() for line in run("probe", "grant", grant.encode().hex()).splitlines())
    wanted = {
        "serial": grant.serial,
        "fleet": grant.fleet,
        "interval": grant.interval,
        "samples": grant.samples,
        "hold": int(grant.hold),
        "attempt": grant.attempt,
    }
    if grant.artefact:
        wanted |= {
            "digest": grant.artefact.digest,
            "size": grant.artefact.size,
            "block": grant.artefact.block,
        }
    if grant.artefact and grant.artefact.patch:
        wanted |= dict(zip(("base", "patch", "patch_size"), PATCH, strict=True))
    assert shown == {name: str(value) for name, value in wanted.items()}


@pytest.mark.parametrize("count", [0, 1, 8])
def test_the_device_reads_halts(count):
    digests = tuple(f"{n:064x}" for n in range(count))
    shown = run("probe", "halt", encode_halt(digests).hex()).split()
    assert tuple(shown[1::2]) == digests


def test_the_device_reads_acks_and_takes_an_empty_halt_for_none():
    hashes = tuple(bytes([n]) * 16 for n in range(16))
    shown = run("probe", "ack", encode_ack(hashes).hex()).split()
    assert tuple(shown[1::2]) == tuple(h.hex() for h in hashes)
    assert run("probe", "halt", "") == ""


def test_wrong_messages_are_no_messages():
    good = GRANTS[1].encode()
    for wrong in (b"", good[:-1], good + b"\0", b"\xa0", encode_halt(("00" * 32,))):
        run("probe", "grant", wrong.hex(), status=NOT_A_MESSAGE)
    nine = b"\x89" + 9 * (b"\x58\x20" + bytes(32))
    run("probe", "halt", nine.hex(), status=NOT_A_MESSAGE)


def test_no_message_breaks_the_device():
    chance = random.Random(5)
    originals = [
        ("grant", GRANTS[1].encode()),
        ("halt", encode_halt(("0a" * 32,) * 8)),
        ("ack", encode_ack((bytes(16),) * 16)),
    ]
    for kind, data in originals:
        mutants = []
        for _ in range(400):
            mutant = bytearray(data)
            for _ in range(chance.randint(1, 3)):
                mutant[chance.randrange(len(mutant))] = chance.randrange(256)
            mutants.append(bytes(mutant).hex())
        command = [PROGRAMS / "probe", kind, *mutants]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, errors="replace")
        assert done.returncode in (0, NOT_A_MESSAGE), (kind, done.stderr)


def test_the_gateway_reads_the_largest_messages_of_a_device():
    shown = dict(line.split() for line in run("probe", "largest").splitlines())
    state = State.decode(bytes.fromhex(shown["state"]))
    assert (state.phase, state.reason, state.got) == (Phase.READY, Reason.TIMEOUT, 65535)
    assert state.active == state.target == state.standby == "ab" * 32
    assert (state.floor, state.caps.arena) == (2**32 - 1, 2**32 - 1)
    assert (state.attempt, state.score) == (65535, 2**32 - 1)
    assert state.firmware == FirmwareState("ab" * 32, "ab" * 32, 2**32 - 1)
    assert state.crash is not None
    assert (state.crash.boot, state.crash.cause) == (2**32 - 1, Cause.ASSERTION)
    stats = Stats.decode(bytes.fromhex(shown["stats"]))
    assert stats.classes == (2**32 - 1,) * 32
    assert stats.inputs == stats.latency == (2**32 - 1,) * 16
    assert stats.drift == 0
    assert stats.shadow == ShadowRun("ff" * 32, 2**32 - 1, 2**32 - 1, 2**64 - 1)
    assert stats.confidence_squares == stats.input_sum == stats.latency_sum == 2**64 - 1
    sample = Sample.decode(bytes.fromhex(shown["sample"]))
    assert (len(sample.input), sample.label, sample.why) == (1024, 255, Why.RANDOM)


@pytest.mark.parametrize("target", ["check-generated", "check-core"])
def test_make(made, target):
    made(target)


def test_an_identity_that_cannot_be_is_refused():
    good = {
        "device": "leaf",
        "user": "leaf",
        "password": "secret",
        "target": TARGET,
        "keys": (bytes(32),),
        "slot_size": 65536,
        "arena_size": 4096,
    }
    assert len(flash_image(Identity(**good))) == FLASH_SIZE
    for name, value in {
        "device": "no/slash",
        "keys": (),
        "slot_size": 1000,
        "target": "t" * 25,
        "password": "p" * 64,
    }.items():
        with pytest.raises(ValueError, match=r"want|slot size"):
            flash_image(Identity(**(good | {name: value})))
