"""What `petiole why` says, over the objects that the operator makes of given stories."""

from __future__ import annotations

from datetime import timedelta

import pytest

from petiole.api.devicefleet import DriftStatus
from petiole.cli import reasons
from petiole.view.objects import Fleet, Model
from petiole.view.words import Paragraph
from tests.gitops.objects import FLEETS, MODELS, UNSEEN, body
from tests.rollout.fleet import START

LATER = START + timedelta(minutes=42)


def of_fleet(story: str) -> str:
    return reasons.of_fleet(Fleet.of(body("DeviceFleet", "meters", FLEETS[story]())), LATER)


def of_model(story: str) -> str:
    return reasons.of_model(Model.of(body("TinyModel", "digits", MODELS[story]())), LATER)


@pytest.mark.parametrize(
    ("story", "words"),
    [
        ("soaking", ["It has waited for 2m 00s (Soaking), until 2026-11-02 08:50:00 UTC",
                     "(8m 00s left)", "`petiole skip meters -n default`",
                     "Gate 'confidence' passes at 0 % (-1.2 % .. 1.2 %)"]),
        ("approval", ["(ApprovalNeeded)", "`petiole resume meters -n default`"]),
        ("reverted", ["mean confidence of 40 canaries was 0.50", "(RevisionFailed)",
                      "Gate 'confidence' failed at 40 % (38.8 % .. 41.2 %)",
                      "`petiole retry meters -n default`"]),
        ("reverting", ["40 of 40 exposed devices still run revision 2"]),
        ("inconclusive", ["is past its deadline", "Gate 'update' is undecided at 0 %"]),
        ("some_failed", ["Degraded (DevicesFailed): 1 devices refused: 1 golden-mismatch"]),
        ("gateway_away", ["does not answer", "(GatewayUnreachable)"]),
        ("edited", ["has not looked at generation 2 yet, the last it saw is 1"]),
        ("promoted", ["Nothing waits."]),
    ],
)  # fmt: skip
def test_a_fleet_says_why_with_numbers_and_what_to_do(story: str, words: list[str]) -> None:
    told = of_fleet(story)
    for each in words:
        assert each in told
    assert "\n" not in told, "one paragraph"


def test_what_is_over_is_told_as_stopped_and_what_goes_on_as_waiting() -> None:
    assert "It stopped 2m 00s ago (RevisionFailed)" in of_fleet("reverted")
    assert "stopped" not in of_fleet("soaking")


@pytest.mark.parametrize(
    ("story", "words"),
    [
        ("labelling", ["0 of 20 labels are answered", "is at Labelling for 42m 00s", "20 asked"]),
        ("rejected", ["Rejected (AccuracyTooLow): accuracy m0 90.00%; 95.00% is asked"]),
        ("failed", ["it broke; edit the spec to try again"]),
        ("learned", ["Asking ended by Budget", "`petiole learn digits -n default` asks for one"]),
        ("edited", ["generation 2 yet", "component=operator"]),
    ],
)
def test_a_model_says_why(story: str, words: list[str]) -> None:
    told = of_model(story)
    for each in words:
        assert each in told


@pytest.mark.parametrize("story", FLEETS)
def test_nothing_is_said_twice(story: str) -> None:
    sentences = of_fleet(story).split(". ")
    assert len(set(sentences)) == len(sentences)
    gate = "mean confidence of 40 canaries"
    assert of_fleet(story).count(gate) <= 1


def test_a_field_that_drifted_is_told_with_what_moved() -> None:
    made = body("DeviceFleet", "meters", FLEETS["promoted"]())
    drift = DriftStatus(
        state="Drifted", since=START, moved=("class 3: 10 % -> 30 %",), message="classes moved"
    )
    made["status"]["drift"] = drift.model_dump(mode="json", by_alias=True)
    told = reasons.of_fleet(Fleet.of(made), LATER)
    assert (
        "The field has drifted since 2026-11-02 08:00:00 UTC: classes moved (class 3: 10 % -> 30 %)"
    ) in told


def test_a_new_object_says_that_nobody_has_looked() -> None:
    made = body("DeviceFleet", "meters", FLEETS["promoted"]()) | {"status": UNSEEN}
    told = reasons.of_fleet(Fleet.of(made), LATER)
    assert told.startswith("The operator has not looked at generation 1 yet, the last it saw is 0")


def test_an_object_of_another_version_is_said_to_be_one() -> None:
    made = body("DeviceFleet", "meters", FLEETS["promoted"]())
    assert reasons.of_body(made, LATER) == of_fleet("promoted")
    del made["spec"]["model"]
    told = reasons.of_body(made, LATER)
    assert told.startswith("DeviceFleet default/meters has another shape than this petiole knows")
    assert "(model: Field required)" in told
    assert "`kubectl get devicefleet meters -n default -o yaml`" in told
    other = body("TinyModel", "digits", MODELS["learned"]())
    assert reasons.of_body(other, LATER) == of_model("learned")
    other["status"]["round"]["step"] = "Dreaming"
    assert "TinyModel default/digits has another shape" in reasons.of_body(other, LATER)


def test_a_paragraph_leaves_out_what_it_said() -> None:
    told = Paragraph()
    told.add("", "It broke: too hot.")
    told.add("Gate", "it broke: too hot")
    told.add("Also", "more: it broke: too hot; and on")
    assert str(told) == "It broke: too hot. Gate. Also: more; and on."
    told.add("Last", "too cold")
    told.add("Really", "very: too cold")
    assert str(told).endswith("Last: too cold. Really: very.")
