"""What many fleets cost the registry, counted."""

from __future__ import annotations

import pytest

from petiole.fleet import claims
from petiole.fleet.standing import Clock
from petiole.gateway import registry
from petiole.rollout.plan import Plan

FLEETS, DEVICES = 30, 40


def test_a_fleet_that_comes_or_goes_is_not_compared_with_those_of_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = 0

    def selects(*given: object) -> bool:
        nonlocal asked
        asked += 1
        return claims.selects(*given)

    held = registry.Registry()
    held.register((f"d{number}", {"app": f"a{number}"}) for number in range(DEVICES))
    monkeypatch.setattr(registry, "selects", selects)
    for number in range(FLEETS):
        held.dirty.clear()
        held.put_plan(plan(number), Clock(1.0, 0.0))
        assert held.dirty == {name(number)}
    assert asked == FLEETS * DEVICES
    held.delete_fleet(name(3))
    assert asked == FLEETS * DEVICES
    assert [held.devices[f"d{number}"].fleet for number in range(DEVICES)] == [
        name(number) if number < FLEETS and number != 3 else None for number in range(DEVICES)
    ]


def test_who_lost_a_device_to_another_fleet_is_told_until_that_goes() -> None:
    held = registry.Registry()
    held.register([("d1", {"app": "a1"})])
    for number in (1, 0):
        held.put_plan(plan(number, app="a1"), Clock(1.0, 0.0))
    assert held.devices["d1"].fleet == name(0)
    assert held.problems(held.fleets[name(1)]) != []
    assert held.dirty >= {name(0), name(1)}
    held.dirty.clear()
    held.delete_fleet(name(0))
    assert held.devices["d1"].fleet == name(1)
    assert held.problems(held.fleets[name(1)]) == []
    assert held.dirty == {name(1)}


def name(number: int) -> str:
    return f"default.f{number:02}"


def plan(number: int, *, app: str = "") -> Plan:
    return Plan(
        fleet=name(number),
        serial=1,
        selector={"app": app or f"a{number}"},
        samples_path="samples",
        stable=None,
        target=None,
        mode="Idle",
    )
