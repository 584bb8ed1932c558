"""When devices may begin: recurring windows with a time zone, and days in which nothing begins.

A window opens when its cron expression says so on the wall clock of its zone and stays open for a
duration of real time. What a clock change skips opens right after it, and what it repeats opens
once, as in Debian's cron.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from petiole.api.base import seconds
from petiole.api.rollout import Freeze, Window, Windows

Kind = Literal["download", "apply"]
Reason = Literal["", "DownloadWindow", "ApplyWindow", "Freeze"]

_REASONS: dict[Kind, Reason] = {"download": "DownloadWindow", "apply": "ApplyWindow"}
_FOLD = timedelta(hours=3)  # more than any zone's clock was ever put back
_LONGEST = timedelta(days=20 * 366)  # keeps sums of dates within the calendar
_HOPS = 64  # adjacent windows or freezes that are followed to the end
_CHANGES = 500  # openings and closings until a deadline


@dataclass(frozen=True, slots=True)
class Look:
    """Whether devices may begin now; ``until`` is when that changes, None for never."""

    open: bool
    reason: Reason = ""
    until: datetime | None = None


def look(windows: Windows, kind: Kind, now: datetime) -> Look:
    """Tell whether ``kind`` is open at ``now`` (aware). Asking again before ``until`` is cheap.

    Raises ``ValueError``, with the field and the remedy, for what the CRD's patterns let through:
    a cron expression that means nothing, an unknown time zone, a day that no calendar has.
    """
    return _calendar(windows, kind).look(now)


@lru_cache(maxsize=512)
def deadline(windows: Windows, since: datetime, allowed: timedelta) -> datetime | None:
    """Tell when ``allowed`` has passed since ``since``, without the time in which all is closed.

    While downloads and switches have different windows, either of them is time that counts. None:
    not within ``_CHANGES`` of them. Raises ``ValueError`` as ``look`` does.
    """
    kinds: list[Kind] = [k for k in _REASONS if getattr(windows, k)] or ["apply"]
    at, left = since, allowed
    for _ in range(_CHANGES):
        looks = [look(windows, kind, at) for kind in kinds]
        changes = _first(found.until for found in looks)
        if any(found.open for found in looks):
            if changes is None or at + left <= changes:
                return at + left
            left -= changes - at
        if changes is None:
            return None
        at = changes
    return None


def check(windows: Windows) -> None:
    """Raise ``ValueError`` as ``look`` does."""
    _calendar(windows, "download")
    _calendar(windows, "apply")


@lru_cache(maxsize=512)
def _calendar(windows: Windows, kind: Kind) -> _Calendar:
    given = windows.download if kind == "download" else windows.apply
    recurring = tuple(
        _recurring(w, f"spec.rollout.windows.{kind}[{at}]") for at, w in enumerate(given)
    )
    frozen = tuple(
        _frozen(f, f"spec.rollout.windows.freeze[{at}]") for at, f in enumerate(windows.freeze)
    )
    return _Calendar(_REASONS[kind], recurring, frozen)


@dataclass(frozen=True, slots=True)
class _Recurring:
    cron: str
    zone: ZoneInfo
    duration: timedelta

    def last(self, now: datetime) -> datetime | None:
        """When it opened last, at ``now`` at the latest."""
        # cronsim drops the fold of an ambiguous time: start beyond it, and step back.
        times = CronSim(self.cron, self._local(now + _FOLD), reverse=True)
        return next((t for t in _utc(times) if t <= now), None)

    def following(self, now: datetime) -> datetime | None:
        """When it opens next, after ``now``."""
        times = CronSim(self.cron, self._local(now - _FOLD))
        return next((t for t in _utc(times) if t > now), None)

    def closes(self, now: datetime) -> datetime | None:
        """When it closes, if it is open at ``now``."""
        opened = self.last(now)
        closes = None if opened is None else opened + self.duration
        return closes if closes is not None and closes > now else None

    def _local(self, at: datetime) -> datetime:
        return at.replace(microsecond=0).astimezone(self.zone)


@dataclass(slots=True)
class _Calendar:
    """Windows of one kind, and the last answer with the time for which it holds."""

    reason: Reason
    recurring: tuple[_Recurring, ...]
    frozen: tuple[tuple[datetime, datetime], ...]  # from, until
    _answer: Look = field(default=Look(open=False))
    _since: datetime | None = None

    def look(self, now: datetime) -> Look:
        answer, since = self._answer, self._since
        known = since is not None and since <= now
        if not known or (answer.until is not None and now >= answer.until):
            answer = self._answer = self._find(now)
            self._since = now
        return answer

    def _find(self, now: datetime) -> Look:
        if reason := self._shut(now):
            return Look(open=False, reason=reason, until=self._opens(now))
        return Look(open=True, until=self._shuts(now))

    def _shut(self, now: datetime) -> Reason:
        if self._thaws(now) is not None:
            return "Freeze"
        if self.recurring and self._closes(now) is None:
            return self.reason
        return ""

    def _opens(self, now: datetime) -> datetime | None:
        """Step from the end of a freeze to the next window and on, until both are open."""
        at: datetime | None = now
        for _ in range(_HOPS):
            if at is None or not self._shut(at):
                return at
            at = self._thaws(at) or _first(r.following(at) for r in self.recurring)
        return at

    def _shuts(self, now: datetime) -> datetime | None:
        """Step over windows that follow each other without a gap; a freeze ends them all."""
        freezes = _first(begins for begins, _ in self.frozen if begins > now)
        at = self._closes(now)
        for _ in range(_HOPS):
            if at is None or (freezes is not None and freezes <= at):
                return freezes
            further = self._closes(at)
            if further is None:
                break
            at = further
        return at

    def _closes(self, now: datetime) -> datetime | None:
        return max((c for r in self.recurring if (c := r.closes(now)) is not None), default=None)

    def _thaws(self, now: datetime) -> datetime | None:
        return max((end for begin, end in self.frozen if begin <= now < end), default=None)


def _first(times: Iterable[datetime | None]) -> datetime | None:
    return min((t for t in times if t is not None), default=None)


def _utc(times: CronSim) -> Iterator[datetime]:
    """Give the times in UTC, where they can be compared."""
    return (t.astimezone(UTC) for t in times)


def _recurring(window: Window, where: str) -> _Recurring:
    zone = _zone(window.time_zone, where)
    try:
        found = next(CronSim(window.cron, datetime(2024, 1, 1, tzinfo=UTC)), None)
    except CronSimError as error:
        raise ValueError(
            f"{where}.cron {window.cron!r} is not a cron expression ({error}); "
            "give minute, hour, day, month and weekday, such as '0 1 * * *'"
        ) from error
    if found is None:
        raise ValueError(f"{where}.cron {window.cron!r} never comes; name a day that exists")
    duration = min(timedelta(seconds=seconds(window.duration)), _LONGEST)
    return _Recurring(window.cron, zone, duration)


def _frozen(freeze: Freeze, where: str) -> tuple[datetime, datetime]:
    zone = _zone(freeze.time_zone, where)
    first, last = _day(freeze.first, f"{where}.first"), _day(freeze.last, f"{where}.last")
    return _midnight(first, zone), _midnight(last + timedelta(days=1), zone)


def _day(text: str, where: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{where} {text!r} is no day: {error}; give one as 2026-12-24") from error
    if not 2000 <= day.year < 9000:
        raise ValueError(f"{where} {text!r} is out of range; give one as 2026-12-24")
    return day


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _zone(name: str, where: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"{where}.timeZone {name!r} is not a time zone; give one such as 'Europe/Rome' or 'UTC'"
        ) from error
