"""Volumes that an administrator made beforehand: folders of the node, given out by a class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hack.node.node import NAME

_CLASS = "folders"


def volumes(folder: Path, **sizes: str) -> list[dict[str, Any]]:
    """Objects of the default class and of a volume for each name, ``folder/NAME``.

    Of kind ``local``, which Pods own by their fsGroup, as they do what a driver makes.
    """
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    made: list[dict[str, Any]] = [
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": _CLASS, "annotations": default},
            "provisioner": "kubernetes.io/no-provisioner",
            "volumeBindingMode": "WaitForFirstConsumer",
        }
    ]
    for name, size in sizes.items():
        (folder / name).mkdir(parents=True)
        made.append(_volume(name, folder / name, size))
    return made


def _volume(name: str, folder: Path, size: str) -> dict[str, Any]:
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NAME]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "storageClassName": _CLASS,
            "capacity": {"storage": size},
            "accessModes": ["ReadWriteMany", "ReadWriteOnce"],
            "local": {"path": str(folder)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
        },
    }
