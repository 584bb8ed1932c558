"""What a gateway tells of its fleets: numbers of a summary, and nothing of a fleet that is gone."""

from datetime import UTC, datetime

import pytest
from obstore.store import MemoryStore
from prometheus_client import CollectorRegistry

from petiole.api.devicefleet import Counts
from petiole.fleet.fleet import Fleet
from petiole.gateway.blocks import Blocks
from petiole.gateway.engine import Engine
from petiole.gateway.gauges import Gauges, of_fleet
from petiole.gateway.metrics import Metrics
from petiole.rollout.plan import Arm, Evidence, Plan, Stratum, Summary

from .declared import Nobody

NAME = "orchard.meters"


def summary(**fields):
    values = {
        "fleet": NAME, "serial": 1, "version": 1, "at": datetime.now(UTC), "devices": 10,
        "online": 9, "running": {}, "counts": Counts(total=10, updated=6, failed=1, pending=3),
    }  # fmt: skip
    return Summary(**{**values, **fields})


def told(given):
    return {(name, *labels[1:]): value for name, labels, value in of_fleet(given)}


def test_a_fleet_in_numbers():
    found = told(
        summary(
            exposed=7, reasons={"crashed": 1}, held_back={"Pace": 3}, samples=12, problems=("x",)
        )
    )
    standings = {key[1]: value for key, value in found.items() if key[0] == "fleet_devices"}
    assert len(standings) == 10
    assert sum(standings.values()) == 10
    assert (standings["updated"], standings["failed"]) == (6, 1)
    assert found["fleet_online_devices",] == 9
    assert found["fleet_exposed_devices",] == 7
    assert found["fleet_held_back_devices", "Pace"] == 3
    assert found["fleet_failed_devices", "crashed"] == 1
    assert (found["fleet_samples",], found["fleet_problems",]) == (12, 1)


def test_a_gate_over_outcomes_has_no_mean():
    evidence = Evidence(gate="update", look=0, canary=Arm(devices=7, failures=1))
    found = told(summary(evidence=(evidence,)))
    assert found["fleet_gate_devices", "update", "canary"] == 7
    assert found["fleet_gate_failures", "update", "canary"] == 1
    assert not [key for key in found if key[0] == "fleet_gate_mean"]


def test_kinds_of_hardware_are_added_up():
    def stratum(kind, canaries, mean):
        control = Arm(devices=5, mean=0.5)
        return Stratum(hardware=kind, canary=Arm(devices=canaries, mean=mean), control=control)

    strata = (stratum("m3", 1, 0.8), stratum("m4", 3, 0.4))
    found = told(summary(evidence=(Evidence(gate="confidence", look=2, strata=strata),)))
    assert found["fleet_gate_devices", "confidence", "canary"] == 4
    assert found["fleet_gate_mean", "confidence", "canary"] == pytest.approx(0.5)
    assert found["fleet_gate_mean", "confidence", "control"] == pytest.approx(0.5)


def test_disagreement_is_a_share():
    evidence = Evidence(gate="shadow", look=0, shares={0: 3, 200: 1}, devices=10)
    found = told(summary(evidence=(evidence,)))
    assert found["fleet_gate_devices", "shadow", "canary"] == 4
    assert found["fleet_gate_mean", "shadow", "canary"] == pytest.approx(0.05)


async def test_a_fleet_that_is_gone_is_not_told_of():
    engine = Engine(None, Nobody(), Blocks(MemoryStore()), Metrics())
    registry = CollectorRegistry()
    registry.register(Gauges(engine, Nobody()))
    online = "petiole_fleet_online_devices", {"fleet": NAME}
    plan = Plan(fleet=NAME, serial=1, selector={"kind": "meter"}, samples_path="samples")
    fleet = engine.registry.fleets[NAME] = Fleet(NAME, plan)
    assert registry.get_sample_value(*online) is None  # it has not taken a turn yet
    fleet.summary = summary()
    assert registry.get_sample_value(*online) == 9
    engine.hear("petiole/1/d/a/state", b"")
    assert registry.get_sample_value("petiole_gateway_backlog_messages") == 1
    assert registry.get_sample_value("petiole_gateway_broker_connected") == 0
    engine.registry.delete_fleet(NAME)
    assert registry.get_sample_value(*online) is None
