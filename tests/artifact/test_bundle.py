"""A bundle says what it was built from, and nothing but the key's owner can change its images."""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from petiole.artifact import bundle as bundles
from petiole.artifact import firmware
from petiole.artifact.bundle import Linked
from petiole.artifact.container import UnknownKeyError
from petiole.artifact.keys import load_private, new_private_pem, public_pem
from petiole.artifact.policy import ArtifactError
from petiole.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
A, B = 0x21024000, 0x21044000
CODE = bytes(range(256)) * 3 + b"end"
LINKED = [Linked("an386", "b", B, CODE[::-1]), Linked("an386", "a", A, CODE)]


@pytest.fixture(scope="module")
def key():
    return load_private(new_private_pem())


def built(linked=LINKED):
    return bundles.read(bundles.build(linked, "1.2.3", 7))


@pytest.fixture(scope="module")
def signed(key):
    return bundles.read(bundles.sign(built(), key, 5))


def test_a_signed_bundle_says_what_was_built(signed, key):
    found = bundles.verify(signed, [key.public_key()])
    assert [(f.target, f.address, f.name, f.revision, f.security_counter) for f in found] == [
        ("an386", A, "1.2.3", 7, 5),
        ("an386", B, "1.2.3", 7, 5),
    ]
    assert [f.container.payload for f in found] == [CODE, CODE[::-1]]
    assert [(i.digest, i.size) for i in signed.manifest.images] == [
        (f.digest, f.size) for f in found
    ]


def test_the_same_input_gives_the_same_bytes(key):
    assert bundles.build(LINKED, "1", 1) == bundles.build(LINKED[::-1], "1", 1)
    assert bundles.sign(built(), key, 5) == bundles.sign(built(), key, 5)


def test_imgtool_agrees(signed, key, tmp_path):
    public = tmp_path / "key.pem"
    public.write_bytes(public_pem(key.public_key()))
    for image in signed.manifest.images:
        file = tmp_path / image.file
        file.write_bytes(signed.content(image))
        command = [sys.executable, "-m", "imgtool.main", "verify", "-k", str(public), str(file)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "0.0.0+7" in done.stdout


def test_another_key_is_named(signed):
    other = load_private(new_private_pem()).public_key()
    with pytest.raises(UnknownKeyError, match=r"an386-a\.img: no known key signed it"):
        bundles.verify(signed, [other])
    with pytest.raises(ArtifactError, match="petiole firmware sign"):
        bundles.verify(built(), [other])


def test_every_flipped_byte_of_an_image_is_refused(signed, key):
    image = signed.manifest.images[0]
    data = bytearray(signed.content(image))
    for at in range(len(data)):
        data[at] ^= 0x41
        files = {**signed.files, image.file: bytes(data)}
        damaged = bundles.Bundle(signed.digest, signed.manifest, files)
        with pytest.raises(ArtifactError):
            bundles.verify(damaged, [key.public_key()])
        data[at] ^= 0x41


def test_a_flipped_byte_of_the_file_is_refused_or_changes_nothing(key):
    """Some bytes of a zip file mean nothing to who reads it, but none may change an image."""
    data = bytearray(bundles.sign(built(), key, 5))
    wanted = bundles.verify(bundles.read(bytes(data)), [key.public_key()])
    refused = 0
    for at in range(len(data)):
        data[at] ^= 0x41
        try:
            found = bundles.verify(bundles.read(bytes(data)), [key.public_key()])
        except ArtifactError:
            refused += 1
        else:
            assert found == wanted
        data[at] ^= 0x41
    assert refused > 0.9 * len(data)


@pytest.mark.parametrize(
    ("linked", "words"),
    [
        ([], "it has none"),
        (LINKED[:1], "it has an386:b"),
        ([*LINKED, Linked("an500", "a", A, CODE)], "an386:a, an386:b, an500:a"),
    ],
)
def test_a_board_without_both_slots_is_named(linked, words):
    with pytest.raises(ArtifactError, match=words):
        built(linked)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"code": b""}, "empty"),
        ({"target": "x" * 25}, "want 1 to 24 ASCII"),
        ({"name": "ü"}, "want 1 to 24 ASCII"),
        ({"address": 0}, "want one above 0"),
    ],
)
def test_what_no_device_takes_is_named(key, changes, words):
    given = {"target": "an386", "address": A, "name": "1", "revision": 1, "security_counter": 1}
    given |= {"code": CODE, **changes}
    with pytest.raises(ArtifactError, match=words):
        firmware.sign(given.pop("code"), **given, key=key)


def test_what_is_no_bundle_is_named():
    with pytest.raises(ArtifactError, match="no whole zip file"):
        bundles.read(b"hello")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("bundle.json", json.dumps({"version": "1"}))
    with pytest.raises(ArtifactError, match=r"bundle\.json is missing or cannot be read"):
        bundles.read(stream.getvalue())


def elf(*segments):
    """Return a 32-bit little-endian ARM program of segments (physical address, content)."""
    at = 52 + 32 * len(segments)
    table, data = b"", b""
    for address, content in segments:
        fields = (1, at + len(data), 0x1000, address, len(content), len(content) + 8, 5, 4)
        table += b"".join(f.to_bytes(4, "little") for f in fields)
        data += content
    head = b"\x7fELF\x01\x01\x01" + bytes(9) + bytes.fromhex("0200280001000000") + bytes(4)
    head += (52).to_bytes(4, "little") + bytes(8)
    head += b"".join(n.to_bytes(2, "little") for n in (52, 32, len(segments), 0, 0, 0))
    return head + table + data


def test_segments_lie_at_their_load_addresses():
    start, flat = firmware.flatten(elf((A + 16, b"data"), (A, b"code"), (A + 99, b"")))
    assert (start, flat) == (A, b"code" + b"\xff" * 12 + b"data")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x7fELF\x02\x01" + bytes(60), "no 32-bit"),
        (elf((A, b"code"))[:60], "cut"),
        (elf((A, b"code"))[:-1], "cut"),
        (elf(), "nothing to load"),
        (elf((0, b"a"), (2**31, b"b")), "spans"),
    ],
)
def test_an_unusable_elf_is_named(data, words):
    with pytest.raises(ArtifactError, match=words):
        firmware.flatten(data)


def run(*arguments):
    return CliRunner().invoke(app, ["firmware", *map(str, arguments)], env={"COLUMNS": "200"})


def test_from_the_linker_to_a_verdict(tmp_path):
    """The whole command: build from an ELF and a binary file, sign, look at it with either key."""
    files = {name: tmp_path / name for name in ("a.elf", "b.bin", "raw.zip", "out.zip", "k", "o")}
    files["a.elf"].write_bytes(elf((A + 512, CODE)))
    files["b.bin"].write_bytes(CODE)
    for name in ("k", "o"):
        key = load_private(new_private_pem())
        files[name].write_bytes(public_pem(key.public_key()))
        if name == "k":
            secret = tmp_path / "secret"
            secret.write_bytes(_private(key))
    done = run(
        *("build", "--version", "1.0", "--revision", 3, "-o", files["raw.zip"]),
        *("--image", f"an386:a={files['a.elf']}", "--image", f"an386:b@{B:x}={files['b.bin']}"),
        *("--third-party", ROOT / "firmware/third_party"),
    )
    assert done.exit_code == 0, done.output
    done = run("sign", files["raw.zip"], "--key", secret, "--counter", 2, "-o", files["out.zip"])
    assert done.exit_code == 0, done.output
    done = run("inspect", files["out.zip"], "--public-key", files["k"])
    assert done.exit_code == 0, done.output
    assert f"{A:#x}" in done.output
    assert f"{B:#x}" in done.output
    assert done.output.count("good") == 2
    done = run("inspect", files["out.zip"], "--public-key", files["o"])
    assert done.exit_code == 1
    assert "no known key signed it" in done.output
    bom = json.loads(run("inspect", files["out.zip"], "--sbom").output)
    assert {"zcbor", "pymonocypher (carries monocypher 4.0.3)"} <= {
        c["name"] for c in bom["components"]
    }


def _private(key):
    from cryptography.hazmat.primitives import serialization as s

    return key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())


def test_a_binary_needs_its_address(tmp_path):
    file = tmp_path / "a.bin"
    file.write_bytes(CODE)
    done = run(
        "build", "--version", "1", "--revision", 1, "-o", tmp_path / "x", "--image", f"x:a={file}"
    )
    assert done.exit_code == 2
    assert "give its slot's address" in done.output
