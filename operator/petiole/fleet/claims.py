"""Which fleets select a device: the first, by name, has it.

Kept from change to change: asking every fleet about every device anew each time that a fleet comes
would take thousands of fleets hours.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

Selectors = Mapping[str, Mapping[str, str]]  # by fleet


class Claims:
    """Fleets that select each device, in the order of their names."""

    def __init__(self) -> None:
        self._of: dict[str, list[str]] = {}  # by device; none is not kept
        self._lost: Counter[str] = Counter()  # devices that a fleet selects and another one has

    def of(self, device: str) -> Sequence[str]:
        """Return the fleets that select a device; the first has it."""
        return self._of.get(device, ())

    def lost(self, fleet: str) -> int:
        """Count the devices that a fleet selects and another one has."""
        return self._lost[fleet]

    def place(self, device: str, labels: Mapping[str, str] | None, fleets: Selectors) -> None:
        """Ask all fleets about a device; None: it has no labels, as it is not registered."""
        names = (name for name, selector in fleets.items() if selects(selector, labels))
        self._put(device, sorted(names))

    def change(self, fleet: str, devices: Iterable[str]) -> list[str]:
        """Let a fleet select just these devices; return those for which that is news."""
        now = set(devices)
        before = {device for device, names in self._of.items() if fleet in names}
        for device in before - now:
            self._put(device, [name for name in self._of[device] if name != fleet])
        for device in now - before:
            names = list(self.of(device))
            insort(names, fleet)
            self._put(device, names)
        return sorted(before ^ now)

    def drop(self, device: str) -> None:
        """Forget a device."""
        self._put(device, [])

    def _put(self, device: str, names: list[str]) -> None:
        self._lost.subtract(self.of(device)[1:])
        self._lost.update(names[1:])
        if names:
            self._of[device] = names
        else:
            self._of.pop(device, None)


def selects(selector: Mapping[str, str], labels: Mapping[str, str] | None) -> bool:
    """Whether a device with these labels is selected; one without registration has None."""
    return labels is not None and all(labels.get(key) == value for key, value in selector.items())
