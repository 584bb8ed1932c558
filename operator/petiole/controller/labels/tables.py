"""Answers in tables: an oracle's, or a folder that people put files into."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping

from petiole.controller.problem import Problem
from petiole.controller.store import Store

from .source import Answers, Batch, listed


class Oracle:
    """A CSV file of ``id,label`` that knows all answers, as a finished data set does."""

    def __init__(self, uri: str, known: tuple[str, ...]) -> None:
        folder, _, self._name = uri.rpartition("/")
        self._store, self._known = Store(folder), known

    def ask(self, batch: Batch) -> None:
        """Do nothing: the answers stand there already."""

    def answers(self, batch: Batch) -> Answers:
        data = self._store.get(self._name)
        if data is None:
            raise Problem(
                f"There is no file of labels {self._store.uri}/{self._name}. Put a CSV with the "
                "columns id and label there, or correct spec.learning.labels.uri."
            )
        return _read({f"{self._store.uri}/{self._name}": data}, batch.ids, self._known)


class Folder:
    """``requests/<run>.csv`` goes out with a column ``id``; ``answers/*.csv`` come in."""

    def __init__(self, uri: str, known: tuple[str, ...]) -> None:
        self._store, self._known = Store(uri), known

    def ask(self, batch: Batch) -> None:
        path = f"requests/{batch.run}.csv"
        if not self._store.exists(path):
            self._store.put(path, "".join(f"{line}\n" for line in ("id", *batch.ids)).encode())

    def answers(self, batch: Batch) -> Answers:
        files = {
            name: self._store.get(name) or b""
            for name in sorted(self._store.names("answers"))
            if name.endswith(".csv")
        }
        return _read(
            {f"{self._store.uri}/{name}": data for name, data in files.items()},
            batch.ids,
            self._known,
        )


def _read(files: Mapping[str, bytes], ids: Iterable[str], known: tuple[str, ...]) -> Answers:
    """Collect answers to ``ids``. A label that is none is left out and told; the last file wins."""
    wanted = set(ids)
    found: dict[str, str] = {}
    wrong: list[str] = []
    for name, data in files.items():
        rows = csv.DictReader(io.StringIO(data.decode("utf-8-sig", errors="replace")))
        if not {"id", "label"} <= set(rows.fieldnames or ()):
            raise Problem(f"The first line of {name} must name the columns id and label.")
        for row in rows:
            if row["id"] not in wanted or not row["label"]:
                continue
            if row["label"] in known:
                found[row["id"]] = row["label"]
            else:
                wrong.append(f"{name} line {rows.line_num}: {row['label']!r}")
    return Answers(found, _unknown(wrong, known))


def _unknown(wrong: list[str], known: tuple[str, ...]) -> str:
    if not wrong:
        return ""
    return f"Answers that are no label of the task: {listed(wrong)}. Use one of {', '.join(known)}."
