"""Objects as Argo CD and Flux see them: what the operator's own decisions make of given stories.

``make gitops`` writes them to the test data of the Lua scripts.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from hack.testbed.processes import ROOT
from petiole.api.base import GROUP, REQUEST, VERSION, ApiModel
from petiole.api.rollout import Stage
from petiole.learning.triggers import REQUEST_VERB
from petiole.rollout.requests import VERBS
from tests.learning.model import World
from tests.learning.model import spec as model_spec
from tests.rollout.fleet import CONFIDENCE, UPDATE, Field, Operator, canary_of, spec

Object = dict[str, Any]

CUSTOMIZATIONS = ROOT / "gitops" / "argocd" / "resource_customizations" / GROUP
_UID = {"DeviceFleet": "6f1c7f0e-9f5e-4f5b-8a39-0d6c3c1f2a11", "TinyModel": "0a1b2c3d-1111-2222"}
UNSEEN = {"observedGeneration": -1}  # what the CRD says until the operator has looked


# --- fleets ---------------------------------------------------------------------------------------


def rolled(**policy: Any) -> Operator:
    operator = Operator(spec(**policy), Field())
    operator.roll()
    return operator


def rolling(**edit: Any) -> Operator:
    """Half of the first stage has answered, and all devices but one like it."""
    operator = rolled()
    if edit:
        operator.edit(**edit)
    operator.publish()
    operator.settle()
    offered = [device for device, phase in operator.field.phase.items() if phase == "offered"]
    for device in offered[: len(offered) // 2]:
        operator.field.answer(device, "failed" if device == offered[0] else "updated")
    operator.wait(minutes=2)
    return operator


def ramp() -> Operator:
    return rolling(stages=None, ramp={"start": 20})


def held() -> Operator:
    operator = rolling()
    operator.ask("pause")
    return operator


def approval() -> Operator:
    stages = (Stage(name="canary", size=40, soak="10m"), Stage(name="all", size="100%"))
    manual = (stages[0], stages[1].model_copy(update={"approval": "Manual"}))
    operator = rolled()
    operator.edit(stages=manual)
    canary_of(operator)
    operator.settle()
    operator.wait(minutes=11)
    return operator


def soaking() -> Operator:
    operator = rolled()
    canary_of(operator)
    operator.settle()
    return operator


def last_stage() -> Operator:
    operator = rolling()
    operator.field.answer_all()
    operator.settle()
    operator.ask("promote")
    operator.wait(minutes=2)
    return operator


def some_failed() -> Operator:
    operator = rolled(stages=(Stage(name="all", size="100%"),), gates=(UPDATE,))
    operator.publish()
    operator.settle()
    operator.field.answer(operator.field.ids[7], "failed")
    operator.field.answer_all()
    operator.settle()
    operator.wait(minutes=10)
    return operator


def reverting(**policy: Any) -> Operator:
    operator = rolled(**policy)
    canary_of(operator, confidence=0.5)
    operator.settle()
    return operator


def reverted() -> Operator:
    operator = reverting()
    operator.field.put_back()
    operator.settle()
    return operator


def aborted() -> Operator:
    operator = soaking()
    operator.ask("abort")
    operator.field.put_back()
    operator.settle()
    return operator


def inconclusive() -> Operator:
    operator = rolled(gates=(CONFIDENCE,))
    operator.edit(stages=(Stage(name="canary", size=5), Stage(name="all", size="100%")))
    canary_of(operator)
    operator.wait(hours=3)
    return operator


def gateway_away() -> Operator:
    operator = rolled()
    operator.problem = "The gateway at http://gateway:8080 does not answer: ConnectError."
    operator.settle()
    return operator


def edited() -> Operator:
    operator = rolled()
    operator.generation += 1
    return operator


FLEETS: dict[str, Callable[[], Operator]] = {
    "promoted": rolled,
    "edited": edited,
    "rolling": rolling,
    "ramp": ramp,
    "soaking": soaking,
    "last_stage": last_stage,
    "approval": approval,
    "held": held,
    "some_failed": some_failed,
    "reverting": reverting,
    "reverted": reverted,
    "aborted": aborted,
    "paused_by_gate": lambda: reverting(on_failure="Pause"),
    "inconclusive": inconclusive,
    "gateway_away": gateway_away,
}


# --- models ---------------------------------------------------------------------------------------


def learned() -> World:
    world = World(model_spec())
    world.rest()
    return world


def querying() -> World:
    world = World(model_spec())
    world.one_pass()
    return world


def labelling() -> World:
    world = World(model_spec(), silent=True)
    world.rest()
    return world


def rejected() -> World:
    world = World(model_spec(), accuracy={"m4": 0.97, "m0": 0.90})
    world.rest()
    return world


def successor_rejected() -> World:
    world = learned()
    world.accuracy = {"m4": 0.95, "m0": 0.95}
    world.edit(pool="file:///data/other")
    world.rest()
    return world


def failed() -> World:
    world = World(model_spec(), fails={"train": "StepFailed"})
    world.rest()
    return world


def model_edited() -> World:
    world = learned()
    world.generation += 1
    return world


MODELS: dict[str, Callable[[], World]] = {
    "learned": learned,
    "edited": model_edited,
    "querying": querying,
    "labelling": labelling,
    "rejected": rejected,
    "successor_rejected": successor_rejected,
    "failed": failed,
}


# By kind: stories that actions are offered for, and the verb of each action.
ACTIONS = {
    "DeviceFleet": (("rolling", "held", "promoted", "reverted"), {verb: verb for verb in VERBS}),
    "TinyModel": (("learned",), {"learn": REQUEST_VERB.removesuffix("@")}),
}


# --- as the API server has them -------------------------------------------------------------------


def body(kind: str, name: str, made: Operator | World) -> Object:
    """The object with all that its operator knows by then."""
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": _UID[kind],
            "generation": made.generation,
            "resourceVersion": "4711",
            "creationTimestamp": "2026-11-02T08:00:00Z",
        },
        "spec": _plain(made.spec, exclude_defaults=True),
        "status": _plain(made.status),
    }


def all_objects() -> dict[Path, Object]:
    """Every object of the test data, by its file."""
    found: dict[Path, Object] = {}
    for kind, name, stories in (
        ("DeviceFleet", "meters", FLEETS),
        ("TinyModel", "digits", MODELS),
    ):
        folder = CUSTOMIZATIONS / kind / "testdata"
        for story, make in stories.items():
            found[folder / f"{story}.yaml"] = body(kind, name, make())
        rest = next(iter(stories))
        found[folder / "new.yaml"] = _new(found[folder / f"{rest}.yaml"])
        found[folder / "terminating.yaml"] = _terminating(found[folder / f"{rest}.yaml"])
    return found | _asked(found)


def _new(at_rest: Object) -> Object:
    made = copy.deepcopy(at_rest) | {"status": UNSEEN}
    made["metadata"]["generation"] = 1
    return made


def _terminating(at_rest: Object) -> Object:
    made = copy.deepcopy(at_rest)
    made["metadata"]["deletionTimestamp"] = "2026-11-03T08:00:00Z"
    return made


def _asked(found: dict[Path, Object]) -> dict[Path, Object]:
    """What actions see, and what they make of the first of each kind."""
    made: dict[Path, Object] = {}
    for kind, (stories, verbs) in ACTIONS.items():
        folder = CUSTOMIZATIONS / kind / "actions" / "testdata"
        for story in stories:
            seen = found[CUSTOMIZATIONS / kind / "testdata" / f"{story}.yaml"]
            made[folder / f"{story}.yaml"] = seen
        before = made[folder / f"{stories[0]}.yaml"]
        for action, verb in verbs.items():
            after = copy.deepcopy(before)
            request = f"{verb}@argocd-{before['metadata']['resourceVersion']}"
            after["metadata"]["annotations"] = {REQUEST: request}
            made[folder / f"{stories[0]}_{action}.yaml"] = after
    return made


def _plain(model: ApiModel, *, exclude_defaults: bool = False) -> Object:
    return model.model_dump(
        mode="json", by_alias=True, exclude_none=True, exclude_defaults=exclude_defaults
    )


def written() -> dict[Path, str]:
    return {
        path: yaml.safe_dump(found, sort_keys=False, width=120)
        for path, found in all_objects().items()
    }


if __name__ == "__main__":
    for path, text in written().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
