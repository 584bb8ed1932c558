"""Argo CD's view: the Lua of ``gitops/argocd`` over its test data, in Argo CD's own test format."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from hack import gitops
from petiole.rollout.requests import VERBS

from .lua import run
from .objects import CUSTOMIZATIONS, FLEETS, body, written

KINDS = sorted(folder.name for folder in CUSTOMIZATIONS.iterdir())


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def cases(file: str, section: str) -> list[Any]:
    """Every case of the test files of one name, with the folder that it counts from."""
    return [
        pytest.param((CUSTOMIZATIONS / kind / file).parent, case, id=f"{kind} {_name(case)}")
        for kind in KINDS
        for case in load(CUSTOMIZATIONS / kind / file)[section]
    ]


def _name(case: dict[str, Any]) -> str:
    return f"{case.get('action', '')} {Path(case['inputPath']).stem}"


@pytest.mark.parametrize(("folder", "case"), cases("health_test.yaml", "tests"))
def test_health(folder: Path, case: dict[str, Any]) -> None:
    assert run(folder / "health.lua", load(folder / case["inputPath"])) == case["healthStatus"]


@pytest.mark.parametrize(("folder", "case"), cases("actions/action_test.yaml", "discoveryTests"))
def test_discovery(folder: Path, case: dict[str, Any]) -> None:
    found = run(folder / "discovery.lua", load(folder / case["inputPath"]))
    wanted = {each["name"]: {k: each[k] for k in each if k != "name"} for each in case["result"]}
    assert found == wanted


@pytest.mark.parametrize(("folder", "case"), cases("actions/action_test.yaml", "actionTests"))
def test_action(folder: Path, case: dict[str, Any]) -> None:
    script = folder / case["action"] / "action.lua"
    made = run(script, load(folder / case["inputPath"]))
    assert made == load(folder / case["expectedOutputPath"])


@pytest.mark.parametrize("kind", KINDS)
def test_every_object_and_every_action_has_a_case(kind: str) -> None:
    folder = CUSTOMIZATIONS / kind
    health = {case["inputPath"] for case in load(folder / "health_test.yaml")["tests"]}
    assert health == {f"testdata/{path.name}" for path in (folder / "testdata").iterdir()}
    actions = folder / "actions"
    scripts = {path.parent.name for path in actions.glob("*/action.lua")}
    tests = load(actions / "action_test.yaml")
    assert scripts == {case["action"] for case in tests["actionTests"]}
    for case in tests["discoveryTests"]:
        assert scripts == {found["name"] for found in case["result"]}


def test_the_data_are_what_the_operator_makes_today() -> None:
    wanted = written()
    there = set(CUSTOMIZATIONS.rglob("testdata/*.yaml"))
    assert there == set(wanted), "make gitops"
    for path, text in wanted.items():
        assert path.read_text() == text, f"{path.name}: make gitops"


@pytest.mark.parametrize("paused", [False, True])
@pytest.mark.parametrize("story", FLEETS)
def test_an_action_is_offered_when_the_operator_would_do_it(story: str, paused: bool) -> None:
    operator = FLEETS[story]()
    operator.settle()  # a gateway that is away answers no request, whatever it is
    if paused:
        operator.ask("pause")
    script = CUSTOMIZATIONS / "DeviceFleet" / "actions" / "discovery.lua"
    offered = run(script, body("DeviceFleet", "meters", operator))
    assert set(offered) == set(VERBS)
    for verb, shown in offered.items():
        answer = copy.deepcopy(operator).ask(verb)
        assert shown["disabled"] == answer.startswith("refused"), answer


def test_a_request_keeps_the_annotations_that_were_there() -> None:
    folder = CUSTOMIZATIONS / "DeviceFleet" / "actions"
    obj = load(folder / "testdata" / "rolling.yaml")
    obj["metadata"]["annotations"] = {"example.com/owner": "orchard"}
    made = run(folder / "abort" / "action.lua", obj)
    assert made["metadata"]["annotations"] == {
        "example.com/owner": "orchard",
        "petiole.dev/request": "abort@argocd-4711",
    }


def test_the_settings_hold_every_script_as_it_is() -> None:
    assert gitops.FILE.read_text() == gitops.written(), "make gitops"
    data = yaml.safe_load(gitops.FILE.read_text())["data"]
    for kind in KINDS:
        folder = CUSTOMIZATIONS / kind
        health = data[f"resource.customizations.health.petiole.dev_{kind}"]
        assert health == (folder / "health.lua").read_text()
        actions = yaml.safe_load(data[f"resource.customizations.actions.petiole.dev_{kind}"])
        assert actions["discovery.lua"] == (folder / "actions" / "discovery.lua").read_text()
        for action in actions["definitions"]:
            script = folder / "actions" / action["name"] / "action.lua"
            assert action["action.lua"] == script.read_text()
