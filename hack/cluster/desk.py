"""A desk to install from: a folder with the commands of docs/install.md on its path."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hack.chart.programs import helm
from hack.testbed.controlplane import ControlPlane
from hack.testbed.processes import ROOT

_PAGE = ROOT / "docs" / "install.md"
_SECONDS = 600.0
_PYTHON_PATH = ":".join(str(ROOT / part) for part in ("operator", "pipelines"))
# What Helm is told beside the page's words: the cluster's own values, and to wait.
_HELM = """\
#!/bin/sh
case "$1" in
install) exec {helm} "$@" --values {values} --wait --timeout 5m ;;
upgrade | uninstall) exec {helm} "$@" --wait --timeout 5m ;;
*) exec {helm} "$@" ;;
esac
"""
_PETIOLE = """\
#!/bin/sh
PYTHONPATH={path} exec {python} -c 'from petiole.cli.plugin import main; main()' "$@"
"""


class DeskError(Exception):
    """A command failed; the message has it, and what it said."""


class Desk:
    """``values`` are the cluster's own, which whoever installs gives the chart."""

    def __init__(self, folder: Path, cluster: ControlPlane, values: Mapping[str, Any]) -> None:
        self.folder = folder
        self._kubeconfig = cluster.kubeconfig
        self._bin = folder / "bin"
        self._bin.mkdir(parents=True)
        (folder / "charts").symlink_to(ROOT / "charts")
        given = folder / "values.json"
        given.write_text(json.dumps(values))
        (self._bin / "kubectl").symlink_to(cluster.kubectl_path)
        self._command("helm", _HELM.format(helm=helm(), values=given))
        self._command("petiole", _PETIOLE.format(path=_PYTHON_PATH, python=sys.executable))

    def run(self, command: str, kubeconfig: Path | None = None) -> str:
        """Run a line of shell as an administrator, or as who has the kubeconfig."""
        own = {
            f"HELM_{kind}_HOME": str(self.folder / "helm") for kind in ("CACHE", "CONFIG", "DATA")
        }
        done = subprocess.run(
            ["sh", "-ec", command],
            cwd=self.folder,
            env={
                **os.environ,
                **own,
                "PATH": f"{self._bin}:{os.environ['PATH']}",
                "KUBECONFIG": str(kubeconfig or self._kubeconfig),
            },
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise DeskError(f"$ {command}\n{done.stdout}{done.stderr}")
        return done.stdout

    def _command(self, name: str, text: str) -> None:
        (self._bin / name).write_text(text)
        (self._bin / name).chmod(0o755)


def installation() -> list[str]:
    """The commands of docs/install.md, "First installation", word for word."""
    found = re.search(
        r"^## First installation\n.*?^```sh\n(.*?)^```", _PAGE.read_text(), re.DOTALL | re.MULTILINE
    )
    if found is None:
        raise DeskError(f"{_PAGE} has no commands below 'First installation'")
    return found[1].splitlines()


def option(command: str, name: str) -> list[str]:
    """What a command gives an option, each time."""
    words = shlex.split(command)
    return [words[at + 1] for at, word in enumerate(words[:-1]) if word == name]
