"""How an answer is printed: as a table, a wider one, JSON or YAML."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer
import yaml


class Form(StrEnum):
    """Forms of an answer, named as kubectl names them."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"

    @property
    def is_data(self) -> bool:
        return self in (Form.JSON, Form.YAML)


Output = Annotated[Form, typer.Option("--output", "-o", help="How to print it.")]


def dump(value: object, form: Form) -> None:
    """Print data for programs: nothing is cut, wrapped or coloured."""
    typer.echo(text(value, form), nl=False)


def text(value: object, form: Form) -> str:
    if form is Form.JSON:
        return json.dumps(value, indent=2) + "\n"
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=120)


def shown(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object as ``kubectl get`` prints it: without who wrote which field."""
    meta = {k: v for k, v in body["metadata"].items() if k != "managedFields"}
    return {**body, "metadata": meta}
