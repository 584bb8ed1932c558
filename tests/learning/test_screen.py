"""Quotas and near-duplicates: what a strategy does not get to see, or not to have."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from petiole.learning.strategies import STRATEGIES, Choice, Pool, select
from petiole.learning.strategies.screen import without_near_duplicates


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@st.composite
def pools(draw):
    rng = generator(draw(st.integers(0, 1000)))
    count = draw(st.integers(1, 60))
    probabilities = rng.dirichlet(np.ones(3), count)
    probabilities[rng.random(count) < draw(st.floats(0, 1))] = 1 / 3  # the teacher knows nothing
    device = np.array(["", "a", "b", "c"])[rng.integers(0, 4, count)]
    labelled = rng.random(count) < draw(st.floats(0, 0.5))
    return Pool(rng.normal(size=(count, 3)), probabilities, labelled, device)


def most(share: float, batch: int) -> int:
    return max(1, int(share * batch + 1e-9))


@settings(max_examples=150, deadline=None)
@given(
    pools(),
    st.sampled_from(sorted(STRATEGIES)),
    st.integers(1, 30),
    st.sampled_from([0.05, 0.2, 0.5, 1.0]),
    st.sampled_from([0.05, 0.2, 0.5, 1.0]),
)
def test_no_group_has_more_than_its_share_and_room_is_used(pool, name, batch, by_class, by_device):
    choice = Choice(name, batch, per_class=by_class, per_device=by_device)
    asked = [query.row for query in select(pool, choice, generator())]
    knows = pool.probabilities.max(1) - pool.probabilities.min(1) > 1e-9
    answer = np.where(knows, pool.probabilities.argmax(1), -1)
    classes = [int((answer[asked] == k).sum()) for k in range(3)]
    devices = [int((pool.device[asked] == d).sum()) for d in "abc"]
    assert max(classes) <= most(by_class, batch)
    assert max(devices) <= most(by_device, batch)
    assert len(set(asked)) == len(asked) <= batch
    if len(asked) < batch:  # every other sample belongs to a group that is full
        for row in np.setdiff1d(pool.open, asked):
            full = answer[row] >= 0 and classes[answer[row]] == most(by_class, batch)
            sent = pool.device[row]
            assert full or (sent and devices["abc".index(sent)] == most(by_device, batch))


def test_a_quota_passes_the_places_of_a_full_class_on():
    probabilities = np.array([[0.51, 0.49]] * 50 + [[0.2, 0.8]] * 50)
    pool = Pool(generator().normal(size=(100, 2)), probabilities, np.zeros(100, dtype=np.bool_))
    plain = [query.row for query in select(pool, Choice("Margin", 10), generator())]
    shared = [query.row for query in select(pool, Choice("Margin", 10, per_class=0.5), generator())]
    assert all(row < 50 for row in plain)
    assert sum(row < 50 for row in shared) == 5
    assert len(shared) == 10


def test_the_random_share_is_drawn_past_quotas_and_near_duplicates():
    x = np.repeat(generator().normal(size=(10, 2)), 10, axis=0)
    probabilities = np.tile([0.6, 0.4], (100, 1))
    pool = Pool(x, probabilities, np.arange(100) == 0)
    choice = Choice("Margin", 20, 0.5, per_class=0.1, drop_near_duplicates=True)
    why = [query.why for query in select(pool, choice, generator())]
    assert (why.count("Margin"), why.count("Random")) == (2, 10)


def test_near_duplicates_are_dropped_but_for_the_first():
    spots = generator().normal(size=(30, 5))
    copies = spots[:5] + 1e-4 * generator(1).normal(size=(5, 5))
    x = np.concatenate([spots, copies, spots[:3]])
    pool = Pool(x, np.full((38, 2), 0.5), np.zeros(38, dtype=np.bool_))
    assert without_near_duplicates(pool).tolist() == list(range(30))


def test_what_is_near_a_labelled_sample_is_not_asked():
    spots = generator().normal(size=(20, 3))
    x = np.concatenate([spots, spots[:4], spots[:1]])
    labelled = np.zeros(25, dtype=np.bool_)
    labelled[[20, 21, 24]] = True  # copies of 0, 1 and 0 again
    kept = without_near_duplicates(Pool(x, np.full((25, 2), 0.5), labelled))
    assert kept.tolist() == [*range(2, 22), 24]


@pytest.mark.parametrize("count", [0, 1])
def test_a_pool_too_small_to_have_neighbours_is_kept(count):
    pool = Pool(np.zeros((count, 2)), np.full((count, 2), 0.5), np.zeros(count, dtype=np.bool_))
    assert len(without_near_duplicates(pool)) == count


def test_blocks_do_not_change_what_is_near(monkeypatch):
    x = np.round(generator().normal(size=(200, 3)), 1)
    pool = Pool(x, np.full((200, 2), 0.5), generator(1).random(200) < 0.1)
    whole = without_near_duplicates(pool)
    monkeypatch.setattr("petiole.learning.strategies.screen._BLOCK", 7)
    assert without_near_duplicates(pool).tolist() == whole.tolist()
    assert len(whole) < 200


def test_a_pool_of_copies_of_what_is_known_ends_the_questions():
    pool = Pool(np.zeros((10, 2)), np.full((10, 2), 0.5), np.arange(10) == 0)
    choice = Choice("Margin", 5, 0.4, drop_near_duplicates=True)
    assert select(pool, choice, generator()) == []
