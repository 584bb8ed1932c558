"""The drift bench: its fields are what their names say, and figures of others stay."""

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.learning import drift, drift_tables, figures, kept
from bench.learning.drift_fields import Field, play

PLAIN = Field(20, 50, 15)
SITES = replace(PLAIN, weather=1.0)


def spread(field, seed=1):
    """Standard deviation of the windows' mean confidence, in bytes."""
    means = [w.confidence_sum / w.count for w in play(field, np.random.default_rng(seed), 400)]
    return np.std(means)


def test_weather_moves_all_devices_and_less_when_each_site_has_its_own():
    alone, one, four = spread(PLAIN), spread(SITES), spread(replace(SITES, sites=4))
    assert alone == pytest.approx(255 * 0.11 / np.sqrt(1000), rel=0.25)
    assert one**2 - alone**2 == pytest.approx(4 * (four**2 - alone**2), rel=0.5)
    assert one > 1.5 * alone


def test_a_shift_lowers_the_share_that_it_says():
    windows = list(play(PLAIN, np.random.default_rng(2), 40, moved_at=20, severity=0.4))
    before, after = (
        np.mean([w.confidence_sum / w.count / 255 for w in half])
        for half in (windows[:20], windows[20:])
    )
    assert after - before == pytest.approx(0.4 * (4 / 6.5 - 12 / 13.2), abs=0.01)


def test_one_fleet_makes_a_row_of_the_table():
    calm = drift.Calm("fleet", PLAIN, asked=52, fleets=2, windows=60)
    played = [(1, 0.5, {"Classes": 1}), drift.play_calm(calm, (1, 0))]
    row = drift.calm_row(calm, played)
    assert (row["alarms"], row["perDeviceYear"]) == (1, pytest.approx(1 / row["deviceYears"], 0.01))
    assert row["low"] < row["perFleetYear"] < row["high"]
    found = drift.delay_row(drift.Shift("s", PLAIN, 0.15), [{"a": 2.0, "b": np.inf}] * 3)
    report = {
        "falseAlarms": [row],
        "delays": [found],
        "peersFalseAlarmsPerYear": {"fleet": {"a": 3.4}},
    }
    text = drift_tables.markdown(report)
    assert "| s | 2, 2, 2 | never |" in text
    assert "| fleet | 52 | " in text


def test_figures_of_other_parts_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(figures, "OUTPUT", tmp_path)
    figures.keep({"pump": {"f1": 0.8}, "drift": {"delayWindows": 9}})
    figures.keep({"drift": {"delayWindows": 2}})
    file = tmp_path / "learning.json"
    assert json.loads(file.read_text()) == {"pump": {"f1": 0.8}, "drift": {"delayWindows": 2}}


def test_what_was_ended_goes_on_from_what_was_kept(tmp_path):
    file = tmp_path / "kept" / "results.jsonl"
    first = kept.play({"a": (max, (1, 2)), "gone": (max, (3, 4))}, file, workers=1)
    assert first == {"a": 2, "gone": 4}
    with file.open("a") as lines:
        lines.write('["b", 7')  # the power went
    again = kept.play({"a": (min, (1, 2)), "b": (max, (5, 6))}, file, workers=1)
    assert again == kept.results(file) == {"a": 2, "b": 6}


def fail():
    raise ValueError("odd")


def touch_slowly(file):
    time.sleep(0.1)
    file.touch()


def test_nothing_begins_that_nobody_would_keep(tmp_path):
    file = tmp_path / "results.jsonl"
    kept.play({"a": (max, (1, 2))}, file, workers=1)
    jobs = {"a": (max, (1, 2)), "b": (fail, ())}
    jobs |= {f"c{n}": (touch_slowly, (tmp_path / f"c{n}",)) for n in range(50)}
    with pytest.raises(ValueError, match="odd"):
        kept.play(jobs, file, workers=1)
    assert kept.results(file) == {"a": 2}
    assert len(list(tmp_path.glob("c*"))) < 10


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr(figures, "OUTPUT", tmp_path)
    figures.keep({"pump": {"f1": 0.8}})
    monkeypatch.setattr(Path, "replace", fail_with(OSError("the disk is full")))
    with pytest.raises(OSError, match="full"):
        figures.keep({"pump": {}})
    monkeypatch.undo()
    assert json.loads((tmp_path / "learning.json").read_text()) == {"pump": {"f1": 0.8}}


def fail_with(error):
    def raising(*_):
        raise error

    return raising


def test_a_part_of_each_row_is_played_before_more_of_any():
    rows = [name.rpartition("/")[0] for name in drift.jobs(1, quick=True)]
    assert len(set(rows)) == len(set(rows[: len(set(rows))]))
