"""The pump's figures: a tested run has no part in what it is tested with."""

from __future__ import annotations

import numpy as np
import pytest

from bench.learning import pump, skab

RUNS = [f"bed{n % 2}/{n}" for n in range(8)]


def counts(seed: int) -> np.ndarray:
    """Counts of a few options: the later, the fewer alarms of both kinds, and chance."""
    rng = np.random.default_rng(seed)
    share = np.linspace(0.6, 0.01, 40)[:, None]
    wrong = rng.binomial(300, 0.2 * share, (40, len(RUNS)))
    hits = rng.binomial(300, np.sqrt(share), (40, len(RUNS)))
    return np.stack([hits, wrong, 300 - hits, 300 - wrong], axis=-1)


@pytest.mark.parametrize("groups", [RUNS, [name[:4] for name in RUNS]])
def test_what_is_tested_has_no_part_in_the_choice(groups):
    for row in range(len(RUNS)):
        seen = counts(1)
        option, found = pump.left_out(seen, groups)[row]
        assert any(np.array_equal(found, own) for own in seen[:, row])
        turned = seen.copy()
        turned[:, row] = turned[::-1, row]
        assert pump.left_out(turned, groups)[row][0] == option


def test_a_run_without_a_choice_counts_as_silent():
    loud = np.broadcast_to(np.array([80, 60, 20, 40]), (3, 4, 4))
    found = pump.left_out(loud, ["a", "b", "c", "d"])
    assert [words for words, _ in found] == ["none"] * 4
    assert found[0][1].tolist() == [0, 0, 100, 100]


def test_the_scale_is_the_finest_that_holds_what_is_normal():
    rng = np.random.default_rng(2)

    def run(swing: float) -> skab.Run:
        readings = rng.normal(0, 1, (500, 8))
        readings[pump.FIRST :: 10] *= swing
        return skab.Run("bed/1", readings, np.zeros(500, bool))

    assert pump.reach([run(1.0)] * 3) == 8.0
    assert pump.reach([run(9.0)] * 3) == 32.0
    assert pump.reach([run(1e6)]) == pump.REACHES[-1]


def test_runs_are_read_as_they_are():
    try:
        runs = skab.load()
    except FileNotFoundError as absent:
        pytest.skip(str(absent))
    assert {run.bed for run in runs} == {"other", "valve1"}
    for run in runs:
        assert run.readings.shape == (len(run.faulty), len(skab.CHANNELS))
        assert run.faulty[skab.COMMISSIONING :].any()
        assert np.isfinite(run.readings).all()
