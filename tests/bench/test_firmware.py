"""The bench of the firmware: bars are judged, and tests that it plays are counted as they ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.firmware.played import play
from bench.firmware.section import Bar


def test_a_bar_is_a_bound_from_above_or_from_below():
    assert Bar("seconds", 2.0, 2.0).held
    assert not Bar("seconds", 2.1, 2.0).held
    assert Bar("networks", 30, 30, least=True).held
    assert not Bar("networks", 29, 30, least=True).held


def test_played_tests_are_counted_as_they_ended(tmp_path: Path):
    (tmp_path / "test_some.py").write_text(
        "import pytest\n"
        "def test_good(record_property):\n"
        "    record_property('cuts', 7)\n"
        "def test_bad(record_property):\n"
        "    record_property('cuts', 5)\n"
        "    assert False\n"
        "@pytest.mark.long\n"
        "def test_long(): pass\n"
        "def test_absent(): pytest.skip('nothing to do')\n"
    )
    done = play(str(tmp_path / "test_some.py"), seconds=60)
    assert (done.passed, done.failed, done.skipped) == (2, 1, 1)
    assert done.recorded == {"cuts": [7, 5]}


def test_a_bench_of_no_tests_says_so(tmp_path: Path):
    with pytest.raises(RuntimeError, match=r"no such tests|did not run"):
        play(str(tmp_path / "test_nothing.py"), seconds=60)
