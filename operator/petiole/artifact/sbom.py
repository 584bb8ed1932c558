"""What third-party code a firmware carries, as a CycloneDX 1.5 document."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from .policy import ArtifactError


def parse_version(text: str) -> dict[str, str]:
    """Read a ``VERSION`` file: lines of ``key: value`` with name, version, source and sha256."""
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    found = {key.strip(): value.strip() for key, value in pairs}
    missing = [key for key in ("name", "version", "source", "sha256") if not found.get(key)]
    if missing:
        raise ArtifactError(f"VERSION lacks {', '.join(missing)}")
    return found


def cyclonedx(version: str, components: Iterable[Mapping[str, str]]) -> bytes:
    """Return the document of a firmware's ``version``. The same input gives the same bytes."""
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {"type": "firmware", "name": "petiole-agent", "version": version}
        },
        "components": [
            _component(c) for c in sorted(components, key=lambda c: (c["name"], c["version"]))
        ],
    }
    return json.dumps(document, indent=1, sort_keys=True).encode() + b"\n"


def _component(found: Mapping[str, str]) -> dict[str, object]:
    licence = found.get("license")
    return {
        "type": "library",
        "name": found["name"],
        "version": found["version"],
        "description": found["source"],
        "hashes": [{"alg": "SHA-256", "content": found["sha256"]}],
        **({"licenses": [{"expression": licence}]} if licence else {}),
    }
