"""The version that the field runs, as its run left it in the store."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from .store import Store


@dataclass(frozen=True, slots=True)
class Fielded:
    """Number of the version, and the folder of the run that it was made by."""

    number: int
    folder: str
    store: Store

    @staticmethod
    def find(store: Store, document: str, output_path: str) -> Fielded | None:
        """Read a version's document; None when there is no version yet, or no longer.

        Runs of one model are neighbours, so that of the version lies beside ``output_path``.
        """
        content = store.get(document) if document else None
        if content is None:
            return None
        said = json.loads(content)
        folder = PurePosixPath(output_path).parent / str(said["run"])
        return Fielded(int(said["version"]["version"]), str(folder), store)

    def tflite(self, target: str) -> bytes | None:
        return self.store.get(f"{self.folder}/{target}.tflite")

    def network(self, target: str) -> str:
        """Return the name of the target's network; empty when its run did not say."""
        return str(chosen(self.store, f"{self.folder}/{target}").get("network", ""))


def chosen(store: Store, base: str) -> dict[str, Any]:
    """Read what the student step said of the model at ``<base>.tflite``; nothing of another's."""
    content = store.get(f"{base}.choice.json")
    return {} if content is None else dict(json.loads(content))
