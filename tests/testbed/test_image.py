"""Archives of images: what a reader checks, and that the same content gives the same bytes."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hack.image.oci import Blob, Image, pack
from hack.image.small import around


class Archive:
    """An image's archive, read by the specification alone."""

    def __init__(self, image: Image) -> None:
        buffer = io.BytesIO()
        image.write(buffer)
        buffer.seek(0)
        self.files = {}
        with tarfile.open(fileobj=buffer) as tar:
            for member in tar:
                content = tar.extractfile(member)
                assert content is not None
                self.files[member.name] = content.read()
        self.index = json.loads(self.files["index.json"])
        entries = self.index["manifests"]
        self.names = [entry["annotations"]["io.containerd.image.name"] for entry in entries]
        assert len({entry["digest"] for entry in entries}) == 1
        self.manifest: Any = json.loads(self.follow(entries[0]))
        self.config: Any = json.loads(self.follow(self.manifest["config"]))
        self.layers = [self.follow(layer) for layer in self.manifest["layers"]]

    def follow(self, described: dict[str, Any]) -> bytes:
        """The blob of a descriptor, whose digest and size are as it says."""
        kind, _, digest = described["digest"].partition(":")
        blob = self.files[f"blobs/{kind}/{digest}"]
        assert (hashlib.sha256(blob).hexdigest(), len(blob)) == (digest, described["size"])
        return blob


def members(layer: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        return {member.name: member for member in tar}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "opt" / "b").mkdir(parents=True)
    (root / "opt" / "b" / "program").write_text("#!/bin/sh\n")
    (root / "opt" / "b" / "program").chmod(0o755)
    (root / "opt" / "a").write_text("text")
    (root / "link").symlink_to("opt/a")
    return root


def test_archive_holds_what_it_describes(tree: Path, tmp_path: Path) -> None:
    layers = (pack(tree, tmp_path / "lower.tar"), Blob.of(b"upper"))
    image = Image("localhost/some:2", layers, ("run", "it"), {"A": "b"}, "10001", "/work")
    archive = Archive(image)
    assert archive.names == ["localhost/some:2"]
    assert Archive(replace(image, also=("localhost/some:3",))).names == [
        image.name,
        "localhost/some:3",
    ]
    assert archive.layers == [(tmp_path / "lower.tar").read_bytes(), b"upper"]
    # The layers are not compressed, so each is what it unpacks to.
    named = [layer["digest"] for layer in archive.manifest["layers"]]
    assert archive.config["rootfs"]["diff_ids"] == named
    made = archive.config["config"]
    assert (made["Entrypoint"], made["User"], made["WorkingDir"]) == (
        ["run", "it"],
        "10001",
        "/work",
    )
    assert "A=b" in made["Env"]
    assert any(variable.startswith("PATH=") for variable in made["Env"])


def test_layer_is_the_same_whenever_and_by_whom_it_is_made(tree: Path, tmp_path: Path) -> None:
    first = pack(tree, tmp_path / "one.tar")
    for path in tree.rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)
    if os.geteuid() == 0:
        os.chown(tree / "opt" / "a", 1234, 1234)
    assert pack(tree, tmp_path / "two.tar").digest == first.digest
    (tree / "opt" / "a").write_text("other")
    assert pack(tree, tmp_path / "three.tar").digest != first.digest


def test_layer_keeps_modes_and_links(tree: Path, tmp_path: Path) -> None:
    pack(tree, tmp_path / "layer.tar", "srv")
    found = members((tmp_path / "layer.tar").read_bytes())
    assert found["srv/opt/b/program"].mode == 0o755
    assert found["srv/link"].linkname == "opt/a"
    assert {member.uid for member in found.values()} == {0}


def test_small_image_has_its_program_and_a_shell(tmp_path: Path) -> None:
    shell, program = tmp_path / "busybox", tmp_path / "driver"
    shell.write_bytes(b"shell")
    program.write_bytes(b"program")
    archive = Archive(around("driver", shell, {"driver": program}, ("/bin/driver",)))
    assert archive.names == ["localhost/driver:1"]
    found = members(archive.layers[0])
    assert (found["bin/driver"].mode, found["bin/driver"].size) == (0o755, 7)
    assert found["bin/sh"].linkname == "busybox"
    assert archive.config["config"]["Entrypoint"] == ["/bin/driver"]
