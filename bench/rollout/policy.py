"""The rollout policies of Petiole's runs, and which report decides one of them."""

from __future__ import annotations

from bisect import insort
from typing import Any

from petiole.api.rollout import Gate
from petiole.rollout.gates import judge
from petiole.rollout.plan import Arm, Evidence

from .work import Trace

_UPDATE: dict[str, Any] = {
    "name": "update",
    "outcome": "Confirmed",
    "test": {"good": "1%", "bad": "10%"},
}
GATE = Gate.model_validate(_UPDATE)


def _policy(*stages: dict[str, Any], at_once: int) -> dict[str, Any]:
    return {
        "stages": list(stages),
        "pace": {"maxInFlight": at_once},
        "gates": [_UPDATE],
        "onFailure": "Pause",  # as hawkBit does; a revert would be more work than its own
        "noReportAfter": "5m",
        "progressDeadline": "10m",
    }


_CANARY, _ALL = {"name": "canary", "size": 100}, {"name": "all", "size": "100%"}

# As the peers do it: one group. With it, the most devices are on their way when a stop comes.
AT_ONCE = _policy(_ALL, at_once=500)
STAGED = _policy(_CANARY, _ALL, at_once=500)
# Devices in flight when the deciding report comes are exposed for nothing: few at once is slow.
CAREFUL = _policy(_CANARY, _ALL, at_once=4)


def deciding(trace: Trace, gate: Gate, devices: int) -> float | None:
    """When the failure came with which the gate first fails; None when it never does.

    All reports are taken in the order in which devices made them, so this is the earliest moment
    at which anybody could have known.
    """
    begun = sorted(trace.begun, key=lambda device: trace.begun[device])
    place = {device: number for number, device in enumerate(begun, start=1)}
    moments = sorted(trace.begun.values())
    failed_at: list[int] = []
    began = 0
    for finished, (device, (at, ok)) in enumerate(
        sorted(trace.ended.items(), key=lambda item: item[1][0]), start=1
    ):
        if ok or device not in place:
            continue
        insort(failed_at, place[device])
        while began < len(moments) and moments[began] <= at:
            began += 1
        evidence = Evidence(
            gate=gate.name,
            look=1,
            canary=Arm(devices=finished, failures=len(failed_at)),
            control=Arm(),
            began=began,
            failed_at=tuple(failed_at),
            devices=devices,
        )
        if judge(gate, evidence).verdict == "Fail":
            return at
    return None
