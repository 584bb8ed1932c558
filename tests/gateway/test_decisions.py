"""The pure parts: grants, standings, windows."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from petiole.fleet.grants import Case, Given, same, wanted
from petiole.fleet.windows import KEPT, Bin, Delta, Tally, WindowBook, take
from petiole.rollout.plan import Plan, Revision, Variant
from petiole.wire.messages import Artefact, Caps, Grant, Patch, Phase, Reason, State, Stats

T, S, OLD = (Given((Artefact(c * 64, 2048, 1024),)) for c in "abc")
RUNS_T, RUNS_S, RUNS_OLD = (g.images[0].digest for g in (T, S, OLD))
Mode = Literal["Idle", "Rolling", "Reverting", "Paused"]
cases = st.builds(
    Case,
    mode=st.sampled_from(["Idle", "Rolling", "Reverting", "Paused"]),
    halted=st.booleans(),
    target=st.sampled_from([None, T]),
    stable=st.sampled_from([None, S]),
    current=st.sampled_from([None, T, S, OLD]),
    running=st.sampled_from([None, RUNS_T, RUNS_S, RUNS_OLD]),
    exposed=st.booleans(),
    failed=st.booleans(),
    granted=st.booleans(),
    retrying=st.booleans(),
)


@given(cases)
def test_nobody_newly_gets_a_target_that_is_stopped(case: Case) -> None:
    if (case.halted or case.mode == "Reverting") and case.current != T:
        assert wanted(case) != T


@given(cases)
def test_only_who_was_let_begin_is_granted_the_target(case: Case) -> None:
    begins = wanted(case) == T and case.current != T
    assert not begins or (case.granted and not case.failed and case.mode != "Idle")


@given(cases)
def test_who_gave_the_target_up_is_not_granted_it_again(case: Case) -> None:
    rolling = case.mode in ("Rolling", "Paused") and not case.halted
    if case.failed and rolling and case.target == T:
        assert wanted(case) != T


@pytest.mark.parametrize(
    ("case", "grant"),
    [
        (Case("Idle", False, T, S, OLD, RUNS_OLD), S),
        (Case("Idle", False, T, None, OLD, RUNS_OLD), OLD),
        (Case("Rolling", False, T, S, S, RUNS_S, granted=True), T),
        (Case("Rolling", False, T, S, None, None), S),
        (Case("Rolling", False, T, S, T, RUNS_S, granted=True), T),
        (Case("Paused", False, T, S, S, RUNS_S), S),
        (Case("Rolling", False, T, S, T, RUNS_S, granted=True, retrying=True), T),
        (Case("Rolling", True, T, S, T, RUNS_S, granted=True, retrying=True), S),
        (Case("Paused", False, T, S, T, RUNS_S, granted=True), T),
        (Case("Rolling", True, T, S, T, RUNS_S, granted=True), S),
        (Case("Rolling", True, T, S, T, RUNS_T, exposed=True, granted=True), T),
        (Case("Reverting", True, T, S, T, RUNS_T, exposed=True, granted=True), S),
        (Case("Reverting", True, T, None, T, RUNS_T, exposed=True, granted=True), T),
        (Case("Rolling", False, T, S, OLD, RUNS_OLD), OLD),
        (Case("Rolling", False, T, S, OLD, RUNS_S), S),
        (Case("Rolling", False, None, S, None, RUNS_S), S),
    ],
)
def test_the_table_of_grants(case: Case, grant: Given | None) -> None:
    assert wanted(case) == grant


def test_firmware_for_either_slot_counts_as_running_it() -> None:
    old, target = (Given(tuple(Artefact(c * 64, 9, 1) for c in pair)) for pair in ("ab", "cd"))
    assert wanted(Case("Rolling", False, target, S, old, "b" * 64)) == old
    assert wanted(Case("Rolling", False, target, S, old, "c" * 64)) == S
    assert wanted(Case("Rolling", False, target, S, target, "d" * 64)) == S


def totals(boot: int, seq: int, count: int, digest: str = RUNS_T) -> Stats:
    bins = (count, *([0] * 15))
    return Stats(boot, seq, digest, count, bins, bins, (count,), count * 7, count * 49, count)


@given(st.lists(st.lists(st.integers(0, 50), min_size=1, max_size=5), min_size=1, max_size=4),
       st.randoms())  # fmt: skip
def test_repeats_and_late_reports_change_no_total(boots: list[list[int]], random: object) -> None:
    """Cumulative reports of each boot in order, with repeats of old ones strewn in."""
    sent: list[Stats] = []
    tallies: dict[str, Tally] = {}
    heard = 0
    for boot, steps in enumerate(boots):
        count = 0
        for seq, more in enumerate(steps):
            count += more
            sent.append(totals(boot, seq, count))
            for stats in (sent[-1], random.choice(sent)):  # type: ignore[attr-defined]
                delta = take(tallies, stats)
                heard += delta.count if delta else 0
    assert heard == sum(map(sum, boots)) == tallies[RUNS_T].count


def test_an_artefact_that_is_active_again_counts_from_zero() -> None:
    tallies: dict[str, Tally] = {}
    take(tallies, totals(1, 1, 100))
    take(tallies, totals(1, 2, 30, RUNS_S))
    delta = take(tallies, totals(1, 3, 120))
    assert delta is not None
    assert delta.count == 120


def test_a_lost_report_is_made_up_by_the_next() -> None:
    tallies: dict[str, Tally] = {}
    take(tallies, totals(1, 1, 100))
    delta = take(tallies, totals(1, 9, 500))
    assert delta is not None
    assert (delta.count, delta.confidence_sum) == (400, 2800)


def test_a_device_counts_once_a_window() -> None:
    book, tally = WindowBook(), Tally(totals(1, 1, 1))
    one = Delta(1, (1, *([0] * 15)), (1,), 7, 49, 1)
    for now in (10.0, 10.4, 10.9, 11.0):
        book.add("f", tally, one, now, 1.0)
    windows = book.closed("f", RUNS_T, 12.0)
    assert [(w.devices, w.count) for w in windows] == [(1, 3), (1, 1)]
    assert book.closed("f", RUNS_T, 11.5) == windows[:1]


def test_years_of_windows_take_the_space_of_a_thousand_and_lose_nothing() -> None:
    """The oldest ones grow longer; each inference stays in exactly one."""
    book, tally = WindowBook(), Tally(totals(1, 1, 1))
    one = Delta(1, (1, *([0] * 15)), (1,), 7, 49, 1, inputs=(1,), latency=(0, 1))
    rows: dict[float, Bin] = {}
    for n in range(5 * KEPT):
        bin_ = book.add("f", tally, one, 100.0 + n, 1.0)
        grown, gone = book.thin("f", RUNS_T)
        rows |= {b.start: b for b in (bin_, *grown)}
        for start in gone:
            del rows[start]
        assert len(rows) <= KEPT
    windows = book.closed("f", RUNS_T, 100.0 + 5 * KEPT)
    assert sum(w.count for w in windows) == sum(w.classes[0] for w in windows) == 5 * KEPT
    assert {w.latency[1] for w in windows} == {w.count for w in windows}
    assert windows[0].start.timestamp() == 100.0
    assert all(a.end == b.start for a, b in pairwise(windows))
    assert {w.count for w in windows[-500:]} == {1}, "the newest are as fine as ever"
    again = WindowBook()
    for bin_ in rows.values():
        again.load("f", RUNS_T, bin_)
    assert again.closed("f", RUNS_T, 100.0 + 5 * KEPT) == windows


PATCH = Patch(base="b" * 64, digest="e" * 64, size=90)
IDLE = State(1, 1, Phase.IDLE, Reason.NONE, Caps("m4", 65536, 32768, 1, 1, "1.0"))


@pytest.mark.parametrize(
    ("state", "written"),
    [
        (None, True),
        (IDLE, True),
        (replace(IDLE, active=RUNS_S), True),
        (replace(IDLE, active=RUNS_S, target=RUNS_T), False),
        (replace(IDLE, active=RUNS_T), False),
    ],
)
def test_only_a_device_that_has_not_begun_hears_of_another_patch(
    state: State | None, written: bool
) -> None:
    plain = Grant(1, "default.meters", 1000, 5, T.images[0])
    patched = replace(plain, serial=2, artefact=replace(T.images[0], patch=PATCH))
    for old, new in ((plain, patched), (patched, plain)):
        assert same(old, new, state) is not written
        assert same(old, replace(old, serial=9), state)
        assert not same(old, replace(new, hold=True), state)


def revision(number: int, **digests: str) -> Revision:
    variants = {t: Variant(digest=d * 64, size=9) for t, d in digests.items()}
    return Revision(number=number, variants=variants)


def test_a_patch_is_worth_making_while_models_of_a_class_follow_each_other() -> None:
    plan = Plan(
        fleet="default.meters",
        serial=1,
        selector={},
        samples_path="samples",
        stable=revision(1, m4="a", m7="b", m33="c"),
        target=revision(2, m4="d", m7="b", m0="e"),
        mode="Rolling",
    )
    assert plan.successions == (("a" * 64, "d" * 64),)
    assert plan.model_copy(update={"mode": "Paused"}).successions == plan.successions
    others = ({"mode": "Idle"}, {"mode": "Reverting"}, {"stable": None}, {"target": None})
    assert all(plan.model_copy(update=fields).successions == () for fields in others)
