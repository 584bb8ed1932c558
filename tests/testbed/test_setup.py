"""Set-up: what it installs, what it says when it may not, and that it does nothing twice."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hack import setup
from hack.testbed.processes import ROOT

ABSENT = setup.Package("moon-rocket", lambda: False)
PRESENT = setup.Package("gcc", lambda: True)


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Commands instead of their effects."""
    ran: list[str] = []
    monkeypatch.setattr(setup, "run", lambda *words, **_: ran.append(" ".join(map(str, words))))
    return ran


def test_only_missing_packages_are_installed_and_none_recommended(
    monkeypatch: pytest.MonkeyPatch, commands: list[str]
) -> None:
    monkeypatch.setattr(setup.os, "geteuid", lambda: 0)
    monkeypatch.setattr(setup.shutil, "which", lambda name, **_: f"/usr/bin/{name}")
    setup.debian_packages([PRESENT, ABSENT])
    assert len(commands) == 1
    assert commands[0].startswith("env DEBIAN_FRONTEND=noninteractive apt-get install")
    assert commands[0].endswith("--no-install-recommends moon-rocket")
    setup.debian_packages([PRESENT])
    assert len(commands) == 1


def test_sudo_is_used_where_it_is_needed(
    monkeypatch: pytest.MonkeyPatch, commands: list[str]
) -> None:
    monkeypatch.setattr(setup.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(setup.shutil, "which", lambda name, **_: f"/usr/bin/{name}")
    setup.debian_packages([ABSENT])
    assert commands[0].startswith("sudo env DEBIAN_FRONTEND=noninteractive apt-get install")


@pytest.mark.parametrize(("there", "words"), [("apt-get", "administrator"), ("", "no apt-get")])
def test_without_root_and_sudo_the_packages_are_named(
    monkeypatch: pytest.MonkeyPatch, commands: list[str], there: str, words: str
) -> None:
    monkeypatch.setattr(setup.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(setup.shutil, "which", lambda name, **_: name if name == there else None)
    with pytest.raises(setup.SetupError, match=rf"(?s){words}.*moon-rocket"):
        setup.debian_packages([PRESENT, ABSENT])
    assert commands == []


def test_old_package_lists_are_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def run(*words: Any, **_: Any) -> None:
        ran.append(" ".join(map(str, words)))
        if len(ran) == 1:
            raise setup.SetupError("404")

    monkeypatch.setattr(setup, "run", run)
    monkeypatch.setattr(setup.os, "geteuid", lambda: 0)
    setup.debian_packages([ABSENT])
    assert ["update" in line for line in ran] == [False, True, False]


def test_an_old_python_is_refused_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "OLDEST_PYTHON", (9, 9))
    with pytest.raises(setup.SetupError, match="make PYTHON="):
        setup.check_python()


def test_python_packages_are_installed_by_hash_once(
    monkeypatch: pytest.MonkeyPatch, commands: list[str], tmp_path: Path
) -> None:
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.touch()
    monkeypatch.setattr(setup, "VENV", tmp_path)
    monkeypatch.setattr(setup, "PYTHON", python)
    setup.python_packages()
    installs = [line for line in commands if "requirements" in line]
    assert len(installs) == 2
    assert all("--require-hashes" in line for line in installs)
    before = len(commands)
    setup.python_packages()
    assert len(commands) == before


def test_a_failing_command_is_named() -> None:
    with pytest.raises(setup.SetupError, match="false"):
        setup.run("false")


def test_repeated_set_up_is_quick_and_records_its_time() -> None:
    """The session runs in an environment that is set up."""
    command = [sys.executable, "hack/setup.py", "--for", "check"]
    subprocess.run(command, cwd=ROOT, check=True, timeout=120)
    result = subprocess.run(
        command, cwd=ROOT, check=True, timeout=20, capture_output=True, text=True
    )
    assert "installing" not in result.stdout
    record = json.loads((ROOT / "build" / "setup-check.json").read_text())
    assert record["seconds"] < 5


def test_make_names_its_commands() -> None:
    said = subprocess.run(
        ["make", "help"], cwd=ROOT, check=True, timeout=20, capture_output=True, text=True
    ).stdout
    for target in ("demo", "test", "test-long", "check", "clean"):
        assert f"\n{target} " in f"\n{said}"
