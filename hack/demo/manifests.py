"""An example's manifests as a run applies them: with its data, and scaled by declared overrides."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .example import FLEET_FILE, LEFT_OUT, MODEL_FILE, ExampleError, Overrides, TaskSpec
from .watch import Object


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a manifest that a demo has otherwise than the example."""

    file: str
    path: str
    example: Any
    demo: Any

    def __str__(self) -> str:
        return f"{self.file}: {self.path}: {_words(self.example)} -> {_words(self.demo)}"


@dataclass(frozen=True, slots=True)
class Manifests:
    """The files of ``folder``; ``${DATA}`` in them becomes ``data``, and overrides their fields."""

    folder: Path
    data: Path
    overrides: Overrides

    def read(self, name: str) -> Object:
        """One manifest. ExampleError for an override of a field that it does not have."""
        document = self._parsed(name)
        for path, value in self.overrides.get(name, {}).items():
            where, last = _reach(document, path, name)
            if value is LEFT_OUT:
                where.pop(last, None)
            else:
                where[last] = value
        return document

    def write(self, name: str, folder: Path) -> Path:
        """Write one manifest below ``folder``; return its path."""
        folder.mkdir(exist_ok=True)
        rendered = folder / name
        rendered.write_text(yaml.safe_dump(self.read(name), sort_keys=False))
        return rendered

    def changes(self) -> list[Change]:
        """All that is not as in the example, to be shown."""
        return list(self._changes())

    def _changes(self) -> Iterator[Change]:
        for name, fields in self.overrides.items():
            document = self._parsed(name)
            for path, value in fields.items():
                where, last = _reach(document, path, name)
                yield Change(name, path, where.get(last), value)

    def _parsed(self, name: str) -> Object:
        text = (self.folder / name).read_text().replace("${DATA}", str(self.data))
        found: Object = yaml.safe_load(text)
        return found

    @property
    def model(self) -> Object:
        return self.read(MODEL_FILE)

    @property
    def fleet(self) -> Object:
        return self.read(FLEET_FILE)

    @property
    def task(self) -> TaskSpec:
        found: TaskSpec = self.model["spec"]["task"]
        return found


def _reach(document: Object, path: str, name: str) -> tuple[Object, str]:
    """The mapping that holds the field, and its key; elements of lists are found by name."""
    *parents, last = path.split(".")
    where: Any = document
    for key in parents:
        if isinstance(where, list):
            where = next((element for element in where if element.get("name") == key), None)
        else:
            where = where.get(key)
        if not isinstance(where, dict | list):
            raise ExampleError(f"{name} has no {path}: there is no {key}")
    if not isinstance(where, dict):
        raise ExampleError(f"{name} has no {path}: {parents[-1]} is a list")
    return where, last


def _words(value: object) -> str:
    return "not given" if value is None else json.dumps(value)
