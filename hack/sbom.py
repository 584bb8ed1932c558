#!/usr/bin/env python3
"""``sbom.py NAME LOCK``: what an image carries of Python, from its lock, as CycloneDX 1.5.

Needs the standard library only: it runs where an image is built. Debian's packages are the base
image's, which has its own list.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

_PACKAGE = re.compile(
    r"^([A-Za-z0-9._-]+)==([^\s;\\]+)((?:.*\n)(?:\s+--hash=.*\n?)*)", re.MULTILINE
)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def document(name: str, lock: str) -> dict[str, object]:
    """Return the document. The same lock gives the same one. ValueError when it locks nothing."""
    found = sorted(_PACKAGE.findall(lock))
    if not found:
        raise ValueError("it has no lines of the form name==version")
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "container", "name": f"petiole-{name}"}},
        "components": [
            {
                "type": "library",
                "name": package,
                "version": version,
                "purl": f"pkg:pypi/{package}@{version}",
                "hashes": [{"alg": "SHA-256", "content": h} for h in sorted(_HASH.findall(rest))],
            }
            for package, version, rest in found
        ],
    }


def main(name: str, lock: str) -> None:
    print(json.dumps(document(name, Path(lock).read_text(encoding="utf-8")), indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
