"""Writes what ``docs/api.md`` shows of a real API server: ``python -m hack.api_docs``.

Answers of kubectl stand in fences that begin with the command, rules between fields in tables
behind a comment that names the kind. A test asks again, and fails while the page is old.
"""

from __future__ import annotations

import re
import shlex
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from petiole.api import crd

from .answers import Ask, answered
from .testbed.controlplane import ControlPlane, KubectlError
from .testbed.processes import ROOT
from .testbed.waits import wait_until

PAGE = ROOT / "docs" / "api.md"
_TABLE = re.compile(r"^<!-- rules: (?P<kind>\w+) -->\n(?:\|.*\n)*", re.MULTILINE)


def refreshed(text: str, ask: Ask) -> str:
    """``text`` with every answer and table as it is now."""

    def table(found: re.Match[str]) -> str:
        return f"{found[0].splitlines()[0]}\n{rules(found['kind'])}"

    return _TABLE.sub(table, answered(text, ask))


def rules(kind: str) -> str:
    """The rules between fields of a kind, as a table: where they stand, and what they want."""
    (found,) = (k for k in crd.KINDS if k.name == kind)
    version = crd.definition(found)["spec"]["versions"][0]
    rows = (
        f"| `{field or '(object)'}` | {message} |"
        for field, message in _rules(version["schema"]["openAPIV3Schema"], "")
    )
    return "\n".join(["| field | rule |", "| --- | --- |", *rows, ""])


def _rules(schema: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    if schema.get("format") == "date-time":
        return  # told once, below the tables
    for rule in schema.get("x-kubernetes-validations", ()):
        yield (path + rule.get("fieldPath", "")).removeprefix("."), rule["message"]
    for name, child in schema.get("properties", {}).items():
        yield from _rules(child, f"{path}.{name}")
    if "items" in schema:
        yield from _rules(schema["items"], f"{path}[]")


def asking(cluster: ControlPlane) -> Ask:
    """Ask ``cluster``; the schema is published a moment after its CRD is established."""

    def ask(command: str) -> str:
        said = ""

        def there() -> bool:
            nonlocal said
            try:
                said = cluster.kubectl(*shlex.split(command)[1:])
            except KubectlError as error:
                said = str(error)
                return False
            return True

        wait_until(there, 20, f"an answer to {command}")
        return said

    return ask


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, ControlPlane(Path(folder)) as running:
        running.install_crds(ROOT / "crds")
        PAGE.write_text(refreshed(PAGE.read_text(), asking(running)))


if __name__ == "__main__":
    main()
