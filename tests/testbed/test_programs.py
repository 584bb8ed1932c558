"""Where the control plane's programs come from, and what happens when they cannot be had."""

from __future__ import annotations

import hashlib
import io
import platform
import tarfile
import urllib.error
from pathlib import Path
from typing import Any

import pytest

from hack.argocd import programs as argocd
from hack.argocd.versions import ARGOCD, MODULE
from hack.controlplane import programs
from hack.controlplane.gobuild import go_version, package_of
from hack.controlplane.versions import ENVTEST, KUBERNETES, PROGRAMS, architecture


def put(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)


def archive(*names: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name in names:
            member = tarfile.TarInfo(f"controller-tools/envtest/{name}")
            member.size = len(name)
            tar.addfile(member, io.BytesIO(name.encode()))
    return buffer.getvalue()


def serve(monkeypatch: pytest.MonkeyPatch, content: bytes, sha512: str) -> None:
    """Answer the one download with ``content``."""
    monkeypatch.setattr(programs.urllib.request, "urlopen", lambda *_, **__: Answer(content))
    arch = architecture(platform.machine())
    monkeypatch.setattr(programs, "ENVTEST_SHA512", {arch: sha512})


class Answer(io.BytesIO):
    def __enter__(self) -> Any:
        return self


def test_each_program_comes_from_the_first_place_that_has_it(tmp_path: Path) -> None:
    given, cache = tmp_path / "given", tmp_path / "cache" / "petiole" / "controlplane"
    put(given, "etcd", "kubectl")
    put(cache / KUBERNETES, "etcd", "kube-controller-manager")
    put(cache / f"envtest-{ENVTEST}", *PROGRAMS)
    environment = {"KUBEBUILDER_ASSETS": str(given), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    assert programs.locate(environment) == {
        "etcd": given / "etcd",
        "kubectl": given / "kubectl",
        "kube-controller-manager": cache / KUBERNETES / "kube-controller-manager",
        "kube-apiserver": cache / f"envtest-{ENVTEST}" / "kube-apiserver",
    }


def test_a_file_that_cannot_be_run_does_not_count(tmp_path: Path) -> None:
    put(tmp_path, *PROGRAMS)
    (tmp_path / "etcd").chmod(0o644)
    found = programs.locate(
        {"KUBEBUILDER_ASSETS": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "none")}
    )
    assert sorted(found) == sorted(set(PROGRAMS) - {"etcd"})


def test_archive_is_unpacked_when_its_checksum_is_the_pinned_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = archive("etcd", "kube-apiserver", "kubectl", "README")
    serve(monkeypatch, content, hashlib.sha512(content).hexdigest())
    into = tmp_path / "cache" / "envtest"
    assert programs.download_envtest(into, lambda _: None)
    assert sorted(p.name for p in into.iterdir()) == ["etcd", "kube-apiserver", "kubectl"]
    assert (into / "etcd").stat().st_mode & 0o111
    assert list(into.parent.iterdir()) == [into]


def test_another_archive_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, archive("etcd"), "0" * 128)
    said: list[str] = []
    assert not programs.download_envtest(tmp_path / "cache" / "envtest", said.append)
    assert "not the pinned one" in said[-1]
    assert list((tmp_path / "cache").iterdir()) == []


def test_being_offline_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: Any, **__: Any) -> Any:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(programs.urllib.request, "urlopen", offline)
    said: list[str] = []
    assert not programs.download_envtest(tmp_path / "envtest", said.append)
    assert "no route to host" in said[-1]


def test_only_what_is_missing_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "given", "etcd", "kube-apiserver", "kubectl")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path / "given"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    asked: list[str] = []

    def build(names: list[str], into: Path, _: Any) -> None:
        asked.extend(names)
        put(into, *names)

    monkeypatch.setattr(programs, "build", build)
    found = programs.ensure(lambda _: None)
    assert asked == ["kube-controller-manager"]
    assert sorted(found) == sorted(PROGRAMS)


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_program_has_a_locked_go_module(program: str) -> None:
    folder, package, _ = package_of(program)
    assert package in (folder / "go.mod").read_text()
    assert (folder / "go.sum").stat().st_size > 1000


def test_argo_cd_has_a_locked_go_module_of_its_version() -> None:
    locked = (argocd.LOCK / "go.mod").read_text()
    assert f"{MODULE} v{ARGOCD}" in locked
    assert f"tool {MODULE}/cmd" in locked
    assert f"{MODULE} v{ARGOCD} h1:" in (argocd.LOCK / "go.sum").read_text()


def test_go_version_is_read_from_what_go_says(tmp_path: Path) -> None:
    go = tmp_path / "go"
    go.write_text("#!/bin/sh\necho go version go1.26.8 linux/amd64\n")
    go.chmod(0o755)
    assert go_version(str(go)) == (1, 26)
    go.write_text("#!/bin/sh\nexit 1\n")
    assert go_version(str(go)) == (0, 0)
