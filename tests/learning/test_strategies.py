"""Strategies: properties that hold for any pool, and agreement with scikit-activeml."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp
from skactiveml.classifier import SklearnClassifier
from skactiveml.pool import Badge, CoreSet, TypiClust, UncertaintySampling
from skactiveml.utils import MISSING_LABEL
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression

from petiole.learning.strategies import STRATEGIES, Choice, Pool, select
from petiole.learning.strategies.diverse import badge, cluster_margin, k_center
from petiole.learning.strategies.doubt import entropy, margin, random
from petiole.learning.strategies.typical import typiclust


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@st.composite
def pools(draw):
    count = draw(st.integers(1, 40))
    seed = draw(st.integers(0, 1000))
    rng = generator(seed)
    features = rng.normal(size=(count, 3))
    if draw(st.booleans()):
        features = np.round(features)  # equal points
    probabilities = rng.dirichlet(np.ones(4), count)
    return Pool(features, probabilities, rng.random(count) < draw(st.floats(0, 1)))


@settings(max_examples=150, deadline=None)
@given(pools(), st.sampled_from(sorted(STRATEGIES)), st.integers(0, 50), st.floats(0, 1))
def test_asks_each_open_sample_at_most_once_and_as_many_as_wanted(pool, name, count, share):
    queries = select(pool, Choice(name, count, share), generator())
    rows = [query.row for query in queries]
    assert len(set(rows)) == len(rows) == min(count, len(pool.open))
    assert not pool.labelled[rows].any()


@settings(max_examples=50, deadline=None)
@given(pools(), st.sampled_from(sorted(STRATEGIES)), st.integers(1, 20))
def test_the_same_seed_asks_the_same(pool, name, count):
    first, second = (select(pool, Choice(name, count, 0.2), generator(7)) for _ in range(2))
    assert first == second


@settings(max_examples=50, deadline=None)
@given(pools(), st.integers(1, 40))
def test_margin_leaves_no_sample_more_doubtful_than_those_it_asks(pool, count):
    asked = [query.row for query in margin(pool, count, generator())]
    ordered = np.sort(pool.probabilities, axis=1)
    gap = ordered[:, -1] - ordered[:, -2]
    left = np.setdiff1d(pool.open, asked)
    if asked and len(left):
        assert gap[asked].max() <= gap[left].min()


def test_random_share_is_kept_once_there_are_labels():
    labelled = np.arange(100) < 10
    pool = Pool(generator().normal(size=(100, 3)), generator().dirichlet(np.ones(3), 100), labelled)
    why = [
        query.why for query in select(pool, Choice("TypiClustThenMargin", 20, 0.25), generator())
    ]
    assert why.count("Random") == 5
    assert why.count("Margin") == 15


def test_a_cold_start_is_typical_only():
    pool = Pool(
        generator().normal(size=(50, 3)), np.full((50, 3), 1 / 3), np.zeros(50, dtype=np.bool_)
    )
    why = {query.why for query in select(pool, Choice("TypiClustThenMargin", 10, 0.5), generator())}
    assert why == {"TypiClust"}


def test_typiclust_asks_one_of_each_blob_and_of_its_middle():
    x, blob = make_blobs(300, centers=[[0, 0], [10, 0], [0, 10], [10, 10]], random_state=1)
    pool = Pool(x, np.full((300, 4), 0.25), np.zeros(300, dtype=np.bool_))
    rows = [query.row for query in typiclust(pool, 4, generator())]
    assert sorted(blob[rows]) == [0, 1, 2, 3]
    for row in rows:
        middle = x[blob == blob[row]].mean(0)
        distances = np.linalg.norm(x[blob == blob[row]] - middle, axis=1)
        assert np.linalg.norm(x[row] - middle) < np.median(distances)


def test_typiclust_avoids_clusters_that_have_a_label():
    x, blob = make_blobs(300, centers=[[0, 0], [10, 0], [0, 10], [10, 10]], random_state=1)
    labelled = np.zeros(300, dtype=np.bool_)
    labelled[[np.flatnonzero(blob == 0)[0], np.flatnonzero(blob == 1)[0]]] = True
    rows = [query.row for query in typiclust(Pool(x, np.eye(4)[blob], labelled), 2, generator())]
    assert sorted(blob[rows]) == [2, 3]


@dataclass
class Taught:
    """Overlapping blobs, some labelled, and what a classifier says of them, for both libraries."""

    x: np.ndarray
    y: np.ndarray  # NaN without a label
    classifier: SklearnClassifier
    pool: Pool


@pytest.fixture(scope="module")
def taught() -> Taught:
    x, blob = make_blobs(120, centers=5, cluster_std=4, random_state=3)
    labelled = np.arange(120) < 20
    y = np.where(labelled, blob, MISSING_LABEL)
    classifier = SklearnClassifier(LogisticRegression(), classes=np.arange(5)).fit(X=x, y=y)
    return Taught(x, y, classifier, Pool(x, classifier.predict_proba(x), labelled))


def rows(queries) -> list[int]:
    return [query.row for query in queries]


@pytest.mark.parametrize(("ours", "theirs"), [(margin, "margin_sampling"), (entropy, "entropy")])
def test_doubt_agrees_with_scikit_activeml(taught, ours, theirs):
    oracle = UncertaintySampling(method=theirs, random_state=0)
    asked = oracle.query(taught.x, taught.y, taught.classifier, fit_clf=False, batch_size=15)
    assert rows(ours(taught.pool, 15, generator())) == list(asked)


def test_k_center_agrees_with_scikit_activeml(taught):
    asked = CoreSet(random_state=0).query(taught.x, taught.y, batch_size=15)
    assert rows(k_center(taught.pool, 15, generator())) == list(asked)


def test_k_center_starts_anywhere_and_then_goes_far():
    x, blob = make_blobs(200, centers=[[0, 0], [50, 0], [0, 50], [50, 50]], random_state=1)
    pool = Pool(x, np.full((200, 4), 0.25), np.zeros(200, dtype=np.bool_))
    for seed in range(5):
        assert set(blob[rows(k_center(pool, 4, generator(seed)))]) == {0, 1, 2, 3}


def gradients(pool: Pool) -> np.ndarray:
    slope = pool.probabilities - np.eye(5)[pool.probabilities.argmax(1)]
    return (slope[:, :, None] * pool.features[:, None, :]).reshape(len(slope), -1)


def potential(embedding: np.ndarray, centres: list[int], among: np.ndarray) -> float:
    """The objective of k-means++: summed squared distances to the nearest centre."""
    squares = ((embedding[among][:, None, :] - embedding[centres][None, :, :]) ** 2).sum(-1)
    return float(squares.min(1).sum())


def test_badge_draws_as_scikit_activeml_does(taught):
    embedding, left = gradients(taught.pool), taught.pool.open
    mine = [rows(badge(taught.pool, 10, generator(seed))) for seed in range(40)]
    asked = [
        list(
            Badge(random_state=seed).query(
                taught.x, taught.y, taught.classifier, fit_clf=False, batch_size=10
            )
        )
        for seed in range(10)  # slow
    ]
    assert {first for first, *_ in mine} == {first for first, *_ in asked}
    ours = [potential(embedding, centres, left) for centres in mine]
    theirs = [potential(embedding, centres, left) for centres in asked]
    by_chance = [
        potential(embedding, rows(random(taught.pool, 10, generator(seed))), left)
        for seed in range(40)
    ]
    # Two samples of one distribution; draws by chance are far from it.
    assert ks_2samp(ours, theirs).pvalue > 0.01
    assert np.mean(ours) < 0.8 * np.mean(by_chance)


def test_cluster_margin_asks_doubtful_samples_of_every_cluster():
    x, blob = make_blobs(
        [60, 20, 20, 20], centers=[[0, 0], [50, 0], [0, 50], [50, 50]], random_state=1
    )
    probabilities = np.full((120, 2), 0.5)
    probabilities[::2] = [0.99, 0.01]  # every other one is certain
    pool = Pool(x, probabilities, np.zeros(120, dtype=np.bool_))
    asked = rows(cluster_margin(pool, 4, generator()))
    assert set(blob[asked]) == {0, 1, 2, 3}
    assert all(row % 2 for row in asked)
    # Margin alone takes what is doubtful wherever it lies: mostly the largest cluster.
    tie = rows(margin(pool, 4, generator(1)))
    assert set(blob[tie]) != {0, 1, 2, 3}


def test_typiclust_covers_the_blobs_that_scikit_activeml_covers():
    x, blob = make_blobs(300, centers=[[0, 0], [10, 0], [0, 10], [10, 10]], random_state=1)
    theirs = TypiClust(random_state=0).query(x, np.full(300, MISSING_LABEL), batch_size=4)
    pool = Pool(x, np.full((300, 4), 0.25), np.zeros(300, dtype=np.bool_))
    ours = [query.row for query in typiclust(pool, 4, generator())]
    assert set(blob[ours]) == set(blob[theirs])


def test_random_is_uniform_over_open_samples():
    labelled = np.arange(20) < 10
    pool = Pool(np.zeros((20, 1)), np.full((20, 2), 0.5), labelled)
    rng = generator()
    counts = np.bincount([random(pool, 1, rng)[0].row for _ in range(5000)], minlength=20)
    assert counts[:10].sum() == 0
    # chi-square with 9 degrees of freedom: 27.9 is exceeded once in a thousand
    assert ((counts[10:] - 500) ** 2 / 500).sum() < 27.9


def test_an_unknown_strategy_is_named():
    pool = Pool(np.zeros((3, 1)), np.full((3, 2), 0.5), np.zeros(3, dtype=np.bool_))
    with pytest.raises(ValueError, match=r"'Guess'.*TypiClustThenMargin"):
        select(pool, Choice("Guess", 1), generator())
