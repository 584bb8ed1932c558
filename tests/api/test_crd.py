"""The generated CRDs on the real API server: every limit and every rule, accepted and refused."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from hack.testbed.controlplane import ControlPlane
from hack.testbed.waits import wait_until
from petiole.api import crd
from petiole.api.base import GROUP, VERSION
from petiole.api.devicefleet import DeviceFleetSpec
from petiole.api.tinymodel import TinyModelSpec

from .examples import ANOMALY_MODEL, DEVICE_FLEET, LABELLED_MODEL, RAMPED_FLEET, TINY_MODEL
from .limits import Limit, limits, with_value

EXAMPLES = {"TinyModel": TINY_MODEL, "DeviceFleet": DEVICE_FLEET}
PLURALS = {kind.name: kind.plural for kind in crd.KINDS}
SCHEMAS = {
    kind.name: crd.definition(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    for kind in crd.KINDS
}
# A value at its limit may break a rule between fields; these are set beside it.
BESIDE = {
    "spec.learning.batchSize:maximum": (("spec", "learning", "labelBudget"), 10_000),
    "spec.rollout.gates[1].metric:enum": (
        ("spec", "rollout", "gates", 1, "test"),
        {"maxRise": "5%"},
    ),
    "spec.learning.labels.source:enum": (
        ("spec", "learning", "labels"),
        LABELLED_MODEL["spec"]["learning"]["labels"],
    ),
    "spec.learning.labelBudget:minimum": (("spec", "learning", "batchSize"), 1),
}


RAMP = ("spec", "rollout", "ramp")
COMMISSIONING = ("spec", "task", "commissioning")
OF_ANOMALIES = (
    ("task", "commissioning"),
    ("task", "input", "channels"),  # images have fewer than its limit
    ("acceptance", "f1"),
    ("acceptance", "falseAlarms"),
)
LABELS = ("spec", "learning", "labels")
STUDIO = (*LABELS, "labelStudio")


def all_limits() -> list[tuple[dict[str, Any], Limit]]:
    """What excludes another field is walked in an example of its own."""
    specs = copy.deepcopy({kind: SCHEMAS[kind]["properties"]["spec"] for kind in EXAMPLES})
    ramp = specs["DeviceFleet"]["properties"]["rollout"]["properties"].pop("ramp")
    ramped = limits(ramp, RAMPED_FLEET["spec"]["rollout"]["ramp"], RAMP)
    labels = specs["TinyModel"]["properties"]["learning"]["properties"]["labels"]
    studio = labels["properties"].pop("labelStudio")
    labelled = limits(studio, LABELLED_MODEL["spec"]["learning"]["labels"]["labelStudio"], STUDIO)
    anomalies = [
        limit
        for path in OF_ANOMALIES
        for limit in limits(_popped(specs["TinyModel"], path), _at(path), ("spec", *path))
    ]
    return [
        *((ANOMALY_MODEL, limit) for limit in anomalies),
        *((EXAMPLES[kind], limit) for kind in EXAMPLES for limit in limits_of(specs[kind], kind)),
        *((RAMPED_FLEET, limit) for limit in ramped),
        *((LABELLED_MODEL, limit) for limit in labelled),
    ]


def _popped(schema: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """Take a field's schema out of a larger one."""
    for name in path[:-1]:
        schema = schema["properties"][name]
    found: dict[str, Any] = schema["properties"].pop(path[-1])
    return found


def _at(path: tuple[str, ...]) -> Any:
    found: Any = ANOMALY_MODEL["spec"]
    for name in path:
        found = found[name]
    return found


def limits_of(schema: dict[str, Any], kind: str) -> Iterator[Limit]:
    return limits(schema, EXAMPLES[kind]["spec"], ("spec",))


@dataclass(frozen=True)
class RuleCase:
    """Changes of an example that keep a rule, and changes that break it."""

    kind: str
    message: str
    fieldname: str
    accepted: dict[tuple[str | int, ...], Any]
    refused: dict[tuple[str | int, ...], Any]
    update: bool = False
    example: dict[str, Any] | None = None  # else the kind's


def _without(fields: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != name}


LABELS_OF_TASK = ("spec", "task", "labels")
CHANNELS = ("spec", "task", "input", "channels")
FEATURES = ("spec", "learning", "features")
STAGES = ("spec", "rollout", "stages")
OUTCOME = ("spec", "rollout", "gates", 0)
METRIC = ("spec", "rollout", "gates", 1)
LATENCY = ("spec", "rollout", "gates", 2)
SHARE = ("spec", "rollout", "gates", 3)
SAME = {"name": "same", "metric": "Disagreement", "test": {"max": "10%"}}
FALSE_STOP = ("spec", "rollout", "falseStop")
FREEZE = ("spec", "rollout", "windows", "freeze", 0)


def percent_case(gate: tuple[str | int, ...], name: str, message: str, *bad: str) -> list[RuleCase]:
    number = gate[-1]
    path = (*gate, "test", name)
    where = f"spec.rollout.gates[{number}].test.{name}"
    return [RuleCase("DeviceFleet", message, where, {path: "2%"}, {path: value}) for value in bad]


def stage(name: str, size: int | str) -> dict[str, Any]:
    return {"name": name, "size": size}


FULL = stage("all", "100%")
LABELLED = LABELLED_MODEL["spec"]["learning"]["labels"]
RULES = [
    RuleCase(
        "TinyModel", "metadata.name must have", "", {("metadata", "name"): "n" * 63},
        {("metadata", "name"): "n" * 64},
    ),
    RuleCase(
        "DeviceFleet", "metadata.name must have", "", {("metadata", "name"): "n" * 63},
        {("metadata", "name"): "n" * 64},
    ),
    RuleCase(
        "TinyModel", "task is immutable", "spec.task",
        {("spec", "learning", "seed"): 8}, {("spec", "task", "input", "height"): 9}, update=True,
    ),
    RuleCase(
        "TinyModel", "labels are the classes of ImageClassification", "spec.task",
        {}, {LABELS_OF_TASK: ["normal", "alarm"]}, example=ANOMALY_MODEL,
    ),
    RuleCase(
        "TinyModel", "labels are the classes of ImageClassification", "spec.task",
        {}, {("spec", "task"): {"input": {"height": 8, "width": 8, "channels": 1}}},
    ),
    RuleCase(
        "TinyModel", "images have at most 4 channels", "spec.task.input",
        {CHANNELS: 4}, {CHANNELS: 5},
    ),
    RuleCase(
        "TinyModel", "the windows of AnomalyDetection have height 1", "spec.task.input",
        {CHANNELS: 5}, {("spec", "task", "input", "height"): 2}, example=ANOMALY_MODEL,
    ),
    RuleCase(
        "TinyModel", "commissioning is for AnomalyDetection", "spec.task.commissioning",
        {}, {COMMISSIONING: {}},
    ),
    *(
        RuleCase(
            "TinyModel", "classes are learned from labels", "spec.learning",
            {}, {("spec", "learning"): _without(TINY_MODEL["spec"]["learning"], name)},
        )
        for name in ("labels", "batchSize", "labelBudget")
    ),
    *(
        RuleCase(
            "TinyModel", "AnomalyDetection asks for no labels", "spec.learning",
            {("spec", "learning"): {}}, {("spec", "learning", name): value},
            example=ANOMALY_MODEL,
        )
        for name, value in TINY_MODEL["spec"]["learning"].items()
        if name not in ANOMALY_MODEL["spec"]["learning"]
    ),
    *(
        RuleCase(
            "TinyModel", "classes are accepted by accuracy, anomalies by f1", "spec.acceptance",
            {}, {("spec", "acceptance"): given}, example=example,
        )
        for example, given in (
            (TINY_MODEL, {}),
            (TINY_MODEL, {"accuracy": "90%", "f1": "60%"}),
            (TINY_MODEL, {"accuracy": "90%", "falseAlarms": "10%"}),
            (ANOMALY_MODEL, {"f1": "60%"}),
            (ANOMALY_MODEL, {"falseAlarms": "10%"}),
            (ANOMALY_MODEL, {"f1": "60%", "falseAlarms": "10%", "accuracy": "90%"}),
        )
    ),
    RuleCase(
        "TinyModel", "labels must be unique", "spec.task.labels",
        {("spec", "task", "labels"): ["a", "b", "c"]},
        {("spec", "task", "labels"): ["a", "b", "a"]},
    ),
    RuleCase(
        "TinyModel", "evaluation.uri must not be pool.uri", "spec.data.evaluation.uri",
        {("spec", "data", "evaluation", "uri"): "file:///data/frozen"},
        {("spec", "data", "evaluation", "uri"): "file:///data/pool"},
    ),
    RuleCase(
        "TinyModel", "batchSize must not be above labelBudget", "spec.learning.batchSize",
        {("spec", "learning", "batchSize"): 240}, {("spec", "learning", "batchSize"): 241},
    ),
    RuleCase(
        "TinyModel", "features EfficientNetLite0 are of colour or grey", "spec.learning.features",
        {CHANNELS: 3, FEATURES: "EfficientNetLite0"}, {CHANNELS: 2, FEATURES: "EfficientNetLite0"},
    ),
    RuleCase(
        "TinyModel", "uri is for the sources Oracle and Folder", "spec.learning.labels",
        {LABELS: {"source": "Folder", "uri": "file:///data"}}, {LABELS: {"source": "Oracle"}},
    ),
    RuleCase(
        "TinyModel", "uri is for the sources Oracle and Folder", "spec.learning.labels.uri",
        {LABELS: LABELLED}, {LABELS: LABELLED | {"uri": "file:///data"}},
    ),
    RuleCase(
        "TinyModel", "labelStudio is for the source LabelStudio", "spec.learning.labels",
        {LABELS: LABELLED}, {LABELS: {"source": "LabelStudio"}},
    ),
    RuleCase(
        "TinyModel", "labelStudio is for the source LabelStudio",
        "spec.learning.labels.labelStudio",
        {LABELS: LABELLED}, {LABELS: LABELLED | {"source": "Folder", "uri": "file:///data"}},
    ),
    RuleCase(
        "DeviceFleet", "the last stage must have size 100%", "spec.rollout.stages",
        {STAGES: [FULL]}, {STAGES: [stage("canary", 5), stage("all", "99%")]},
    ),
    RuleCase(
        "DeviceFleet", "the last stage must have size 100%", "spec.rollout.stages",
        {STAGES: [stage("all", 5), FULL | {"name": "x"}]}, {STAGES: [stage("all", 5)]},
    ),
    RuleCase(
        "DeviceFleet", "a stage must not be smaller", "spec.rollout.stages",
        {STAGES: [stage("a", 5), stage("b", 5), stage("c", 6), FULL]},
        {STAGES: [stage("a", 5), stage("b", 6), stage("c", 5), FULL]},
    ),
    RuleCase(
        "DeviceFleet", "a stage must not be smaller", "spec.rollout.stages",
        {STAGES: [stage("a", "9.5%"), stage("b", "10%"), FULL]},
        {STAGES: [stage("a", "10%"), stage("b", "9.5%"), FULL]},
    ),
    RuleCase(
        "DeviceFleet", "give exactly one of outcome and metric", "spec.rollout.gates[0]",
        {OUTCOME: DEVICE_FLEET["spec"]["rollout"]["gates"][0]},
        {(*OUTCOME, "metric"): "ConfidenceMean", (*OUTCOME, "baseline"): "ConcurrentControl"},
    ),
    RuleCase(
        "DeviceFleet", "give exactly one of outcome and metric", "spec.rollout.gates[0]",
        {(*OUTCOME, "name"): "other"}, {OUTCOME: {"name": "neither", "test": {}}},
    ),
    RuleCase(
        "DeviceFleet", "an outcome gate needs test.good and test.bad", "spec.rollout.gates[0].test",
        {(*OUTCOME, "test"): {"good": "1%", "bad": "2%"}}, {(*OUTCOME, "test"): {"good": "1%"}},
    ),
    RuleCase(
        "DeviceFleet", "a metric gate needs baseline", "spec.rollout.gates[1].metric",
        {(*METRIC, "name"): "other"},
        {METRIC: {"name": "m", "metric": "ConfidenceMean", "test": {"maxDrop": "5%"}}},
    ),
    RuleCase(
        "DeviceFleet", "a gate on ConfidenceMean needs test.maxDrop", "spec.rollout.gates[1].test",
        {(*METRIC, "test"): {"maxDrop": "5%"}}, {(*METRIC, "test"): {"alpha": "5%"}},
    ),
    RuleCase(
        "DeviceFleet", "good must be below bad", "spec.rollout.gates[0].test.good",
        {(*OUTCOME, "test", "good"): "9.99%"}, {(*OUTCOME, "test", "good"): "10%"},
    ),
    *percent_case(OUTCOME, "good", "good must be above 0% and below 100%", "0%"),
    *percent_case(OUTCOME, "bad", "bad must be above 0% and below 100%", "0%", "100%"),
    *percent_case(OUTCOME, "alpha", "alpha must be above 0% and below 50%", "0%", "50%"),
    *percent_case(OUTCOME, "beta", "beta must be above 0% and below 50%", "0.00%", "50%"),
    *percent_case(METRIC, "maxDrop", "maxDrop must be above 0%", "0%"),
    *percent_case(LATENCY, "maxRise", "maxRise must be above 0%", "0%"),
    RuleCase(
        "DeviceFleet", "a gate on LatencyMean needs test.maxRise", "spec.rollout.gates[2].test",
        {(*LATENCY, "test"): {"maxRise": "100%"}}, {(*LATENCY, "test"): {"maxDrop": "5%"}},
    ),
    RuleCase(
        "DeviceFleet", "a gate on Disagreement needs test.max", "spec.rollout.gates[3].test",
        {(*SHARE, "test"): {"max": "99%"}}, {(*SHARE, "test"): {"maxDrop": "5%"}},
    ),
    RuleCase(
        "DeviceFleet", "one on Disagreement has none", "spec.rollout.gates[3].metric",
        {(*SHARE, "name"): "other"}, {(*SHARE, "baseline"): "ConcurrentControl"},
    ),
    RuleCase(
        "DeviceFleet", "a gate on Disagreement needs shadow", "spec.rollout.gates",
        {("spec", "rollout"): {"stages": [FULL], "gates": [SAME], "shadow": {}}},
        {("spec", "rollout"): {"stages": [FULL], "gates": [SAME]}},
    ),
    *percent_case(SHARE, "max", "max must be above 0% and below 100%", "0%", "100%"),
    RuleCase(
        "DeviceFleet", "give exactly one of stages and ramp", "spec.rollout",
        {("spec", "rollout"): {"ramp": {}}}, {RAMP: {}},
    ),
    RuleCase(
        "DeviceFleet", "give exactly one of stages and ramp", "spec.rollout",
        {("spec", "rollout"): {"stages": [FULL]}}, {("spec", "rollout"): {}},
    ),
    RuleCase(
        "DeviceFleet", "falseStop must be above 0% and below 50%", "spec.rollout.falseStop",
        {FALSE_STOP: "49.99%"}, {FALSE_STOP: "0%"},
    ),
    RuleCase(
        "DeviceFleet", "falseStop must be above 0% and below 50%", "spec.rollout.falseStop",
        {FALSE_STOP: "0.01%"}, {FALSE_STOP: "50%"},
    ),
    RuleCase(
        "DeviceFleet", "first must not be after last", "spec.rollout.windows.freeze[0].first",
        {(*FREEZE, "first"): "2027-01-06"}, {(*FREEZE, "first"): "2027-01-07"},
    ),
]  # fmt: skip

DUPLICATES = [
    ("TinyModel", ("spec", "targets"), [TINY_MODEL["spec"]["targets"][0]] * 2),
    ("DeviceFleet", STAGES, [FULL, FULL]),
    (
        "DeviceFleet",
        ("spec", "rollout", "gates"),
        [DEVICE_FLEET["spec"]["rollout"]["gates"][0]] * 2,
    ),
]


class Api:
    """Creates without keeping (dry run), and says what the API server objects to."""

    def __init__(self, api: client.CustomObjectsApi, namespace: str) -> None:
        self._api = api
        self._namespace = namespace

    def objections(self, document: dict[str, Any]) -> list[dict[str, str]]:
        return self._ask(self._api.create_namespaced_custom_object, document, dry_run="All")

    def create(self, document: dict[str, Any]) -> None:
        assert self._ask(self._api.create_namespaced_custom_object, document) == []

    def patch_objections(self, document: dict[str, Any]) -> list[dict[str, str]]:
        name = document["metadata"]["name"]
        return self._ask(
            self._api.patch_namespaced_custom_object, document, name=name, dry_run="All"
        )

    def _ask(self, call: Any, document: dict[str, Any], **more: Any) -> list[dict[str, str]]:
        plural = PLURALS[document["kind"]]
        try:
            call(
                group=GROUP, version=VERSION, namespace=self._namespace, plural=plural,
                body=document, **more,
            )  # fmt: skip
        except ApiException as error:
            if error.status != 422:
                raise
            return list(json.loads(error.body)["details"]["causes"])
        return []


@pytest.fixture(scope="module")
def api(control_plane: ControlPlane) -> Api:
    configuration = client.Configuration()
    config.load_kube_config(str(control_plane.kubeconfig), client_configuration=configuration)
    custom = client.CustomObjectsApi(client.ApiClient(configuration))
    wait_until(
        lambda: custom.list_cluster_custom_object(GROUP, VERSION, "devicefleets") is not None,
        10,
        "CRDs served",
    )
    return Api(custom, "default")


def changed(document: dict[str, Any], changes: dict[tuple[str | int, ...], Any]) -> dict[str, Any]:
    result = copy.deepcopy(document)
    for path, value in changes.items():
        result = with_value(result, path, copy.deepcopy(value))
    return result


@pytest.mark.parametrize(
    "example",
    [*EXAMPLES.values(), RAMPED_FLEET, LABELLED_MODEL, ANOMALY_MODEL],
    ids=lambda e: e["kind"],
)
def test_example_is_accepted(api: Api, example: dict[str, Any]) -> None:
    assert api.objections(example) == []


@pytest.mark.parametrize(
    ("example", "limit"), all_limits(), ids=lambda v: v["kind"] if isinstance(v, dict) else str(v)
)
def test_limit(api: Api, example: dict[str, Any], limit: Limit) -> None:
    beside = dict([BESIDE[str(limit)]]) if str(limit) in BESIDE else {}
    inside = changed(example, beside | {limit.path: limit.accepted})
    assert api.objections(inside) == []
    outside = with_value(example, limit.path, limit.refused)
    fields = [cause["field"] for cause in api.objections(outside)]
    assert limit.field in fields


@pytest.mark.parametrize("case", RULES, ids=lambda case: case.message)
def test_rule(api: Api, case: RuleCase) -> None:
    example = copy.deepcopy(case.example or EXAMPLES[case.kind])
    ask = api.objections
    if case.update:
        example["metadata"]["name"] = "updated"
        api.create(example)
        ask = api.patch_objections
    assert ask(changed(example, case.accepted)) == []
    causes = ask(changed(example, case.refused))
    said = [cause for cause in causes if case.message in cause["message"]]
    assert said, causes
    assert case.fieldname in said[0]["field"]


def test_every_rule_has_a_case() -> None:
    written = [
        (kind, rule["message"]) for kind, schema in SCHEMAS.items() for rule in _rules_below(schema)
    ]
    assert len(written) > len(EXAMPLES)
    for kind, message in written:
        assert any(case.kind == kind and case.message in message for case in RULES), message


@pytest.mark.parametrize(("kind", "path", "items"), DUPLICATES, ids=lambda v: str(v)[:40])
def test_names_are_unique_in_a_list(
    api: Api, kind: str, path: tuple[str, ...], items: list[Any]
) -> None:
    causes = api.objections(with_value(EXAMPLES[kind], path, items))
    assert any(cause["reason"] == "FieldValueDuplicate" for cause in causes)
    assert any(cause["field"].startswith(".".join(path)) for cause in causes)


def test_a_version_may_be_pinned_but_not_zero(api: Api) -> None:
    path = ("spec", "model", "version")
    assert api.objections(with_value(DEVICE_FLEET, path, 3)) == []
    for wrong in (0, -1, "3", "Newest"):
        causes = api.objections(with_value(DEVICE_FLEET, path, wrong))
        assert [cause["field"] for cause in causes] == ["spec.model.version"]


def test_unknown_fields_are_named_by_kubectl(control_plane: ControlPlane) -> None:
    wrong = with_value(TINY_MODEL, ("spec", "learning", "labelBudgets"), 3)
    with pytest.raises(Exception, match=r"labelBudgets.*field not declared"):
        control_plane.apply(wrong)


def test_pydantic_reads_what_the_api_server_accepts() -> None:
    model = TinyModelSpec.model_validate(TINY_MODEL["spec"])
    fleet = DeviceFleetSpec.model_validate(DEVICE_FLEET["spec"])
    labelled = TinyModelSpec.model_validate(LABELLED_MODEL["spec"])
    for read, example in ((model, TINY_MODEL), (labelled, LABELLED_MODEL)):
        dumped = read.model_dump(mode="json", by_alias=True, exclude_none=True)
        assert dumped == example["spec"]
    anomalies = TinyModelSpec.model_validate(ANOMALY_MODEL["spec"])
    dumped = anomalies.model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert dumped == ANOMALY_MODEL["spec"]
    dumped = fleet.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert dumped == DEVICE_FLEET["spec"]


def test_people_see_columns_short_names_and_a_category(
    control_plane: ControlPlane, namespace: str
) -> None:
    control_plane.kubectl("apply", "-n", namespace, "-f", "-", stdin=json.dumps(TINY_MODEL))
    control_plane.kubectl("apply", "-n", namespace, "-f", "-", stdin=json.dumps(DEVICE_FLEET))
    status = {
        "latestVersion": 4,
        "round": {"step": "Idle"},
        "labels": {"spent": 120},
        "versions": [_version(3, "91.0%"), _version(4, "95.5%")],
        "conditions": [
            {
                "type": "Ready",
                "status": "True",
                "reason": "Accepted",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }
        ],
    }
    patch = json.dumps({"status": status})
    control_plane.kubectl(
        "patch",
        "tm",
        "digits",
        "-n",
        namespace,
        "--subresource=status",
        "--type=merge",
        "-p",
        patch,
    )
    header, row = control_plane.kubectl("get", "tm", "-n", namespace).splitlines()
    assert header.split() == ["NAME", "VERSION", "STEP", "LABELS", "ACCURACY", "READY", "AGE"]
    assert row.split()[:6] == ["digits", "4", "Idle", "120", "95.5%", "True"]
    header = control_plane.kubectl("get", "df", "-n", namespace).splitlines()[0]
    assert " ".join(header.split()) == (
        "NAME TARGET STABLE FIRMWARE KIND STAGE UPDATED FAILED WAITING AGE"
    )
    both = control_plane.kubectl("get", "petiole", "-n", namespace, "-o", "name")
    assert sorted(both.split()) == [
        f"devicefleet.{GROUP}/meters",
        f"tinymodel.{GROUP}/digits",
    ]


def test_committed_files_are_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert crd.main(["--check"]) == 0, capsys.readouterr().err


def test_check_fails_when_a_file_differs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(crd, "_FOLDER", tmp_path)
    assert crd.main([]) == 0
    assert crd.main(["--check"]) == 0
    (tmp_path / "petiole.dev_tinymodels.yaml").write_text("edited\n")
    assert crd.main(["--check"]) == 1
    assert "petiole.dev_tinymodels.yaml" in capsys.readouterr().err


def _version(number: int, accuracy: str) -> dict[str, Any]:
    return {
        "version": number,
        "round": number,
        "createdAt": "2026-01-01T00:00:00Z",
        "accuracy": accuracy,
        "labels": 20,
        "trigger": "Initial",
        "variants": [],
        "referenceUri": "models/x/versions/1.json",
    }


def _rules_below(schema: Any) -> list[dict[str, str]]:
    if isinstance(schema, list):
        return list(itertools.chain.from_iterable(map(_rules_below, schema)))
    if not isinstance(schema, dict):
        return []
    below = itertools.chain.from_iterable(map(_rules_below, schema.values()))
    return [*schema.get("x-kubernetes-validations", []), *below]
