"""Who waits for a place in flight, in the frozen order. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from .member import Member

Group = tuple[str, ...]
Queue = list[tuple[int, Member]]


class Lane:
    """Members by place; those whose group is full, or whose artefact is missing, stand aside.

    Nothing is ever searched for: a member that no longer waits is dropped when its turn comes.
    """

    def __init__(self) -> None:
        self._queue: Queue = []
        self._full: dict[Group, Queue] = {}
        self._missing: dict[str, list[Member]] = {}
        self._freed: set[Group] = set()

    def push(self, member: Member) -> None:
        """Let a member wait, unless it does already."""
        if member.lane is not self:
            member.lane = self
            heapq.heappush(self._queue, (member.place, member))

    def pop(self) -> Member | None:
        """Take the first one that waits."""
        while self._queue:
            member = heapq.heappop(self._queue)[1]
            if member.lane is self:
                member.lane = None
                return member
        return None

    def stand_aside(self, member: Member, group: Group) -> None:
        """Wait until ``group`` has room."""
        member.lane, member.blocked = self, "DisruptionBudget"
        heapq.heappush(self._full.setdefault(group, []), (member.place, member))

    def lack(self, member: Member, digest: str) -> None:
        """Wait until the blocks of ``digest`` are at the broker."""
        member.lane, member.blocked = self, "blocks"
        self._missing.setdefault(digest, []).append(member)

    def free(self, group: Group) -> None:
        """Note that ``group`` may have room again."""
        if group in self._full:
            self._freed.add(group)

    def recall(self, room: Callable[[Group], int], ready: Callable[[str], bool]) -> list[Member]:
        """Put those back for whom there is room, or blocks, now; returns them."""
        back = [m for d in list(self._missing) if ready(d) for m in self._missing.pop(d)]
        freed, self._freed = self._freed, set()
        for group in sorted(freed):
            back += self._take(group, room(group))
        for member in back:
            member.blocked = ""
            heapq.heappush(self._queue, (member.place, member))
        return back

    def _take(self, group: Group, most: int) -> list[Member]:
        queue, taken = self._full[group], list[Member]()
        while queue and len(taken) < most:
            member = heapq.heappop(queue)[1]
            if member.lane is self and member.blocked:
                taken.append(member)
        if not queue:
            del self._full[group]
        return taken
