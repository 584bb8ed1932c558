"""Every limit of a spec on the real API server, and what pydantic says to the same objects."""

from __future__ import annotations

from typing import Any

import pytest

from petiole.api.devicefleet import DeviceFleetSpec
from petiole.api.tinymodel import TinyModelSpec

from .cases import EXAMPLES, MODELS, Part, cases, of_limit, spec_limits, status_limits
from .examples import ANOMALY_MODEL, DEVICE_FLEET, LABELLED_MODEL, RAMPED_FLEET, TINY_MODEL
from .limits import Limit, with_value
from .server import Api

LIMITS = [(kind, *found) for kind in EXAMPLES for found in spec_limits(kind)]


@pytest.mark.parametrize(
    "example",
    [*EXAMPLES.values(), RAMPED_FLEET, LABELLED_MODEL, ANOMALY_MODEL],
    ids=lambda e: e["kind"],
)
def test_example_is_accepted(api: Api, example: dict[str, Any]) -> None:
    assert api.objections(example) == []


@pytest.mark.parametrize(
    ("kind", "example", "limit"), LIMITS, ids=[f"{kind}-{limit}" for kind, _, limit in LIMITS]
)
def test_limit(api: Api, kind: str, example: dict[str, Any], limit: Limit) -> None:
    """The two values nearest the limit; bench/operator tries all."""
    nearest = Limit(limit.path, limit.keyword, limit.accepted[:1], limit.refused[:1])
    for case in of_limit(kind, "spec", example, nearest):
        causes = api.objections(case.document)
        assert case.holds(causes), (case, causes)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_time_in_a_status_is_no_list(api: Api, kind: str) -> None:
    """The API server's own check of a format lets lists pass."""
    times = [
        (example, limit) for example, limit in status_limits(kind) if limit.keyword == "format"
    ]
    assert len(times) > 2
    document = times[0][0] | {"metadata": {"name": f"of-times-{kind.lower()}"}}
    assert api.create(document) == []
    for _, limit in times:
        causes = api.status_objections(with_value(document, limit.path, ["text"]))
        assert [cause["field"] for cause in causes] == [limit.field]
        assert "must be a time such as" in causes[0]["message"]


def test_a_version_may_be_pinned_but_not_zero(api: Api) -> None:
    path = ("spec", "model", "version")
    assert api.objections(with_value(DEVICE_FLEET, path, 3)) == []
    for wrong in (0, -1, "3", "Newest"):
        causes = api.objections(with_value(DEVICE_FLEET, path, wrong))
        assert [cause["field"] for cause in causes] == ["spec.model.version"]


@pytest.mark.parametrize(("kind", "part"), MODELS)
def test_pydantic_accepts_and_refuses_what_the_schema_does(kind: str, part: Part) -> None:
    tried = [case for case in cases() if (case.kind, case.part) == (kind, part)]
    assert len(tried) > 100
    assert [str(case) for case in tried if not case.agrees] == []


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
