"""How often somebody may ask: a token bucket for each, and the memory for all of them bounded."""

from __future__ import annotations

from collections import OrderedDict

REMEMBERED = 4096


class Limit:
    """``burst`` at once and ``rate`` a second for each name; the idlest are forgotten first."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, name: str, now: float) -> bool:
        """Whether ``name`` may ask at ``now``, in seconds of any clock that only rises."""
        left, at = self._left.pop(name, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._rate)
        allowed = left >= 1.0
        self._left[name] = (left - 1.0 if allowed else left, now)
        if len(self._left) > REMEMBERED:
            self._left.popitem(last=False)
        return allowed
