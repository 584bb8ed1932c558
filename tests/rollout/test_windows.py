"""When devices may begin: zones, clock changes, overlaps, freezes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from petiole.api.rollout import Freeze, Window, Windows
from petiole.rollout.windows import Look, check, look


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def nightly(zone: str = "Europe/Rome", cron: str = "0 1 * * *", duration: str = "4h") -> Windows:
    return Windows(apply=(Window(cron=cron, time_zone=zone, duration=duration),))


def test_none_given_is_always_open() -> None:
    assert look(Windows(), "apply", at("2026-11-02T08:00")) == Look(open=True)
    # A window for the one says nothing about the other.
    assert look(nightly(), "download", at("2026-11-02T08:00")) == Look(open=True)


@pytest.mark.parametrize(
    ("now", "opened", "until"),
    [
        ("2026-11-01T23:59:59", False, "2026-11-02T00:00"),  # Rome is an hour ahead
        ("2026-11-02T00:00", True, "2026-11-02T04:00"),
        ("2026-11-02T03:59:59.999", True, "2026-11-02T04:00"),
        ("2026-11-02T04:00", False, "2026-11-03T00:00"),
    ],
)
def test_a_window_opens_on_the_wall_clock_of_its_zone(now: str, opened: bool, until: str) -> None:
    found = look(nightly(), "apply", at(now))
    assert found == Look(open=opened, reason="" if opened else "ApplyWindow", until=at(until))


def test_the_reason_names_the_kind() -> None:
    windows = Windows(download=nightly().apply)
    assert look(windows, "download", at("2026-11-02T08:00")).reason == "DownloadWindow"


# Rome: 2026-03-29 02:00 -> 03:00 (01:00 UTC), 2026-10-25 03:00 -> 02:00 (01:00 UTC).
@pytest.mark.parametrize(
    ("cron", "opens", "closes"),
    [
        ("0 1 * * *", "2026-03-29T00:00", "2026-03-29T04:00"),  # open across the change: real time
        ("30 2 * * *", "2026-03-29T01:00", "2026-03-29T05:00"),  # 02:30 does not exist that day
        ("30 2 25 10 *", "2026-10-25T00:30", "2026-10-25T04:30"),  # 02:30 comes twice: the first
    ],
)
def test_clock_changes(cron: str, opens: str, closes: str) -> None:
    second = timedelta(seconds=1)
    windows = nightly(cron=cron)
    before = look(windows, "apply", at(opens) - second)
    assert (before.open, before.until) == (False, at(opens))
    for now in (at(opens), at(opens) + timedelta(minutes=70), at(closes) - second):
        assert look(windows, "apply", now) == Look(open=True, until=at(closes))
    assert not look(windows, "apply", at(closes)).open


def test_an_opening_just_before_the_clock_went_back_is_not_forgotten_after() -> None:
    windows = nightly(cron="45 2 * * *", duration="1h")  # 00:45 to 01:45 UTC on the day
    now = at("2026-10-25T01:10")  # 02:10 for the second time
    assert look(windows, "apply", now) == Look(open=True, until=at("2026-10-25T01:45"))


def test_windows_that_follow_each_other_are_one() -> None:
    windows = Windows(
        apply=(
            Window(cron="0 1 * * *", duration="2h"),
            Window(cron="30 2 * * 1", duration="4h"),  # Mondays, overlapping
        )
    )
    assert look(windows, "apply", at("2026-11-02T01:10")).until == at("2026-11-02T06:30")
    assert look(windows, "apply", at("2026-11-03T01:10")).until == at("2026-11-03T03:00")
    always = nightly("UTC", "* * * * *", "5m")
    assert look(always, "apply", at("2026-11-02T01:10:30")).open


HOLIDAYS = Freeze(first="2026-12-24", last="2027-01-01", time_zone="Europe/Rome")
# The pattern has no such years: what comes past it must not break the calendar.
FOR_EVER = Freeze.model_construct(first="2026-01-01", last="9999-12-31", time_zone="UTC")


def test_a_freeze_beats_windows_and_counts_both_days() -> None:
    windows = Windows(freeze=(HOLIDAYS,))
    assert look(windows, "apply", at("2026-12-23T22:59:59")) == Look(
        open=True, until=at("2026-12-23T23:00")
    )
    shut = Look(open=False, reason="Freeze", until=at("2027-01-01T23:00"))
    assert look(windows, "apply", at("2026-12-23T23:00")) == shut
    assert look(windows, "download", at("2027-01-01T22:59:59")) == shut
    assert look(windows, "apply", at("2027-01-01T23:00")) == Look(open=True)


def test_a_window_ends_where_a_freeze_begins_and_waits_for_its_end() -> None:
    windows = nightly(cron="0 22 * * *").model_copy(update={"freeze": (HOLIDAYS,)})
    assert look(windows, "apply", at("2026-12-23T22:00")).until == at("2026-12-23T23:00")
    frozen = look(windows, "apply", at("2026-12-24T21:30"))
    # Opened in the freeze, at 21:00 UTC on the last day, and still open when it ends.
    assert (frozen.reason, frozen.until) == ("Freeze", at("2027-01-01T23:00"))
    closed = look(windows, "apply", at("2026-12-23T10:00"))
    assert (closed.reason, closed.until) == ("ApplyWindow", at("2026-12-23T21:00"))


def test_the_end_of_a_freeze_outside_the_window_is_not_yet_an_opening() -> None:
    windows = nightly(cron="0 10 * * *").model_copy(update={"freeze": (HOLIDAYS,)})
    found = look(windows, "apply", at("2026-12-26T10:00"))
    assert (found.reason, found.until) == ("Freeze", at("2027-01-02T09:00"))


ZONES = st.sampled_from(["UTC", "Europe/Rome", "America/New_York", "Australia/Lord_Howe"])
CRONS = st.sampled_from(
    ["0 1 * * *", "30 2 * * *", "*/20 * * * *", "0 */6 * * *", "15 1 * * 1-5", "0 0 1 * *"]
)


@settings(max_examples=80, deadline=None)
@given(
    zone=ZONES,
    cron=CRONS,
    hours=st.integers(1, 30),
    start=st.integers(0, 700 * 86_400).map(lambda s: at("2026-01-01") + timedelta(seconds=s)),
    steps=st.lists(st.integers(-400_000, 900_000), min_size=1, max_size=8),
)
def test_an_answer_holds_until_it_says_and_changes_then(zone, cron, hours, start, steps) -> None:
    """Also for one who asks in any order: what is remembered must not show."""
    windows = nightly(zone, cron, f"{hours}h").model_copy(update={"freeze": (HOLIDAYS,)})
    for step in (0, *steps):
        now = start + timedelta(seconds=step)
        found = look(windows, "apply", now)
        if found.until is None:
            continue
        assert found.until > now
        middle = now + (found.until - now) / 2
        assert look(windows, "apply", middle).open == found.open
        if cron != "*/20 * * * *" and hours < 6:  # else it may be open for ever: cut short
            assert look(windows, "apply", found.until).open != found.open


@pytest.mark.parametrize(
    ("windows", "said"),
    [
        (nightly(cron="0 25 * * *"), "windows.apply[0].cron '0 25 * * *' is not a cron expression"),
        (nightly(cron="0 0 30 2 *"), "windows.apply[0].cron '0 0 30 2 *'"),
        (nightly(zone="Europe/Roma"), "windows.apply[0].timeZone 'Europe/Roma' is not a time zone"),
        (nightly(zone="../etc/passwd"), "is not a time zone; give one such as 'Europe/Rome'"),
        (
            Windows(freeze=(HOLIDAYS, Freeze(first="2026-02-30", last="2026-03-01"))),
            "windows.freeze[1].first '2026-02-30' is no day",
        ),
        (Windows(freeze=(FOR_EVER,)), "is out of range"),
    ],
)
def test_what_the_patterns_let_through_is_named(windows: Windows, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        check(windows)


def test_the_longest_duration_stays_in_the_calendar() -> None:
    windows = nightly(duration="9999d9999d9999d")
    assert look(windows, "apply", at("2026-11-02T08:00")).open
