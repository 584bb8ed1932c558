"""Strategies: properties that hold for any pool, and agreement with scikit-activeml."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skactiveml.classifier import SklearnClassifier
from skactiveml.pool import TypiClust, UncertaintySampling
from skactiveml.utils import MISSING_LABEL
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression

from petiole.learning.strategies import STRATEGIES, Pool, margin, random, select, typiclust


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
    queries = select(pool, name, count, share, generator())
    rows = [query.row for query in queries]
    assert len(set(rows)) == len(rows) == min(count, len(pool.open))
    assert not pool.labelled[rows].any()


@settings(max_examples=50, deadline=None)
@given(pools(), st.sampled_from(sorted(STRATEGIES)), st.integers(1, 20))
def test_the_same_seed_asks_the_same(pool, name, count):
    first, second = (select(pool, name, count, 0.2, generator(7)) for _ in range(2))
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
    why = [query.why for query in select(pool, "TypiClustThenMargin", 20, 0.25, generator())]
    assert why.count("Random") == 5
    assert why.count("Margin") == 15


def test_a_cold_start_is_typical_only():
    pool = Pool(
        generator().normal(size=(50, 3)), np.full((50, 3), 1 / 3), np.zeros(50, dtype=np.bool_)
    )
    why = {query.why for query in select(pool, "TypiClustThenMargin", 10, 0.5, generator())}
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


def test_margin_agrees_with_scikit_activeml():
    x, blob = make_blobs(60, centers=5, cluster_std=4, random_state=3)
    labelled = np.arange(60) < 20
    y = np.where(labelled, blob, MISSING_LABEL)
    classifier = SklearnClassifier(LogisticRegression(), classes=np.arange(5)).fit(X=x, y=y)
    oracle = UncertaintySampling(method="margin_sampling", random_state=0)
    theirs = oracle.query(x, y, classifier, fit_clf=False, batch_size=15)
    pool = Pool(x, classifier.predict_proba(x), labelled)
    assert {query.row for query in margin(pool, 15, generator())} == set(theirs)


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
        select(pool, "Guess", 1, 0.0, generator())
