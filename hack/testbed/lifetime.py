"""``with`` for whatever can be started and stopped."""

from __future__ import annotations

from types import TracebackType
from typing import Self


class Lifetime:
    """Entering starts, leaving stops."""

    def start(self) -> object:
        """Bring it up."""
        raise NotImplementedError

    def stop(self) -> None:
        """Take it down; harmless when repeated."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
