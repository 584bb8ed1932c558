"""How often a gate is wrong: by enumeration, by scipy, and by simulation with fixed seeds."""

from __future__ import annotations

import itertools
import math
from bisect import insort
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from petiole.rollout.boundary import TAIL_SHARE, boundary
from petiole.rollout.clusters import counted
from petiole.rollout.outcome import Passing, rate_interval

RATES = st.tuples(st.sampled_from([0.001, 0.01, 0.05, 0.2]), st.sampled_from([0.25, 0.5, 0.9]))


def by_recursion(rule, rate: float, devices: int) -> tuple[float, float]:
    """Chance to stop and mean devices exposed, from the rule's public words alone."""
    alive, stopped, exposed = {0: 1.0}, 0.0, 0.0
    for n in range(1, devices + 1):
        after: dict[int, float] = {}
        for k, chance in alive.items():
            after[k] = after.get(k, 0.0) + chance * (1.0 - rate)
            if n <= rule.reach(k + 1):
                stopped, exposed = stopped + chance * rate, exposed + n * chance * rate
            else:
                after[k + 1] = after.get(k + 1, 0.0) + chance * rate
        alive = after
    return stopped, exposed + devices * sum(alive.values())


# --- the boundary, exactly ------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(RATES, st.sampled_from([0.001, 0.015, 0.05, 0.2]), st.integers(1, 80))
def test_error_rates_are_what_the_boundary_says(
    rates: tuple[float, float], alpha: float, devices: int
) -> None:
    rule = boundary(*rates, alpha, 0.05, devices)
    if rule.tail is not None:
        return
    wrong, _ = by_recursion(rule, rule.good, devices)
    power, exposed = by_recursion(rule, rule.bad, devices)
    assert wrong == pytest.approx(rule.alpha, abs=1e-9)
    assert wrong <= alpha + 1e-9
    assert (power, exposed) == (
        pytest.approx(rule.power, abs=1e-9),
        pytest.approx(rule.exposed, abs=1e-6),
    )


def test_beyond_the_horizon_the_tail_is_part_of_alpha() -> None:
    rule = boundary(0.01, 0.10, 0.05, 0.05)
    wrong, _ = by_recursion(rule, 0.01, 4 * rule.horizon)
    assert wrong <= rule.alpha <= 0.05
    inside, _ = by_recursion(boundary(0.01, 0.10, 0.05, 0.05, rule.horizon), 0.01, rule.horizon)
    assert inside <= 0.05
    assert rule.tail == pytest.approx(-math.log(TAIL_SHARE * 0.05))
    late = [rule.reach(k) for k in (40, 400, 4000)]
    assert late == sorted(late)
    assert late[0] > rule.horizon  # devices after the horizon are guarded


def every_rule(devices: int) -> list[list[int]]:
    """All tables of places that never fall: place k - 1 for the k-th failure."""
    places = range(devices + 1)
    return [list(p) for p in itertools.combinations_with_replacement(places, devices)]


@pytest.mark.parametrize("alpha", [0.03, 0.1, 0.25])
def test_no_rule_of_a_small_cohort_exposes_fewer_at_the_same_error(alpha: float) -> None:
    """Of all 924 rules for 6 devices none with no more error than ours is better."""
    good, bad, devices = 0.1, 0.5, 6
    ours = boundary(good, bad, alpha, 0.999, devices)

    class Table:
        def __init__(self, places: list[int]) -> None:
            self.places = places

        def reach(self, k: int) -> int:
            return self.places[k - 1]

    best = min(
        by_recursion(rule, bad, devices)[1]
        for rule in map(Table, every_rule(devices))
        if by_recursion(rule, good, devices)[0] <= ours.alpha + 1e-12
    )
    assert ours.exposed == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize(
    ("alpha", "exposed"), [(0.01, 32.2), (0.015, 29.1), (0.02, 27.5), (0.024, 26.2), (0.03, 25.0)]
)
def test_a_cohort_of_a_hundred(alpha: float, exposed: float) -> None:
    rule = boundary(0.01, 0.10, alpha, 0.06, 100)
    assert rule.alpha <= alpha
    assert rule.power >= 0.94
    assert rule.exposed <= exposed


def test_power_is_bought_where_it_can_be_had() -> None:
    cheap = boundary(0.01, 0.10, 0.005, 0.10, 100)
    strong = boundary(0.01, 0.10, 0.005, 0.05, 100)
    assert cheap.power < 0.95 <= strong.power
    assert strong.exposed > cheap.exposed
    assert strong.alpha <= 0.005


@settings(max_examples=60, deadline=None)
@given(RATES, st.sampled_from([0.01, 0.05]), st.integers(0, 400))
def test_more_failures_reach_further(
    rates: tuple[float, float], alpha: float, devices: int
) -> None:
    rule = boundary(*rates, alpha, 0.05, devices)
    reach = [rule.reach(k) for k in range(60)]
    assert reach == sorted(reach)
    assert reach[0] == 0


def test_rates_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="0 < good < bad < 1"):
        boundary(0.1, 0.1, 0.05, 0.05)


# --- reports in any order, with any delay ---------------------------------------------------------


@given(st.sets(st.integers(1, 120), min_size=1, max_size=12), st.randoms())
def test_the_order_of_reports_does_not_matter_in_the_end(places: set[int], random) -> None:
    rule = boundary(0.01, 0.10, 0.05, 0.05, 120)

    def ever(order: list[int]) -> bool:
        known: list[int] = []
        hits = []
        for place in order:
            insort(known, place)
            hits.append(rule.crossed(known, len(known), 120) > 0)
        assert hits == sorted(hits)  # what stopped stays stopped
        return hits[-1]

    shuffled = list(places)
    random.shuffle(shuffled)
    assert ever(shuffled) == ever(sorted(places))


def stopped(rng: np.random.Generator, rate: float, runs: int, alpha: float) -> float:
    """Share of rollouts stopped: 100 in flight at once, every failure is heard of first."""
    rule = boundary(0.01, 0.10, alpha, 0.05, 100)
    hits = 0
    for failing in rng.random((runs, 100)) < rate:
        known: list[int] = []
        for place in rng.permutation(np.flatnonzero(failing) + 1):
            insort(known, int(place))
            if rule.crossed(known, len(known), 100):
                hits += 1
                break
    return hits / runs


def test_failures_that_are_reported_first_do_not_stop_a_good_revision() -> None:
    rng, runs = np.random.default_rng(3), 20_000
    wrong = stopped(rng, 0.01, runs, 0.05)
    exact = boundary(0.01, 0.10, 0.05, 0.05, 100).alpha
    assert abs(wrong - exact) <= 4 * math.sqrt(exact * (1 - exact) / runs)
    assert stopped(rng, 0.10, 2000, 0.05) >= 0.95


def test_counting_only_finished_devices_would_stop_every_second_good_revision() -> None:
    """Why places are needed: the first two reports of 100 in flight are two failures."""
    rng = np.random.default_rng(4)
    rule = boundary(0.01, 0.10, 0.05, 0.05, 100)
    failures = (rng.random((5000, 100)) < 0.01).sum(axis=1)
    naive = np.mean([any(k <= rule.reach(k) for k in range(1, f + 1)) for f in failures])
    assert naive > 0.25


# --- clusters -------------------------------------------------------------------------------------


def test_one_dead_access_point_is_not_a_bad_revision() -> None:
    begun = {f"site-{n}": 10 for n in range(10)}
    dark = [(place, "site-3") for place in range(4, 100, 10)]
    assert counted(dark, begun) == ((4,), 9)
    elsewhere = [(20, "site-9"), (51, "site-0")]
    failed_at, aside = counted([*elsewhere, *dark], begun)
    assert (failed_at, aside) == ((4, 20, 51), 9)


def test_failures_everywhere_all_count() -> None:
    begun = {f"site-{n}": 10 for n in range(10)}
    failures = [(n + 1, f"site-{n % 10}") for n in range(0, 40, 3)]
    assert counted(failures, begun) == (tuple(p for p, _ in failures), 0)


def test_a_cluster_that_is_most_of_the_fleet_weighs_by_its_size() -> None:
    begun = {"plant": 90, "lab": 10}
    failures = [(n, "plant") for n in range(1, 10)]
    assert counted(failures, begun) == ((1,), 8)
    assert counted([*failures, (95, "lab")], begun) == ((*range(1, 10), 95), 0)


def test_alone_a_cluster_is_not_set_aside() -> None:
    failures = [(1, "a"), (2, "a"), (3, "a")]
    assert counted(failures, {"a": 9}) == ((1, 2, 3), 0)
    assert counted(failures, {"a": 9, "b": 1}) == ((1,), 2)


@given(
    st.lists(st.tuples(st.integers(1, 200), st.sampled_from("abcd")), unique_by=lambda f: f[0]),
    st.tuples(st.integers(201, 400), st.sampled_from("abcd")),
    st.randoms(),
)
def test_what_counts_never_shrinks_and_has_no_order(failures, another, random) -> None:
    begun = {"a": 10, "b": 40, "c": 40, "d": 110}
    failed_at, aside = counted(failures, begun)
    assert len(failed_at) + aside == len(failures)
    assert set(failed_at) <= {place for place, _ in failures}
    assert list(failed_at) == sorted(failed_at)
    shuffled = list(failures)
    random.shuffle(shuffled)
    assert counted(shuffled, begun) == (failed_at, aside)
    more, _ = counted([*failures, another], begun)
    assert set(more) >= set(failed_at)


def test_clusters_keep_the_bound_and_most_of_the_power() -> None:
    """Ten sites; one dark in a good rollout; a bad revision that fails everywhere."""
    rng = np.random.default_rng(8)
    rule = boundary(0.01, 0.10, 0.05, 0.05, 100)
    sites = [f"site-{n % 10}" for n in range(100)]
    begun = Counter(sites)

    def share(failing: np.ndarray, *, capped: bool) -> float:
        hits = 0
        for row in failing:
            known = [(int(p) + 1, sites[p]) for p in np.flatnonzero(row)]
            at = counted(known, begun)[0] if capped else tuple(p for p, _ in known)
            hits += rule.crossed(at, len(at), 100) > 0
        return hits / len(failing)

    good, bad = rng.random((3000, 100)) < 0.01, rng.random((3000, 100)) < 0.10
    dark = good | (np.arange(100)[None, :] % 10 == rng.integers(10, size=3000)[:, None])
    assert share(good, capped=True) <= share(good, capped=False) <= 0.06
    assert share(bad, capped=False) - share(bad, capped=True) <= 0.03
    assert share(bad, capped=True) >= 0.94
    assert share(dark, capped=False) == 1.0
    assert share(dark, capped=True) <= 0.4


# --- passing and what a canary proves -------------------------------------------------------------


def test_a_bad_revision_passes_as_seldom_as_stated_however_often_one_looks() -> None:
    passing, runs = Passing(0.01, 0.10, 0.05, 0), 4000
    failing = np.random.default_rng(5).random((runs, 300)) < 0.10
    table = [passing.needed(k, k) for k in range(60)]
    k = np.cumsum(failing, axis=1)
    passes = np.arange(1, 301)[None, :] >= np.array(table)[k]
    assert 0.0 < passes.any(axis=1).mean() <= 0.05


@pytest.mark.parametrize(("devices", "failing"), [(30, 3), (45, 5), (200, 20)])
def test_a_small_fleet_with_as_many_bad_devices_passes_as_seldom(
    devices: int, failing: int
) -> None:
    rng, runs = np.random.default_rng(6), 4000
    passing = Passing(0.01, 0.10, 0.05, devices)
    order = np.argsort(rng.random((runs, devices)), axis=1) < failing
    k = np.cumsum(order, axis=1)
    table = np.array([passing.needed(j, j) or devices + 1 for j in range(failing + 1)])
    passes = np.arange(1, devices + 1)[None, :] >= table[k]
    assert passes.any(axis=1).mean() <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)


@given(st.integers(1, 400), st.integers(0, 400))
def test_intervals_are_those_of_clopper_and_pearson(n: int, k: int) -> None:
    k = min(k, n)
    lower, upper = rate_interval(n, k)
    expected = stats.binomtest(k, n).proportion_ci(confidence_level=0.90, method="exact")
    assert (lower, upper) == (
        pytest.approx(float(expected.low), abs=1e-9),
        pytest.approx(float(expected.high), abs=1e-9),
    )


@pytest.mark.parametrize(("devices", "clean"), [(100, 45), (200, 51), (1000, 57)])
def test_clean_devices_that_exclude_five_percent_of_a_fleet(devices: int, clean: int) -> None:
    assert rate_interval(clean, 0, devices)[1] <= 0.05
    assert rate_interval(clean - 1, 0, devices)[1] > 0.05


@settings(deadline=None)
@given(st.integers(2, 120), st.data())
def test_intervals_of_a_fleet_are_those_of_the_hypergeometric(devices: int, data) -> None:
    n = data.draw(st.integers(1, devices))
    k = data.draw(st.integers(0, n))
    lower, upper = rate_interval(n, k, devices)
    failing = np.arange(k, devices - (n - k) + 1)
    few = stats.hypergeom.cdf(k, devices, failing, n)
    many = stats.hypergeom.sf(k - 1, devices, failing, n)
    assert lower == pytest.approx(failing[many > 0.05 + 1e-12][0] / devices)
    out = failing[few <= 0.05 + 1e-12]
    last = out[0] if len(out) else failing[-1] + 1
    assert upper == pytest.approx(min(1.0, last / devices))
