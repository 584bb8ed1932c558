"""``with`` for whatever can be started and stopped."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Lifetime(ABC):
    """Entering starts, leaving stops."""

    @abstractmethod
    def start(self) -> object:
        """Bring it up."""

    @abstractmethod
    def stop(self) -> None:
        """Take it down; harmless when repeated."""

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
