"""The API server's audit log: who asked for what, and when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .rights import READS, RELEASE, STAND_INS

LOG = "audit.log"
# One line for every finished write, of a fleet's status with its content; reads and the servers'
# own leases would only fill the disk. Of who has rights by the chart each request shows which.
POLICY: dict[str, Any] = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {
            "level": "Request",
            "verbs": ["patch"],
            "resources": [{"group": "petiole.dev", "resources": ["devicefleets/status"]}],
        },
        {"level": "Metadata", "userGroups": [f"system:serviceaccounts:{RELEASE}", STAND_INS]},
        {"level": "None", "verbs": sorted(READS)},
        {"level": "None", "users": ["system:apiserver"]},
        {"level": "Metadata"},
    ],
}


def events(folder: Path, *marks: str) -> Iterator[dict[str, Any]]:
    """What was asked, the oldest first; only lines that hold one of ``marks``, if any are given.

    The API server puts a log of 100 MiB aside, into the same folder.
    """
    for log in sorted(folder.glob("audit*.log")):  # audit-2026-..., then audit.log
        with log.open() as lines:
            for line in lines:
                if not marks or any(mark in line for mark in marks):
                    yield json.loads(line)
