"""Rollouts under random kills; ``make bench-kills`` runs a hundred."""

import pytest

from bench.kills.__main__ import sweep


def test_kills_change_no_end() -> None:
    """Seed 5 is a bad build with three kills."""
    outcomes = sweep([5], 300, "sqlite")
    assert [(o.bad, o.problems) for o in outcomes] == [(True, [])]


@pytest.mark.long
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_kills_of_everything_change_no_end(database) -> None:
    outcomes = sweep(range(201, 213), 1000, database)
    assert [o.problems for o in outcomes] == [[]] * 12
