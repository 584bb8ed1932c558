"""Argo CD's own interpreter makes of the scripts what ``lua`` makes of them. ``make test-argocd``.

Its program is asked without any server, with the settings as a user applies them.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from hack import gitops
from hack.argocd import programs
from hack.argocd.versions import PROGRAM

from .lua import run
from .objects import CUSTOMIZATIONS

HEALTH = sorted(CUSTOMIZATIONS.glob("*/testdata/*.yaml"))
ACTIONS = sorted(CUSTOMIZATIONS.glob("*/actions/testdata/*.yaml"))

pytestmark = [
    pytest.mark.argocd,
    pytest.mark.skipif(programs.missing(), reason="Argo CD is not built: make test-argocd"),
]


def name_of(path: Path) -> str:
    return f"{path.relative_to(CUSTOMIZATIONS).parts[0]} {path.stem}"


def argocd(command: str, path: Path, home: Path) -> str:
    asked = ["admin", "settings", "resource-overrides", command, str(path)]
    settings = ["--argocd-cm-path", str(gitops.FILE)]
    done = subprocess.run(
        [str(programs.folder() / "bin" / PROGRAM), *asked, *settings],
        env={**os.environ, "HOME": str(home), "KUBECONFIG": str(home / "none")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


@pytest.mark.parametrize("path", HEALTH, ids=name_of)
def test_health(path: Path, tmp_path: Path) -> None:
    obj = load(path)
    wanted = run(path.parents[1] / "health.lua", obj)
    if "deletionTimestamp" in obj["metadata"]:
        wanted["message"] = "Pending deletion"  # it asks no script about these
    said = argocd("health", path, tmp_path)
    assert said == f"STATUS: {wanted['status']}\nMESSAGE: {wanted['message']}\n"


@pytest.mark.parametrize("path", ACTIONS, ids=name_of)
def test_actions(path: Path, tmp_path: Path) -> None:
    wanted = run(path.parents[1] / "discovery.lua", load(path))
    _, *lines = argocd("list-actions", path, tmp_path).splitlines()
    offered = {name: disabled == "true" for name, disabled in map(str.split, lines)}
    assert offered == {name: found.get("disabled", False) for name, found in wanted.items()}
