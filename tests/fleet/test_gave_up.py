"""Devices that had a revision and have it no longer: firmware that was confirmed, and crashed."""

from __future__ import annotations

from dataclasses import replace

from petiole.api.rollout import Gate, GateTest, Retries
from petiole.fleet.standing import Standing
from petiole.rollout.plan import Summary
from petiole.wire.messages import FirmwareState, Phase, Reason

from .world import World, digest, revision, rolling

GATES = (Gate(name="update", outcome="Confirmed", test=GateTest(good="10%", bad="90%")),)


def rolled(count: int = 1, **fields: object) -> World:
    """A fleet whose devices have confirmed the target firmware."""
    made = World(rolling(2, count, "Firmware", **fields))
    for n in range(count):
        made.add(f"d{n}", {})
    made.turn()
    for name in made.devices:
        for phase in (Phase.DOWNLOADING, Phase.TRIAL, Phase.CONFIRMED):
            made.say(name, phase)
    made.turn()
    return made


def falls_back(made: World, name: str, reason: Reason = Reason.CRASHED) -> None:
    """Let the boot loader of a device choose the firmware that it had before."""
    state = made.devices[name].state
    assert state is not None
    assert state.firmware is not None
    fallen = replace(
        state, boot=state.boot + 1, phase=Phase.ROLLEDBACK, reason=reason,
        target=state.firmware.active, firmware=FirmwareState(digest(1, "m4", "a")),
    )  # fmt: skip
    made.hear(name, fallen)


def summary(made: World) -> Summary:
    return made.turn().summary


def test_a_device_that_confirmed_and_fell_back_has_failed() -> None:
    made = rolled(2, gates=GATES)
    falls_back(made, "d0")
    found = summary(made)
    assert (found.counts.updated, found.counts.failed, found.exposed) == (1, 1, 2)
    assert found.reasons == {"crashed": 1}
    assert [(e.canary.devices, e.canary.failures) for e in found.evidence] == [(2, 1)]
    made.crash()
    assert summary(made).counts == found.counts


def test_it_tries_again_when_a_person_says_so() -> None:
    made = rolled()
    falls_back(made, "d0")
    made.turn()
    assert made.granted("d0") == digest(1, "m4", "a")
    made.put(attempt=1)
    made.turn()
    grant = made.devices["d0"].grant
    assert grant is not None
    assert grant.firmware is not None
    assert grant.firmware.a.digest == digest(2, "m4", "a")
    assert grant.firmware.attempt == 1


def test_it_tries_again_by_itself_where_the_plan_says_so_and_has_not_finished_meanwhile() -> None:
    made = rolled(gates=GATES, retries=Retries(reasons=("trial-expired",), backoff="1m"))
    falls_back(made, "d0", Reason.TRIAL_EXPIRED)
    found = summary(made)
    assert found.held_back == {"Backoff": 1}
    assert [(e.canary.devices, e.canary.failures) for e in found.evidence] == [(0, 0)]
    made.now += 60.0
    made.turn()
    assert made.fleet.roster.totals.standings[Standing.OFFERED] == 1


def test_at_rest_it_is_counted_with_its_reason_whatever_the_model_does() -> None:
    made = rolled()
    at_rest = {"target": revision(1), "stable": revision(1), "mode": "Idle", "stage": None}
    made.put(kind="Model", other=revision(2, "Firmware"), **at_rest)
    assert summary(made).gave_up == {}
    falls_back(made, "d0")
    assert summary(made).gave_up == {"crashed": 1}
    made.put(target=revision(2), mode="Rolling", stage=rolling(2, 1).stage)
    made.turn()
    for phase in (Phase.DOWNLOADING, Phase.TRIAL, Phase.CONFIRMED):
        made.say("d0", phase)
    found = summary(made)
    assert (found.gave_up, found.counts.updated) == ({"crashed": 1}, 1)
    made.crash()
    assert summary(made).gave_up == {"crashed": 1}
    made.put(other=revision(3, "Firmware"))
    assert summary(made).gave_up == {}, "it never said anything of that"


def test_what_was_halted_was_not_given_up() -> None:
    made = rolled()
    at_rest = {"target": revision(1), "stable": revision(1), "mode": "Idle", "stage": None}
    falls_back(made, "d0", Reason.HALTED)
    made.put(kind="Model", other=revision(2, "Firmware"), **at_rest)
    assert summary(made).gave_up == {}
