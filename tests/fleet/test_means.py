"""Evidence of metric gates: one mean a device, by hardware, over the right stretch of time."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from petiole.api.rollout import Gate, GateTest
from petiole.fleet.devices import Device
from petiole.fleet.evidence import MIN_INFERENCES, means, stage_mark
from petiole.fleet.member import Member
from petiole.fleet.windows import Bin, Tally, take
from petiole.rollout.gates import judge
from petiole.wire.messages import BINS, Phase, Reason, State, Stats

from .world import CAPS, revision, rolling

NONE = (0,) * BINS
CONFIDENCE = Gate(name="c", metric="ConfidenceMean", test=GateTest(max_drop="5%"))
LATENCY = Gate(name="l", metric="LatencyMean", test=GateTest(max_rise="20%"))
PLAN = rolling(2, 100)


def totals(digest: str, seq: int, count: int, confidence: int, latency: int) -> Stats:
    sums = (count * confidence, count * confidence**2, 0, count * latency)
    return Stats(1, seq, digest, count, NONE, NONE, (count,), *sums)


def device(name: str, number: int, confidence: int, latency: int, caps: str = "m4") -> Device:
    """One with 30 inferences of other values before the stage's mark, and 50 in all after it."""
    digest = revision(number).variants[CAPS[caps].target].digest
    found = Device(name, state=State(1, 1, Phase.IDLE, Reason.NONE, CAPS[caps], active=digest))
    if number == 1:
        take(found.tallies, totals(digest, 1, 30, 10, 99_999))
        found.tallies[digest].set_mark(stage_mark(PLAN))
        before = found.tallies[digest].stats
        after = totals(digest, 2, 50, confidence, latency)
        take(
            found.tallies,
            replace(
                after,
                count=before.count + after.count,
                confidence_sum=before.confidence_sum + after.confidence_sum,
                latency_sum=before.latency_sum + after.latency_sum,
            ),
        )
    else:
        take(found.tallies, totals(digest, 1, 50, confidence, latency))
    return found


def gathered(gate: Gate, devices: list[Device]):
    members = {d.id: Member(d.id, n) for n, d in enumerate(devices)}
    return means(gate, PLAN, members, devices, 1)


def test_means_are_kept_apart_by_hardware() -> None:
    devices = [
        *(device(f"c{n}", 2, 200 + n, 1000 + 10 * n) for n in range(3)),
        *(device(f"s{n}", 1, 220, 900) for n in range(2)),
        device("other", 1, 100, 300, caps="m7"),
    ]
    found = gathered(CONFIDENCE, devices)
    assert [s.hardware for s in found.strata] == ["m4", "m7"]
    m4, m7 = found.strata
    assert (m4.canary.devices, m4.control.devices) == (3, 2)
    assert m4.canary.mean == pytest.approx(201 / 255)
    assert m4.canary.variance == pytest.approx(1 / 255**2)
    assert m4.canary.third_moment == pytest.approx(0.0)
    assert m4.control.mean == pytest.approx(220 / 255)  # only what came after the mark
    assert (m7.canary.devices, m7.control.devices) == (0, 1)
    slow = gathered(LATENCY, devices).strata[0]
    assert (slow.canary.mean, slow.control.mean) == (1010.0, 900.0)
    assert slow.canary.variance == pytest.approx(100.0)


def test_devices_that_say_too_little_are_left_out() -> None:
    silent = device("silent", 2, 200, 0)  # its firmware does not measure latency
    young = Device("young", state=silent.state)
    digest = revision(2).variants["m4"].digest
    take(young.tallies, totals(digest, 1, MIN_INFERENCES - 1, 200, 1000))
    assert gathered(LATENCY, [silent, young]).strata[0].canary.devices == 0
    assert gathered(CONFIDENCE, [silent, young]).strata[0].canary.devices == 1


def test_a_device_without_this_stages_mark_is_no_control() -> None:
    found = device("late", 1, 220, 900)
    for tally in found.tallies.values():
        tally.mark = "an earlier stage"
    assert gathered(CONFIDENCE, [found]).strata[0].control.devices == 0


def test_a_slow_revision_fails_by_what_devices_report() -> None:
    devices = [device(f"c{n}", 2, 200, 1500 + n) for n in range(12)]
    devices += [device(f"s{n}", 1, 200, 1000 + n) for n in range(12)]
    verdict = judge(LATENCY, gathered(LATENCY, devices))
    assert verdict.verdict == "Fail"
    assert verdict.message.startswith("mean latency of 12 canaries was 1.5 ms, 49.7 % above")
    assert judge(CONFIDENCE, gathered(CONFIDENCE, devices)).verdict == "Pass"


def test_windows_have_histograms_of_inputs_and_latency() -> None:
    tallies: dict[str, Tally] = {}
    digest, bin_ = "ab" * 32, Bin(0.0, 60.0)
    one, two = (tuple(n * (b == 3) for b in range(BINS)) for n in (30, 50))
    older = totals(digest, 0, 10, 200, 1000)  # firmware that does not say them
    for stats in (
        older,
        replace(totals(digest, 1, 30, 200, 1000), inputs=one, latency=one),
        replace(totals(digest, 2, 50, 200, 1000), inputs=two, latency=two),
    ):
        delta = take(tallies, stats)
        assert delta is not None
        bin_.add(delta)
    window = Bin.from_row(bin_.row("f", digest)).window(digest)
    assert window.inputs == window.latency == two
    assert window.count == 50


def test_latency_runs_over_boots_and_survives_as_a_row() -> None:
    tallies: dict[str, Tally] = {}
    digest = "ab" * 32
    for boot, counts in enumerate(([30, 60], [25]), start=1):
        for seq, (_, count) in enumerate(pairwise([0, *counts])):
            take(tallies, replace(totals(digest, seq, count, 200, 1000), boot=boot))
    tally = tallies[digest]
    assert (tally.count, tally.latency_sum) == (85, 85_000)
    tally.set_mark("stage")
    assert tally.mark_latency == 85_000
    assert Tally.from_row(tally.row("dev")) == tally
