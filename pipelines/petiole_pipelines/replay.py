"""``python -m petiole_pipelines.replay STORE_URI QUERY_JSON``: ask again what a run asked.

The steps run on the labels and samples of that time, from the run's record; the same samples are
asked, in the same order, or the difference is named. Exact on the same machine and libraries.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from . import record, steps
from .errors import StepError
from .store import Store


def replay(store_uri: str, path: str) -> list[dict[str, Any]]:
    """Return the queries of the ``query.json`` at ``path``, made anew.

    Raises StepError DataInvalid when what the run read is not what is there now.
    """
    store = Store(store_uri)
    recorded = _document(store, path)
    kept = _document(store, f"{path.rpartition('/')[0]}/{record.INPUTS}")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        _lay_out(work, store, recorded["data"]["samples"]["path"], kept)
        again = _query(work, recorded)
    changed = [name for name, read in recorded["data"].items() if again["data"][name] != read]
    if changed:
        raise StepError(
            "DataInvalid", f"{', '.join(changed)} are not what the run of {path} read: restore them"
        )
    return list(again["queries"])


def _lay_out(work: Path, store: Store, samples_path: str, kept: dict[str, Any]) -> None:
    """Put labels and samples into a store of their own, in their order of arrival."""
    (work / "labels.json").write_text(json.dumps(kept["labels"]), encoding="utf-8")
    folder = work / samples_path
    folder.mkdir(parents=True)
    for age, name in enumerate(kept["samples"]):
        content = store.get(f"{samples_path}/{name}.cbor")
        if content is None:
            raise StepError("DataMissing", f"sample {name} is gone from {samples_path}: restore it")
        file = folder / f"{name}.cbor"
        file.write_bytes(content)
        os.utime(file, (age, age))


def _query(work: Path, recorded: dict[str, Any]) -> dict[str, Any]:
    """Run the steps of a query in ``work``; return its document."""
    asked, data = recorded["asked"], recorded["data"]
    samples_file, answers_file = str(work / "samples.npz"), str(work / "answers.npz")
    common = {"task": json.dumps(asked["task"]), "learning": json.dumps(asked["learning"])}
    steps.embed(
        samples_file,
        pool_uri=data["pool"]["uri"],
        evaluation_uri=data["evaluation"]["uri"],
        store_uri=work.as_uri(),
        labels_path="labels.json",
        samples_path=data["samples"]["path"],
        seed=data["seed"],
        **common,
    )
    steps.teacher(samples_file, answers_file, task=common["task"])
    path = steps.select(
        samples_file,
        answers_file,
        store_uri=work.as_uri(),
        output_path="replay",
        seed=data["seed"],
        round_number=asked["round"],
        **common,
    )
    return dict(json.loads((work / path).read_text(encoding="utf-8")))


def _document(store: Store, path: str) -> dict[str, Any]:
    content = store.get(path)
    if content is None:
        raise StepError(
            "DataMissing", f"there is no {path} in {store.uri}: name a run's query.json"
        )
    return dict(json.loads(content))


def main(store_uri: str, path: str) -> int:
    """Replay and compare; print what came out; return 0 when the queries are the same."""
    try:
        again = replay(store_uri, path)
    except StepError as problem:
        sys.stderr.write(f"{problem.reason}: {problem}\n")
        return 2
    same = again == _document(Store(store_uri), path)["queries"]
    sys.stdout.write(f"{len(again)} queries, {'the same' if same else 'NOT the same'} as {path}\n")
    return 0 if same else 1


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m petiole_pipelines.replay STORE_URI QUERY_JSON")
    sys.exit(main(sys.argv[1], sys.argv[2]))
