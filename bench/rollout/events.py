"""What ``petiole-sim --events FILE`` writes: a line a change of phase."""

from __future__ import annotations

from pathlib import Path

from petiole.wire.words import Phase, Reason

from .work import Trace

_MICROSECONDS = 1e6


class Events:
    """Reads the file as it grows."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._offset = 0

    def skip(self) -> None:
        """Forget what was written so far."""
        self._offset = self.file.stat().st_size if self.file.exists() else 0

    def read(self, trace: Trace, digest: str) -> None:
        """Add what was written since the last look; a line that is not whole yet waits."""
        if not self.file.exists():
            return
        with self.file.open("rb") as file:
            file.seek(self._offset)
            content = file.read()
        whole = content.rpartition(b"\n")[0]
        self._offset += len(whole) + 1 if whole else 0
        for line in whole.decode().splitlines():
            note(trace, line, digest)


def note(trace: Trace, line: str, digest: str) -> None:
    """Add one line, ``<microseconds> <device> <phase> <digest> <reason>``, to the trace.

    The clock is CLOCK_MONOTONIC, as ``time.monotonic`` is. A device that a halt stops has not
    failed; one that confirms another artefact after this one was put back.
    """
    stamp, device, phase, about, reason = line.split()
    at = int(stamp) / _MICROSECONDS
    if not digest.startswith(about):
        if phase == Phase.CONFIRMED.word and device in trace.ended:
            trace.put_back.add(device)
    elif phase == Phase.DOWNLOADING.word:
        trace.begun.setdefault(device, at)
    elif phase == Phase.CONFIRMED.word:
        trace.end(device, at, ok=True)
    elif phase in (Phase.FAILED.word, Phase.ROLLEDBACK.word) and reason != Reason.HALTED.word:
        trace.end(device, at, ok=False)
