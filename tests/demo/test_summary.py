"""The summary and the page, from a small record."""

import io
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from rich.console import Console

from hack.demo import report
from hack.demo.example import CALM, SHIFTED
from hack.demo.examples import EXAMPLES
from hack.demo.manifests import Change
from hack.demo.record import Failing, Record
from hack.demo.show import final_table
from hack.demo.summary import Measured, summarise
from hack.demo.watch import Snapshot
from hack.testbed.field import Cell, Tally
from hack.testbed.machines import Failure

BEGAN = datetime(2030, 1, 1, tzinfo=UTC)


def at(seconds):
    return (BEGAN + timedelta(seconds=seconds)).isoformat()


def version(number, trigger, accuracy):
    variant = {"target": "m4", "digest": f"d{number}", "size": 9000, "arena": 700}
    return {
        "version": number,
        "trigger": trigger,
        "labels": 100,
        "accuracy": accuracy,
        "variants": [variant | {"accuracy": accuracy}],
    }


def entry(revision, result, start, end, message=""):
    counts = {"exposed": 30, "updated": 3, "reverted": 30 if result == "Reverted" else 0}
    times = {"startedAt": at(start), "finishedAt": at(end)}
    return {"revision": revision, "result": result, "message": message} | counts | times


def window(digest, end, confidence):
    return {"digest": digest, "end": at(end), "count": 10, "confidenceSum": confidence * 2550}


@pytest.fixture
def measured():
    versions = [version(1, "Initial", "96.00%"), version(2, "Drift", "95.50%")]
    versions.append(version(3, "DataChanged", "97.00%"))
    model = {
        "metadata": {"uid": "u"},
        "spec": {"targets": [{"name": "m4"}]},
        "status": {
            "latestVersion": 1,
            "labels": {"pool": 1000, "spent": 140},
            "curve": [{"labels": 50, "accuracy": "90.00%"}, {"labels": 100, "accuracy": "96.00%"}],
            "versions": versions,
        },
    }
    history = [
        entry(1, "Promoted", 10, 22.5),
        entry(3, "Reverted", 90, 99, "<canaries> were worse"),
    ]
    fleet = {"metadata": {"name": "meters"}, "status": {"history": history, "mode": "Idle"}}
    record = Record(BEGAN, injected_at=BEGAN + timedelta(seconds=40), shifted_from=1)
    record.detected_at = BEGAN + timedelta(seconds=44)
    record.answered_with = 2
    record.saw(Snapshot(1.0, model, fleet))
    arm = {"devices": 30, "mean": 0.6, "variance": 0.01}
    fleet["status"]["revision"] = {"target": 3, "stable": 2}
    record.saw(Snapshot(85.0, model, fleet))
    alone = {"devices": 0, "mean": 0.0, "variance": 0.0}
    record.saw_summary({"evidence": [{"gate": "update", "canary": arm, "control": alone}]})
    record.saw_summary({"evidence": [{"gate": "confidence", "canary": arm, "control": arm}]})
    record.windows = [window("d1", 30, 0.9), window("d1", 33, 0.8)]
    tally = Tally()
    tally.by_device[CALM, "d1", "a"] = Cell(100, 96)
    tally.by_device[SHIFTED, "d1", "a"] = Cell(100, 60)
    tally.by_device[SHIFTED, "d2", "a"] = Cell(100, 90)
    tally.by_device[SHIFTED, "d3", "a"] = Cell(10, 3)
    tally.by_device[SHIFTED, "d3", "b"] = Cell(10, 4)
    tally.by_second[3, "d1"] = Cell(10, 9, 9.0, 8.2)
    tally.by_second[90, "d2"] = Cell(10, 9, 9.0, 8.2)
    tally.by_second[91, "d3"] = Cell(10, 4, 6.0, 3.7)
    return Measured(
        example=EXAMPLES["digits"](None),
        changes=[Change("devicefleet.yaml", "spec.a", "1h", "5s")],
        interval=2.0,
        record=record,
        tally=tally,
        posix=220,
        qemu=2,
        reference={
            "spend": 100,
            "fullAccuracy": {"m4": 0.965},
            "randomAccuracy": {"m4": 0.91},
            "randomCurve": [{"labels": 50, "accuracy": 0.8}],
        },
        exactness=[
            {"version": 1, "target": "m4", "where": "qemu", "inputs": 500, "mismatches": 0}
            | {"instructions": 480_000}
        ],
        agent=[{"build": "m4", "text": 60000, "data": 100, "bss": 9000}],
        version="v1.36.3",
        writes=77,
        setup_seconds=3.0,
        run_seconds=120.04,
    )


def test_the_summary_has_what_was_measured(measured):
    found = summarise(measured)
    labels = found["labels"]
    assert (labels["pool"], labels["spent"], labels["savedPercent"]) == (1000, 100, 90.0)
    assert (labels["fullAccuracy"], labels["accuracy"], labels["randomAccuracy"]) == (
        96.5,
        96.0,
        91.0,
    )
    assert found["variants"][0]["arenaBytes"] == 700
    promoted, reverted = found["rollouts"]
    assert (promoted["result"], promoted["seconds"]) == ("Promoted", 12.5)
    assert (reverted["revision"], reverted["reverted"]) == (3, 30)
    drift = found["drift"]
    assert (drift["seconds"], drift["windows"]) == (4.0, 2.0)
    assert (drift["accuracyCalm"], drift["accuracyBefore"], drift["accuracyAfter"]) == (96, 60, 90)
    assert (found["bad"]["revision"], found["bad"]["stable"]) == (3, 2)
    assert found["bad"]["fieldAccuracy"] == 35.0
    assert found["bad"]["devicesSeenWithIt"] == 2
    assert found["example"]["overrides"] == [
        {"file": "devicefleet.yaml", "path": "spec.a", "example": "1h", "demo": "5s"}
    ]
    assert found["kubernetes"] == {"version": "v1.36.3", "writes": 77}


@pytest.fixture
def failed(measured):
    """The same of an example without classes: two machines failed, one of which was heard of."""
    measured.reference = None
    measured.example = replace(measured.example, says="score level")
    measured.detectors = {1: {"m4": "means of 3 sensors"}}
    for version_ in measured.record.model["status"]["versions"]:
        for figures in (version_, *version_["variants"]):
            figures |= {"f1": "88.00%", "falseAlarms": "6.50%"}
            del figures["accuracy"]
    fault = [False, True, True, True, False]
    told = [
        Failure("a", "bed/1", CALM, "d1", [False, False, True, True, True], fault),
        Failure("b", "bed/2", CALM, "d1", [False] * 5, fault),
    ]
    measured.record.failures.append(Failing(1, CALM, told, answers=500, alarms=3))
    return measured


def test_alarms_are_told_by_devices_and_by_the_fleet(failed):
    found = summarise(failed)
    assert found["labels"] is None
    assert found["variants"][0] == {
        "target": "m4", "bytes": 9000, "arenaBytes": 700, "f1": 88.0, "falseAlarms": 6.5
    }  # fmt: skip
    assert found["versions"][0]["detectors"] == {"m4": "means of 3 sensors"}
    assert found["versions"][1]["detectors"] is None
    (alarms,) = found["alarms"]
    assert (alarms["machines"], alarms["machinesWithAlarm"], alarms["readings"]) == (2, 1, 10)
    # 2 of 6 faulty readings were told, and 1 of 4 others.
    assert (alarms["f1"], alarms["falseAlarms"], alarms["missed"]) == (44.44, 25.0, 66.67)
    assert (alarms["delayReadings"], alarms["raised"]) == (1.0, 3)
    assert alarms["fleet"] == {"answers": 500, "alarms": 3}
    assert found["bad"]["judged"] == {"f1": 88.0, "falseAlarms": 6.5}


def test_the_page_of_machines_has_detectors_and_alarms(failed):
    page = report.page(summarise(failed), failed)
    for words in ("Detectors", "Alarms", "means of 3 sensors", "mean score level", "F1 88.0 %"):
        assert words in page
    assert "labels saved" not in page


def test_the_table_says_what_machines_that_failed_were_told_by(failed):
    console = Console(file=io.StringIO(), width=160)
    console.print(final_table(summarise(failed)))
    text = console.file.getvalue()
    assert "2 machines fail (calm, v1)" in text
    assert "saved" not in text


def test_arms_with_other_budgets_are_not_compared(measured):
    measured.reference["spend"] = 120
    with pytest.raises(ValueError, match="cannot be compared"):
        summarise(measured)


class Outside(HTMLParser):
    """Collects what the page would load from elsewhere."""

    def __init__(self):
        super().__init__()
        self.links = []

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        loads = [named.get("src"), named.get("href"), named.get("xlink:href")]
        self.links += [link for link in loads if link and not link.startswith("#")]
        assert tag not in ("script", "link", "img")


def test_the_page_needs_nothing_from_elsewhere(measured):
    page = report.page(summarise(measured), measured)
    outside = Outside()
    outside.feed(page)
    assert outside.links == []
    assert len(re.findall("<svg", page)) == 5
    assert "&lt;canaries&gt; were worse" in page
    assert "devicefleet.yaml" in page
