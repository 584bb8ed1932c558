"""The learning bench: splits that do not leak, and the arithmetic of its figures."""

import numpy as np
import pytest

from bench.learning import settings
from bench.learning.arms import needed
from bench.learning.saved import summary


def results(*accuracies):
    return [{"labels": 20 * (n + 1), "accuracy": a} for n, a in enumerate(accuracies)]


def test_one_lucky_step_is_not_enough():
    assert needed(results(0.9, 0.97, 0.95, 0.97, 0.98), 0.96) == 80
    assert needed(results(0.9, 0.95, 0.97), 0.96) is None
    assert needed(results(0.96, 0.96), 0.96) == 20


def test_neighbouring_photos_share_a_block_and_series_do_not():
    names = [f"rust/u{n}___FREC_C.Rust {n}_final_masked.jpg" for n in (9, 1, 12, 3, 30)]
    names += [f"rust/u{n}___Other {n}_final_masked.jpg" for n in (2, 4)]
    names += [f"scab/u{n}___FREC_C.Rust {n}.JPG" for n in range(25)]
    found = settings.blocks(names)
    assert len(set(found[:5])) == 1
    assert len({found[0], found[5], found[7]}) == 3
    assert np.bincount(found[7:])[found[7] :].tolist() == [10, 10, 5]


def row(seed, labels, full=0.97):
    asked = results(0.9, 0.965, 0.97) if labels else results(0.8, 0.85)
    return {
        "seed": seed, "pool": 1000, "steps": 3000, "full": full, "labels": labels, "asked": asked,
        "random": results(0.8, 0.9), "randomLabels": None,
    }  # fmt: skip


def test_a_seed_that_never_came_near_has_saved_nothing():
    found = summary([row(0, 40), row(1, 40), row(2, None)])
    assert (found["savedPercentWorst"], found["labelsMean"]) == (0.0, 360.0)
    assert found["savedPercentMean"] == pytest.approx(64.0)
    low, high = found["savedPercentInterval"]
    assert low < 64 < high
    assert found["accuracy"] == pytest.approx((0.965 + 0.965 + 0.85) / 3, abs=1e-4)
    assert summary([row(0, 40)])["savedPercentInterval"] is None


@pytest.fixture
def leaves():
    try:
        return settings.leaves()
    except settings.AbsentError as error:
        pytest.skip(str(error))


@pytest.mark.long
def test_no_block_of_leaves_is_on_both_sides(leaves):
    for name in ("leaves", "leavesAugmented", "leavesIncremental"):
        split = settings.SETTINGS[name].split(4)
        photo = len(leaves.y)
        sides = [set(leaves.block[rows % photo]) for rows in (split.pool, split.evaluation)]
        assert not sides[0] & sides[1]
        assert len(set(split.y)) == 4


@pytest.mark.long
def test_a_class_is_first_seen_in_the_third_arrival_and_the_light_changes_in_the_fourth(leaves):
    split = settings.incremental(1)
    new = split.y == settings.LEAF_LABELS.index(settings.NEW_CLASS)
    assert split.arrival[new].min() == 2
    assert split.arrival[~new].min() == 0
    dim = split.pool >= len(leaves.y)
    assert (dim == (split.arrival >= 3)).all()
    assert split.x[dim].mean() < 0.7 * split.x[~dim].mean()
    assert len(set(split.pool % len(leaves.y))) == len(split.pool)
