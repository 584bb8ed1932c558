"""What one user asks the API server, read off its audit log as it grows."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

_READS = frozenset({"get", "list", "watch"})


@dataclass(frozen=True, slots=True)
class Asked:
    """Requests by verb and resource, such as ``("patch", "devicefleets/status")``."""

    by: Counter[tuple[str, str]]

    @classmethod
    def of(cls, events: Iterable[Mapping[str, Any]], user: str) -> Self:
        """Count the finished requests of ``user``; of a watch its begin, as it may never end."""
        return cls(Counter(_named(e) for e in events if e["user"]["username"] == user and _once(e)))

    @property
    def total(self) -> int:
        return self.by.total()

    @property
    def writes(self) -> int:
        return sum(count for (verb, _), count in self.by.items() if verb not in _READS)


def _once(event: Mapping[str, Any]) -> bool:
    return (event["verb"] == "watch") == (event["stage"] == "ResponseStarted")


def _named(event: Mapping[str, Any]) -> tuple[str, str]:
    about = event.get("objectRef", {})
    parts = (about.get("resource") or event["requestURI"], about.get("subresource"))
    return event["verb"], "/".join(part for part in parts if part)


class Tail:
    """The lines of a log that were not there at the last look, also after it was put aside."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._file = log.open()
        self._rest = ""
        self.take()

    def take(self) -> list[dict[str, Any]]:
        """Return the events that came since the last look."""
        return [json.loads(line) for line in self._lines()]

    def _lines(self) -> Iterator[str]:
        current = False
        while not current:
            current = self._current()  # asked first: an old log gets no more lines after that
            *whole, self._rest = (self._rest + self._file.read()).split("\n")
            yield from whole
            if not current:
                self._file.close()
                self._file = self._log.open()

    def _current(self) -> bool:
        """Tell whether the log is still this file: the API server renames one of 100 MiB."""
        try:
            return self._log.stat().st_ino == os.fstat(self._file.fileno()).st_ino
        except FileNotFoundError:  # renamed, and the next one has no line yet
            return True

    def close(self) -> None:
        self._file.close()
