"""Who goes first: every prefix of the order has its share of every stratum."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from petiole.rollout.cohort import order, rank

LABELS = st.tuples(st.sampled_from(["m4", "m33", "m0"]), st.sampled_from("abcdefg"))
FLEETS = st.lists(LABELS, min_size=1, max_size=150).map(
    lambda found: {f"dev-{n:04d}": labels for n, labels in enumerate(found)}
)


@settings(max_examples=60, deadline=None)
@given(strata=FLEETS, revision=st.integers(1, 1000))
def test_no_stratum_is_ahead_of_another_by_more_than_a_device_of_each(strata, revision) -> None:
    ordered = order(revision, strata, strata)
    assert sorted(ordered) == sorted(strata)
    sizes, seen = Counter(strata.values()), Counter()
    for device in ordered:
        seen[strata[device]] += 1
        shares = sorted((seen[s] / n, 1 / n) for s, n in sizes.items())
        # count/size lies within one device of one common share: such a share must exist.
        low = max(share - step for share, step in shares)
        high = min(share + step for share, step in shares)
        assert low <= high + 1e-12


@settings(max_examples=60, deadline=None)
@given(strata=FLEETS, revision=st.integers(1, 1000))
def test_within_a_stratum_the_hash_orders(strata, revision) -> None:
    ordered = order(revision, strata, strata)
    for stratum in set(strata.values()):
        members = [rank(revision, d) for d in ordered if strata[d] == stratum]
        assert all(a < b for a, b in pairwise(members))


def test_the_order_does_not_depend_on_the_order_of_the_question() -> None:
    strata = {f"dev-{n}": ("site", str(n % 7)) for n in range(100)}
    backwards = dict(reversed(strata.items()))
    assert order(3, strata, strata) == order(3, backwards, backwards)
    assert order(3, strata, strata) != order(4, strata, strata)


def test_without_strata_the_hash_alone_orders() -> None:
    devices = [f"dev-{n}" for n in range(100)]
    assert order(7, devices) == sorted(devices, key=lambda d: rank(7, d))
    same = dict.fromkeys(devices, ("m4",))
    assert order(7, devices, same) == order(7, devices)
    assert order(7, ()) == []


def test_a_stage_of_ten_percent_has_ten_percent_of_every_site() -> None:
    sites = {f"dev-{n:04d}": (f"site-{n % 8}",) for n in range(2000)}
    canaries = Counter(sites[d][0] for d in order(1, sites, sites)[:200])
    assert all(24 <= number <= 26 for number in canaries.values())
    assert len(canaries) == 8


def test_over_many_revisions_a_lone_device_is_a_canary_as_often_as_any_other() -> None:
    strata = {f"dev-{n:02d}": ("many",) for n in range(49)} | {"lone": ("few",)}
    early = sum("lone" in order(revision, strata, strata)[:10] for revision in range(1000))
    assert 150 <= early <= 250  # 200 expected, sd 12.6
