"""The store says what is wrong and what to do about it."""

import os
import resource
import subprocess

import pytest

from petiole.controller.problem import Problem
from petiole.controller.store import Store


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of 64 KiB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system takes root")
    folder = tmp_path / "small"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], check=False, timeout=10
    )
    if done.returncode:
        pytest.skip("this environment allows no mounts")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True, timeout=10)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path.as_uri())


def test_objects_come_back(store):
    assert store.get("artifacts/a") is None
    assert not store.exists("artifacts/a")
    store.put("artifacts/a", b"one")
    store.put("artifacts/a", b"two")
    assert store.get("artifacts/a") == b"two"
    assert store.exists("artifacts/a")
    store.put("samples/u/x.cbor", b"")
    assert list(store.names("samples/u")) == ["samples/u/x.cbor"]
    assert list(store.names("samples/other")) == []


def test_a_full_disk_is_told(small_disk):
    store = Store(small_disk.as_uri())
    store.put("models/u/labels.json", b"{}")
    with pytest.raises(Problem, match=r"cannot write .*artifacts/a.* full; free some space"):
        store.put("artifacts/a", bytes(200_000))
    assert store.get("artifacts/a") is None
    assert store.get("models/u/labels.json") == b"{}"


def test_a_limit_on_files_is_told(store):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16_384, hard))
    try:
        with pytest.raises(Problem, match=r"cannot write .*artifacts/a"):
            store.put("artifacts/a", bytes(200_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert store.get("artifacts/a") is None


def test_a_missing_folder_is_told(tmp_path):
    with pytest.raises(Problem, match="make that folder or correct the URI"):
        Store((tmp_path / "none").as_uri())


def test_a_folder_that_goes_away_is_told(tmp_path):
    folder = tmp_path / "store"
    folder.mkdir()
    store = Store(folder.as_uri())
    folder.rmdir()
    with pytest.raises(Problem, match="is gone"):
        store.put("artifacts/a", b"")
    with pytest.raises(Problem, match="is gone"):
        store.get("artifacts/a")


def test_a_damaged_document_is_told(store):
    store.put("models/u/labels.json", b"{")
    with pytest.raises(Problem, match=r"labels\.json is not JSON"):
        store.get_json("models/u/labels.json")
    store.put("models/u/labels.json", b"[]")
    with pytest.raises(Problem, match="not a JSON object"):
        store.get_json("models/u/labels.json")


def test_an_unknown_scheme_is_told():
    with pytest.raises(Problem, match="ftp://somewhere"):
        Store("ftp://somewhere/store")
