"""A packed artefact says what it was packed from, and nothing but the key's owner can change it."""

import hashlib
import subprocess
import sys
from dataclasses import replace

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from petiole.artifact.keys import BadKeyError, load_private, new_private_pem, public_pem
from petiole.artifact.pack import pack
from petiole.artifact.policy import Anomaly, ArtifactError, Golden, Policy, TaskKind
from petiole.artifact.read import inspect, verify

MODEL = bytes(range(256)) * 5 + b"end"
GOLDEN = Golden.split(bytes(range(74)) * 3, 64, 10)
CONFIDENCE = tuple(range(16))
POLICY = Policy(target="cortex-m4", abi=1, arena=4096, ops=0b101, security_counter=7, revision=3)


@pytest.fixture(scope="module")
def key():
    return load_private(new_private_pem())


def packed(key, **changes):
    arguments = {
        "reference_count": 120,
        "reference_confidence": CONFIDENCE,
        "policy": POLICY,
        "key": key,
        "golden": GOLDEN,
        "model": MODEL,
    } | changes
    return pack(arguments.pop("model"), arguments.pop("golden"), **arguments)


def test_inspect_returns_what_was_packed(key):
    data = packed(key)
    artifact = verify(data, [key.public_key()])
    assert artifact.policy == POLICY
    assert artifact.digest == hashlib.sha256(data).hexdigest()
    assert artifact.size == len(data)
    span = artifact.model
    assert artifact.payload[span.offset : span.offset + span.length] == MODEL
    assert artifact.golden_count == 3
    assert artifact.payload[artifact.golden_inputs :][: 3 * 64] == GOLDEN.inputs
    assert artifact.payload[artifact.golden_outputs :][: 3 * 10] == GOLDEN.outputs
    places = (artifact.golden_inputs, span.offset, artifact.golden_outputs)
    assert list(places) == sorted(places)
    assert artifact.golden_outputs < artifact.reference.offset
    assert all(place % 16 == 0 for place in (*places, artifact.reference.offset))
    assert (artifact.reference_count, artifact.reference_confidence) == (120, CONFIDENCE)


def test_a_task_without_classes_is_packed_and_read(key):
    for anomaly in (
        Anomaly(TaskKind.RECONSTRUCTION, threshold=12.5, release=3.25, step=0.375, zero=-7),
        Anomaly(TaskKind.DISTANCE, threshold=40.0, release=0.0, inputs=200),
    ):
        data = packed(key, policy=replace(POLICY, anomaly=anomaly))
        assert verify(data, [key.public_key()]).policy.anomaly == anomaly


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": 0.0, "release": 0.0},
        {"release": 41.0},
        {"inputs": 1},
        {"kind": TaskKind.RECONSTRUCTION, "step": 0.0},
        {"kind": TaskKind.RECONSTRUCTION, "step": 17.0},
        {"kind": TaskKind.RECONSTRUCTION, "step": 1.0, "zero": 128},
    ],
)
def test_a_task_that_no_device_would_take_is_refused(wrong):
    good = {"kind": TaskKind.DISTANCE, "threshold": 40.0, "release": 20.0, "inputs": 50}
    Anomaly(**good)
    with pytest.raises(ArtifactError):
        Anomaly(**(good | wrong))


def test_the_same_input_gives_the_same_bytes(key):
    assert packed(key) == packed(key)


def imgtool(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "imgtool.main", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_imgtool_verifies_and_reads_the_same(key, tmp_path):
    image, public, dump = (tmp_path / name for name in ("image.bin", "key.pem", "dump.yaml"))
    image.write_bytes(packed(key))
    public.write_bytes(public_pem(key.public_key()))
    done = imgtool("verify", "-k", str(public), str(image))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0.0.0+3" in done.stdout
    done = imgtool("dumpinfo", str(image), "-o", str(dump))
    assert done.returncode == 0, done.stdout + done.stderr
    described = yaml.safe_load(dump.read_text())
    records = {
        record["type"]: bytes(record["data"]) for record in described["tlv_area"]["tlvs_prot"]
    }
    assert records[0x50] == (7).to_bytes(4, "little")
    assert records[0xA1] == b"cortex-m4"
    assert records[0xA3] == (4096).to_bytes(4, "little")


def test_imgtool_refuses_another_key(key, tmp_path):
    image, public = tmp_path / "image.bin", tmp_path / "key.pem"
    image.write_bytes(packed(key))
    public.write_bytes(public_pem(load_private(new_private_pem()).public_key()))
    assert imgtool("verify", "-k", str(public), str(image)).returncode != 0


def test_another_key_is_refused(key):
    with pytest.raises(ArtifactError, match="no known key signed it"):
        verify(packed(key), [load_private(new_private_pem()).public_key()])


def test_every_flipped_byte_is_refused(key):
    data = bytearray(packed(key))
    for at in range(len(data)):
        data[at] ^= 0x41
        with pytest.raises(ArtifactError):
            verify(bytes(data), [key.public_key()])
        data[at] ^= 0x41
    verify(bytes(data), [key.public_key()])


def test_every_cut_is_refused(key):
    data = packed(key)
    for size in range(len(data)):
        with pytest.raises(ArtifactError):
            inspect(data[:size])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": b""}, "model is empty"),
        ({"reference_confidence": (1, 2)}, "2 bins, not 16"),
    ],
)
def test_pack_names_what_is_wrong(key, changes, words):
    with pytest.raises(ArtifactError, match=words):
        packed(key, **changes)


@pytest.mark.parametrize("vectors", [b"", bytes(73), bytes(75)])
def test_golden_vectors_that_are_not_whole_are_named(vectors):
    with pytest.raises(ArtifactError, match=f"of {len(vectors)} bytes are not inputs of 64 bytes"):
        Golden.split(vectors, 64, 10)


def test_a_key_of_another_kind_is_named():
    pem = generate_private_key(SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    with pytest.raises(BadKeyError, match="Ed25519"):
        load_private(pem)
    with pytest.raises(BadKeyError, match="petiole key new"):
        load_private(b"hello")
