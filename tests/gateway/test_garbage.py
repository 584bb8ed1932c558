"""Whole collections happen when the gateway says so."""

import gc
from collections.abc import Iterator

import pytest

from petiole.gateway import garbage


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def _whole() -> int:
    return int(gc.get_stats()[2]["collections"])


def _make_much() -> list[list[object]]:
    kept: list[list[object]] = []
    for _ in range(2_000_000):
        ring: list[object] = []
        ring.append(ring)
        kept.append(ring)
    return kept


def test_much_that_is_made_is_no_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr(garbage.time, "monotonic", lambda: now)
    collector = garbage.Garbage()
    collector.start()
    before = _whole()
    _make_much()
    collector.collect(messages=0)
    assert _whole() == before

    now += garbage.EVERY + 1
    collector.collect(messages=garbage.FEW)
    assert _whole() == before, "in the middle of a rollout"
    collector.collect(messages=0)
    assert _whole() == before + 1
    collector.collect(messages=0)
    assert _whole() == before + 1

    now += garbage.LATEST + 1
    collector.collect(messages=garbage.FEW)
    assert _whole() == before + 2
