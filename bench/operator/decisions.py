"""Whether the operator stands what the API server accepts: a round, or a rollout, in memory.

A fleet is simulated, with the decisions of the operator and of the gateway, and its grant is
written as devices read it; a model learns in the world of the tests. Any exception is a fault; an
object that the operator itself refuses in words is none.
"""

from __future__ import annotations

from typing import Any

from petiole.api.tinymodel import TinyModelSpec
from petiole.simulation.assumptions import Assumptions
from petiole.simulation.policy import PolicyError, policy
from petiole.simulation.run import simulate
from petiole.simulation.world import first_grant
from tests.learning.model import World

ASSUMED = Assumptions(devices=12, sites=3)
PASSES = 12  # of the operator; a round takes fewer, unless it asks for very many labels


def problem(kind: str, spec: dict[str, Any]) -> str:
    """Play one accepted spec; what went wrong, or nothing."""
    try:
        (_rollout if kind == "DeviceFleet" else _round)(spec)
    except PolicyError:
        return ""
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what was looked for
        return f"{type(error).__name__}: {error}"
    return ""


def _rollout(spec: dict[str, Any]) -> None:
    read = policy({"metadata": {"name": "swept"}, "spec": spec})
    first_grant(read, 0, ASSUMED).encode()
    simulate(read, ASSUMED, "good", seed=1)


def _round(spec: dict[str, Any]) -> None:
    read = TinyModelSpec.model_validate(spec)
    world = World(
        read,
        accuracy={target.name: 0.97 for target in read.targets},
        said={"f1": 0.9, "falseAlarms": 0.01},
    )
    for _ in range(PASSES):
        world.one_pass()
        world.work()
