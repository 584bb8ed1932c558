"""Writes ``gitops/argocd/argocd-cm.yaml``: the Lua scripts beside it, as Argo CD's settings.

They are needed there for as long as an Argo CD does not bring them along.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parent.parent / "gitops" / "argocd"
FILE = FOLDER / "argocd-cm.yaml"
_HEADER = """\
# Generated from resource_customizations/ by `make gitops`; do not edit. Beside other settings:
#   kubectl apply --server-side --field-manager=petiole -f argocd-cm.yaml
"""


class _Dumper(yaml.SafeDumper):
    """Writes scripts as blocks."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def settings() -> dict[str, Any]:
    """The ConfigMap, without the settings of others that it has beside these."""
    data: dict[str, str] = {}
    for folder in sorted((FOLDER / "resource_customizations").glob("*/*")):
        kind = f"{folder.parent.name}_{folder.name}"
        data[f"resource.customizations.health.{kind}"] = (folder / "health.lua").read_text()
        data[f"resource.customizations.actions.{kind}"] = _dump(_actions(folder / "actions"))
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "argocd-cm", "namespace": "argocd"},
        "data": data,
    }


def _actions(folder: Path) -> dict[str, Any]:
    scripts = sorted(folder.glob("*/action.lua"))
    return {
        "discovery.lua": (folder / "discovery.lua").read_text(),
        "definitions": [{"name": s.parent.name, "action.lua": s.read_text()} for s in scripts],
    }


def _dump(value: dict[str, Any]) -> str:
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=120)


def written() -> str:
    return _HEADER + _dump(settings())


if __name__ == "__main__":
    FILE.write_text(written())
