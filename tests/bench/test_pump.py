"""The pump's figures: a tested run has no part in what it is tested with."""

from __future__ import annotations

import numpy as np
import pytest

from bench.learning import pump, skab
from bench.learning.settings import AbsentError
from petiole_pipelines.detectors import Commissioning, Detector, Option
from petiole_pipelines.runs import Run

RUNS = 8
OPTIONS = tuple(Option(Detector("Means", 10, (0,)), 256 * n, 256) for n in range(1, 41))


def counts(seed: int) -> np.ndarray:
    """Counts of a few options: the later, the fewer alarms of both kinds, and chance."""
    rng = np.random.default_rng(seed)
    share = np.linspace(0.6, 0.01, len(OPTIONS))[:, None]
    wrong = rng.binomial(300, 0.2 * share, (len(OPTIONS), RUNS))
    hits = rng.binomial(300, np.sqrt(share), (len(OPTIONS), RUNS))
    return np.stack([hits, wrong, 300 - hits, 300 - wrong], axis=-1)


def pool(seen: np.ndarray) -> pump.Pool:
    return pump.Pool(Commissioning(10, 60, 32.0, 400), None, OPTIONS, seen)


@pytest.mark.parametrize("group", [1, 4])
def test_what_is_tested_has_no_part_in_the_choice(group):
    for row in range(RUNS):
        others = np.arange(RUNS) // group != row // group
        seen = counts(1)
        found = pool(seen).chosen(row, others)
        assert found.counts.tolist() == seen[OPTIONS.index(found.option), row].tolist()
        turned = seen.copy()
        turned[:, ~others] = turned[::-1, ~others]
        assert pool(turned).chosen(row, others).option == found.option


def test_a_run_without_a_choice_counts_as_silent():
    loud = np.broadcast_to(np.array([80, 60, 20, 40]), (len(OPTIONS), RUNS, 4))
    found = pool(loud).chosen(0, np.arange(RUNS) > 0)
    assert found.option is None
    assert found.counts.tolist() == [0, 0, 100, 100]


class Recorded(pump.Trials):
    """Trials that note what pools are fitted to."""

    def without(self, group):
        fitted.append(
            [run.name for run, inside in zip(self.runs, group, strict=True) if not inside]
        )
        return pool(counts(3))


fitted: list[list[str]] = []


@pytest.mark.parametrize("one_by_one", [True, False])
def test_each_run_is_tested_once_with_a_pool_that_was_fitted_without_it(monkeypatch, one_by_one):
    monkeypatch.setattr(pump.Pool, "drifted", lambda *_: False)
    fitted.clear()
    runs = [Run(f"bed{n % 2}/{n}", np.zeros((1, 8)), np.zeros(1, bool)) for n in range(RUNS)]
    groups = np.arange(RUNS) % 2
    found = pump.left_out(Recorded(runs, print), groups, one_by_one=one_by_one)
    assert [row["run"] for row in found["perRun"]] == [run.name for run in runs]
    assert fitted == [[run.name for n, run in enumerate(runs) if n % 2 != g] for g in (0, 1)]


def test_the_scale_is_the_finest_that_holds_what_is_normal():
    rng = np.random.default_rng(2)

    def run(swing: float) -> Run:
        readings = rng.normal(0, 1, (500, 8))
        readings[pump.FIRST :: 10] *= swing
        return Run("bed/1", readings, np.zeros(500, bool))

    assert pump.reach([run(1.0)] * 3) == 8.0
    assert pump.reach([run(9.0)] * 3) == 32.0
    assert pump.reach([run(1e6)]) == pump.REACHES[-1]


def test_runs_are_read_as_they_are():
    try:
        runs = skab.load()
    except AbsentError as absent:
        pytest.skip(str(absent))
    assert {run.group for run in runs} == {"other", "valve1"}
    for run in runs:
        assert run.readings.shape == (len(run.faulty), skab.CHANNELS)
        assert run.faulty[skab.COMMISSIONING :].any()
        assert np.isfinite(run.readings).all()
