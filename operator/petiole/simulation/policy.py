"""The DeviceFleet whose policy is played, read as the API server would."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from petiole.api.base import fraction
from petiole.api.devicefleet import DeviceFleetSpec
from petiole.api.rollout import Gate, Rollout
from petiole.rollout import course


class PolicyError(Exception):
    """The object cannot be simulated; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What of a DeviceFleet a simulation needs."""

    namespace: str
    name: str
    spec: DeviceFleetSpec

    @property
    def fleet(self) -> str:
        return f"{self.namespace}.{self.name}"

    def stages(self, devices: int) -> list[str]:
        """Names of all stages of a fleet of ``devices``."""
        rollout = self.spec.rollout
        last = course.last(rollout, devices)
        return [course.stage(rollout, index, devices).name for index in range(last + 1)]


def policy(body: Mapping[str, Any]) -> Policy:
    """Read a DeviceFleet. Raises PolicyError with one line for each thing that is wrong."""
    meta = body.get("metadata") or {}
    spec = body.get("spec") or {}
    try:
        read = DeviceFleetSpec.model_validate(spec)
    except ValidationError as error:
        problems = (f"{_path(e['loc'])}: {e['msg']}" for e in error.errors())
        raise PolicyError("\n".join(problems)) from error
    wrong = [*_unknown(spec, read, ("spec",)), *_rollout(read.rollout)]
    if wrong:
        raise PolicyError("\n".join(wrong))
    return Policy(meta.get("namespace") or "default", meta.get("name") or "fleet", read)


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in ("spec", *location))


def _unknown(raw: object, read: object, where: tuple[int | str, ...]) -> Iterator[str]:
    """Fields that no model knows: most likely misspelt, and without any effect."""
    if isinstance(read, BaseModel) and isinstance(raw, Mapping):
        fields = {f.alias or name: name for name, f in type(read).model_fields.items()}
        for key, value in raw.items():
            if key in fields:
                yield from _unknown(value, getattr(read, fields[key]), (*where, key))
            else:
                known = ", ".join(sorted(fields))
                path = ".".join(map(str, (*where, key)))
                yield f"{path}: unknown field; known are {known}"
    elif isinstance(read, tuple) and isinstance(raw, list):
        for index, (item, value) in enumerate(zip(raw, read, strict=False)):
            yield from _unknown(item, value, (*where, index))


# --- the rules that the API server checks by CEL, as far as a simulation depends on them ----------


def _rollout(rollout: Rollout) -> Iterator[str]:
    where = "spec.rollout"
    if (rollout.stages is None) == (rollout.ramp is None):
        yield f"{where}: give exactly one of stages and ramp"
    elif rollout.stages is not None and rollout.stages[-1].size != "100%":
        yield f"{where}.stages: the last stage must have size 100%"
    if rollout.shadow is None and any(g.metric == "Disagreement" for g in rollout.gates):
        yield f"{where}.gates: a gate on Disagreement needs shadow"
    for gate in rollout.gates:
        for problem in _gate(gate):
            yield f"{where}.gates[{gate.name}]: {problem}"


def _gate(gate: Gate) -> Iterator[str]:
    test = gate.test
    if (gate.outcome is None) == (gate.metric is None):
        yield "give exactly one of outcome and metric"
    elif gate.metric == "ConfidenceMean" and test.max_drop is None:
        yield "a gate on ConfidenceMean needs test.maxDrop"
    elif gate.metric == "LatencyMean" and test.max_rise is None:
        yield "a gate on LatencyMean needs test.maxRise"
    elif gate.metric == "Disagreement" and test.max is None:
        yield "a gate on Disagreement needs test.max"
    elif gate.outcome is not None:
        if test.good is None or test.bad is None:
            yield "an outcome gate needs test.good and test.bad"
        elif not 0.0 < fraction(test.good) < fraction(test.bad) < 1.0:
            yield "good must be below bad: a failure rate to accept and one to refuse"
