"""The CustomResourceDefinitions of both kinds, generated from the models.

``python -m petiole.api.crd`` writes ``crds/*.yaml``; with ``--check`` it fails when they differ.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from .base import GROUP, VERSION
from .devicefleet import DeviceFleetSpec, DeviceFleetStatus
from .schema import Schema, structural
from .tinymodel import TinyModelSpec, TinyModelStatus

CATEGORY = "petiole"
_FOLDER = Path(__file__).resolve().parents[3] / "crds"
_HEADER = "# Generated from operator/petiole/api by `python -m petiole.api.crd`; do not edit.\n"
_READY = '.status.conditions[?(@.type=="Ready")].status'

# An object that the operator has not looked at must not count as done: kstatus takes one without
# conditions for current. Status is not what a user keeps in Git, so that a default does no harm.
_UNSEEN = {"observedGeneration": -1}

# The name ends up in MQTT messages (127 bytes with the namespace) and in names of pipeline runs.
_NAME_RULE = {
    "rule": "size(self.metadata.name) <= 63",
    "message": "metadata.name must have at most 63 characters",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of ``kubectl get``. ``wide`` ones show with ``-o wide`` only."""

    name: str
    path: str
    type: str = "string"
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: its names, its models and what people see of it."""

    name: str
    plural: str
    short: str
    spec: type[BaseModel]
    status: type[BaseModel]
    description: str
    columns: tuple[Column, ...]
    selectable: tuple[str, ...] = ()  # fields that ``kubectl get --field-selector`` takes


_AGE = Column("Age", ".metadata.creationTimestamp", "date")
_MESSAGE = Column("Message", ".status.message", wide=True)

TINY_MODEL = Kind(
    name="TinyModel",
    plural="tinymodels",
    short="tm",
    spec=TinyModelSpec,
    status=TinyModelStatus,
    description="What to learn, from which data, with how many labels, for which devices.",
    columns=(
        Column("Version", ".status.latestVersion", "integer"),
        Column("Step", ".status.round.step"),
        Column("Labels", ".status.labels.spent", "integer"),
        Column("Accuracy", ".status.versions[-1:].accuracy"),
        Column("F1", ".status.versions[-1:].f1", wide=True),
        Column("Ready", _READY),
        _MESSAGE,
        _AGE,
    ),
)

DEVICE_FLEET = Kind(
    name="DeviceFleet",
    plural="devicefleets",
    short="df",
    spec=DeviceFleetSpec,
    status=DeviceFleetStatus,
    description="Which devices take which model, and how carefully.",
    columns=(
        Column("Target", ".status.revision.target", "integer"),
        Column("Stable", ".status.revision.stable", "integer"),
        Column("Firmware", ".status.firmware.stable", "integer"),
        Column("Kind", ".status.kind"),
        Column("Stage", ".status.stage.name"),
        Column("Updated", ".status.counts.updated", "integer"),
        Column("Failed", ".status.counts.failed", "integer"),
        Column("Waiting", ".status.waitingFor.reason"),
        Column("Model", ".spec.model.name", wide=True),
        Column("Devices", ".status.counts.total", "integer", wide=True),
        Column("Ready", _READY, wide=True),
        Column("Drift", ".status.drift.state", wide=True),
        _MESSAGE,
        _AGE,
    ),
    selectable=(".spec.model.name",),
)

KINDS = (TINY_MODEL, DEVICE_FLEET)


def definition(kind: Kind) -> dict[str, Any]:
    """Return the CustomResourceDefinition of ``kind``, ready to be applied."""
    singular = kind.name.lower()
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": _root(kind)},
        "subresources": {"status": {}},
        "additionalPrinterColumns": [_column(column) for column in kind.columns],
    }
    if kind.selectable:
        version["selectableFields"] = [{"jsonPath": path} for path in kind.selectable]
    names = {
        "kind": kind.name,
        "listKind": f"{kind.name}List",
        "plural": kind.plural,
        "singular": singular,
        "shortNames": [kind.short],
        "categories": [CATEGORY],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{GROUP}"},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
    }


def documents() -> dict[str, str]:
    """File name in ``crds/`` to its content."""
    return {
        f"{GROUP}_{kind.plural}.yaml": _HEADER
        + yaml.dump(definition(kind), Dumper=_Dumper, sort_keys=False, width=100)
        for kind in KINDS
    }


def _root(kind: Kind) -> Schema:
    return {
        "type": "object",
        "description": kind.description,
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": structural(kind.spec),
            "status": structural(kind.status) | {"default": _UNSEEN},
        },
        "x-kubernetes-validations": [_NAME_RULE],
    }


def _column(column: Column) -> dict[str, Any]:
    written: dict[str, Any] = {
        "name": column.name,
        "type": column.type,
        "jsonPath": column.path,
    }
    return written | ({"priority": 1} if column.wide else {})


class _Dumper(yaml.SafeDumper):
    """Without anchors: the same rule list may stand in two places."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002
        return True


def main(arguments: list[str]) -> int:
    """Write the files, or with ``--check`` name those that differ and return 1."""
    wanted = documents()
    if arguments == ["--check"]:
        stale = [n for n, text in wanted.items() if _read(_FOLDER / n) != text]
        extra = [p.name for p in _FOLDER.glob("*.yaml") if p.name not in wanted]
        for name in stale + extra:
            sys.stderr.write(f"crds/{name} differs: run `python -m petiole.api.crd`\n")
        return 1 if stale or extra else 0
    _FOLDER.mkdir(exist_ok=True)
    for name, text in wanted.items():
        (_FOLDER / name).write_text(text)
    return 0


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
