"""Where things lie in the object store (docs/architecture.md, "Object store")."""

from __future__ import annotations

EVENTS = "events"


def event(uid: str, name: str) -> str:
    return f"{EVENTS}/{uid}/{name}.json"


def artefact(digest: str) -> str:
    return f"artifacts/{digest}"


def labels(uid: str) -> str:
    return f"models/{uid}/labels.json"


def query(uid: str, run: str) -> str:
    return f"{round_folder(uid, run)}/query.json"


def candidate(uid: str, run: str) -> str:
    return f"{round_folder(uid, run)}/candidate.json"


def version(uid: str, number: int) -> str:
    return f"models/{uid}/versions/{number}.json"


def samples(uid: str) -> str:
    return f"samples/{uid}"


def round_folder(uid: str, run: str) -> str:
    return f"models/{uid}/rounds/{run}"
