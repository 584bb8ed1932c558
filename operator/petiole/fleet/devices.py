"""What the gateway knows of one device."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from petiole.wire.messages import Grant, ShadowRun, State

from .windows import Tally

HISTORY = 20  # entries kept a device
TALLIES = 4  # artefacts whose counts are kept a device


@dataclass(slots=True)
class Device:
    """A device by its authenticated id. ``seen_at`` in seconds since 1970.

    ``online`` is not stored: the broker retains it. ``payload`` is ``state`` as it came, if known.
    """

    id: str
    registered: bool = False
    labels: dict[str, str] = field(default_factory=dict)
    state: State | None = None
    seen_at: float | None = None
    online: bool = False
    fleet: str | None = None
    grant: Grant | None = None
    history: list[dict[str, Any]] = field(default_factory=list)
    tallies: dict[str, Tally] = field(default_factory=dict)
    payload: bytes = b""

    @classmethod
    def from_row(cls, row: Any) -> Device:  # noqa: ANN401 - a row of any columns
        return cls(
            id=row["id"],
            registered=row["registered"],
            labels=row["labels"],
            state=None if row["state"] is None else State.decode(row["state"]),
            seen_at=row["seen_at"],
            fleet=row["fleet"],
            grant=None if row["grant"] is None else Grant.decode(row["grant"]),
        )

    def row(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "registered": self.registered,
            "labels": self.labels,
            "state": None if self.state is None else self.payload or self.state.encode(),
            "seen_at": self.seen_at,
            "fleet": self.fleet,
            "grant": None if self.grant is None else encoded(self.grant),
        }

    @property
    def granted(self) -> str | None:
        """Digest of the artefact that the device may take."""
        return self.grant.artefact.digest if self.grant and self.grant.artefact else None

    def report(self, state: State, now: float, payload: bytes = b"") -> bool:
        """Take a state report; True when it belongs into the history. Older ones change nothing."""
        old = self.state
        if old is not None and state.order <= old.order:
            return False
        self.state, self.seen_at, self.payload = state, now, payload
        if old is not None and _gist(old) == _gist(state):
            return False
        self.history = [*self.history, _entry(state, now)][-HISTORY:]
        return True

    def tally(self, digest: str) -> Tally | None:
        return self.tallies.get(digest)

    def shadow(self, digest: str) -> ShadowRun | None:
        """Return the longest comparison of the model ``digest`` with what answered meanwhile."""
        runs = (tally.stats.shadow for tally in self.tallies.values())
        ours = (run for run in runs if run is not None and run.digest == digest)
        return max(ours, key=lambda run: run.count, default=None)


@lru_cache(maxsize=1024)
def encoded(grant: Grant) -> bytes:
    """Return the grant's message. Thousands of devices are told the same."""
    return grant.encode()


def _gist(state: State) -> tuple[object, ...]:
    return (state.boot, state.phase, state.reason, state.active, state.target)


def _entry(state: State, now: float) -> dict[str, Any]:
    return {
        "at": datetime.fromtimestamp(now, UTC).isoformat(),
        "boot": state.boot,
        "phase": state.phase.word,
        "reason": state.reason.word,
        "active": state.active,
        "target": state.target,
    }
