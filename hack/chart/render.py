"""The chart as Helm renders it, with nothing of the user's own settings."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from .programs import ROOT, helm

CHART = ROOT / "charts" / "petiole"
_SECONDS = 60.0


class RenderError(Exception):
    """Helm refuses chart or values; the message is what it printed."""


def run_helm(
    command: str, values: Mapping[str, Any], *, folder: Path, namespace: str
) -> subprocess.CompletedProcess[str]:
    """Run one of Helm's commands on the chart; ``folder`` is for its files."""
    given = folder / "values.json"
    given.write_text(json.dumps(values))
    own = {f"HELM_{kind}_HOME": str(folder / "helm") for kind in ("CACHE", "CONFIG", "DATA")}
    where = ["petiole"] if command == "template" else []
    return subprocess.run(
        [str(helm()), command, *where, str(CHART), "--namespace", namespace, "-f", str(given)],
        capture_output=True,
        text=True,
        env=os.environ | own,
        timeout=_SECONDS,
        check=False,
    )


def render(values: Mapping[str, Any], folder: Path, namespace: str) -> list[dict[str, Any]]:
    """Return the objects that the chart makes of the values, in a release named petiole.

    Raises ``RenderError``, or ``FetchError`` without Helm.
    """
    done = run_helm("template", values, folder=folder, namespace=namespace)
    if done.returncode != 0:
        raise RenderError(done.stderr.strip())
    # libyaml's loader: the CRDs take Python's a second each time.
    return [found for found in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if found]
