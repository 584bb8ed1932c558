"""Pictures of fleets, models and devices, and the line that tells one state from the next."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest
import typer
from rich.console import Console, RenderableType

from petiole.cli import device_view, fleet_view, get, model_view
from petiole.cli.output import Form
from petiole.view import device, sites, words
from petiole.view.device import Filter
from petiole.view.fleet import line as fleet_line
from petiole.view.model import line as model_line
from petiole.view.objects import Fleet, Model
from tests.gitops.objects import FLEETS, MODELS, body
from tests.rollout.fleet import START

LATER = START + timedelta(minutes=42)
NEW, OLD = f"{2:064x}", f"{1:064x}"


def drawn(picture: RenderableType) -> str:
    console = Console(width=200, color_system=None)
    with console.capture() as said:
        console.print(picture)
    return said.get()


def fleet(story: str) -> Fleet:
    return Fleet.of(body("DeviceFleet", "meters", FLEETS[story]()))


def model(story: str) -> Model:
    return Model.of(body("TinyModel", "digits", MODELS[story]()))


def line_of(text: str, word: str) -> str:
    lines = (" ".join(each.split()) for each in text.splitlines())
    return next(each for each in lines if word in each)


def record(name: str, site: str, active: str | None, **more: Any) -> dict[str, Any]:
    state = {
        "boot": 3, "seq": 9, "phase": "confirmed", "reason": "none", "active": active,
        "target": None, "standby": None, "got": 0, "total": 0, "firmware": None, "crash": None,
        "caps": {"target": "m4", "slot": 65536, "arena": 32768, "agent": "1.4.0"},
    }  # fmt: skip
    return {
        "id": name, "registered": True, "labels": {"site": site}, "online": True,
        "fleet": "default.meters", "seenAt": START.isoformat(), "granted": None,
        "grantedFirmware": None, "reason": "", "state": state | more.pop("state", {}), **more,
    }  # fmt: skip


RECORDS = [
    record("a1", "north", NEW),
    record("a2", "north", OLD, state={"phase": "failed", "reason": "golden-mismatch"}),
    record("b1", "south", NEW, online=False),
    record("b2", "south", None),
    {**record("c1", "", OLD), "labels": {}, "state": None, "registered": False},
]


# --- fleets ---------------------------------------------------------------------------------------


def test_a_fleet_shows_its_stages_and_gates() -> None:
    shown = drawn(fleet_view.render(fleet("soaking"), LATER))
    assert line_of(shown, "canary 40") == "canary 40 10m Auto complete, 40 devices, 2m 00s"
    assert line_of(shown, "early") == "early 50% 10m Auto to come"
    assert line_of(shown, "Soaking").startswith("waiting Soaking for 2m 00s, 8m 00s left: ")
    assert line_of(shown, "0.90").startswith("confidence Pass 0 % -1.2 % .. 1.2 % mean confidence")
    assert "40 updated, 160 pending of 200 devices" in shown
    assert "Promoted revision 1" in shown
    assert "GatewayReachable" not in shown
    assert "GatewayReachable" in drawn(fleet_view.render(fleet("soaking"), LATER, wide=True))


def test_a_ramp_shows_the_stages_that_it_will_have() -> None:
    shown = drawn(fleet_view.render(fleet("ramp"), LATER))
    sizes = [line_of(shown, f"ramp-{n} ").split()[1] for n in range(1, 6)]
    assert sizes == ["20", "40", "80", "160", "100%"]


def test_devices_are_counted_by_site_and_revision() -> None:
    seen = fleet("soaking")
    names = {NEW: "revision 2", OLD: "revision 1"}
    found = sites.group(RECORDS, "site", names)
    shown = drawn(fleet_view.render(seen, LATER, sites=found, label="site"))
    assert (
        line_of(shown, "problems") == "site devices online revision 2 revision 1 nothing problems"
    )
    assert line_of(shown, "north") == "north 2 2 1 1 0 1 golden-mismatch"
    assert line_of(shown, "south") == "south 2 1 1 0 1 -"
    assert line_of(shown, "(none)") == "(none) 1 1 0 0 1 1 never reported"


def test_artefacts_have_the_names_that_the_objects_give_them() -> None:
    made = body("TinyModel", "digits", MODELS["learned"]())
    named = sites.names_of(Model.of(made).status, fleet("promoted").status)
    assert named == {"1m4": "revision 1", "1m0": "revision 1"}


def test_the_line_changes_with_what_matters_and_not_with_time() -> None:
    made = body("DeviceFleet", "meters", FLEETS["rolling"]())
    before = fleet_line(Fleet.of(made))
    assert "20 offered, 1 failed" in before
    assert "waits: DevicesUpdating" in before
    later = copy.deepcopy(made)
    later["status"]["reportedAt"] = LATER.isoformat()
    assert fleet_line(Fleet.of(later)) == before
    later["status"]["counts"]["updated"] += 1
    assert fleet_line(Fleet.of(later)) != before


def test_several_fleets_are_a_line_each() -> None:
    shown = drawn(fleet_view.table([fleet("rolling"), fleet("reverted")]))
    assert " ".join(shown.splitlines()[1].split()) == (
        "meters digits 2 1 canary 19/200 (1 failed) DevicesUpdating"
    )


def test_one_that_cannot_be_read_hides_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    older, right = (body("DeviceFleet", name, FLEETS["rolling"]()) for name in ("older", "meters"))
    del older["spec"]["model"]
    with pytest.raises(typer.Exit) as ended:
        get._print_all([older, right], Form.TABLE, Fleet, fleet_view.table)
    said = capsys.readouterr()
    assert ended.value.exit_code == 1
    assert "meters" in said.out
    assert "DeviceFleet default/older has another shape" in said.err


# --- models ---------------------------------------------------------------------------------------


def test_a_model_shows_round_labels_versions_and_curve() -> None:
    shown = drawn(model_view.render(model("successor_rejected"), LATER))
    assert line_of(shown, "budget") == "labels 60 of 1000 labels; the budget is 60"
    assert line_of(shown, "Regressed:").startswith("rejected Regressed: accuracy of m4 fell")
    assert line_of(shown, "m4 1 B") == (
        "1 96.00% 60 Initial 42m 00s ago m4 1 B 97.00%, m0 1 B 96.00%"
    )
    assert line_of(shown, "90.00%") == f"20 90.00% {'#' * 36} - 1"


def test_a_model_s_line_and_table() -> None:
    assert model_line(model("labelling")) == (
        "0 of 20 labels are answered; version 0; 0 of 1000 labels, 20 asked"
    )
    shown = drawn(model_view.table([model("learned")]))
    assert "digits" in shown.splitlines()[1]


# --- devices --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (Filter({}), ["a1", "a2", "b1", "b2", "c1"]),
        (Filter({"site": "north"}), ["a1", "a2"]),
        (Filter({}, phase="failed"), ["a2"]),
        (Filter({}, reason="never reported"), ["c1"]),
        (Filter({"site": "south"}, online=False), ["b1"]),
        (Filter({}, registered=False), ["c1"]),
        (Filter({"site": "north", "crop": "apple"}), []),
    ],
)
def test_devices_are_filtered(wanted: Filter, ids: list[str]) -> None:
    assert [found["id"] for found in device.chosen(RECORDS, wanted)] == ids


def test_devices_are_a_line_each() -> None:
    shown = drawn(device_view.table(RECORDS, LATER))
    assert line_of(shown, "a2") == (
        "a2 default.meters yes 42m 00s ago failed golden-mismatch 000000000000 site=north"
    )
    assert "1.4.0" not in shown
    assert "1.4.0" in drawn(device_view.table(RECORDS, LATER, wide=True))


def test_a_device_shows_its_history_the_newest_first() -> None:
    entry = {"at": START.isoformat(), "boot": 3, "phase": "trial", "reason": "none",
             "active": OLD, "target": NEW}  # fmt: skip
    newer = entry | {"phase": "confirmed", "at": LATER.isoformat(), "active": NEW}
    crash = {"cause": "watchdog", "boot": 2, "pc": 0x800}
    found = record("a1", "north", NEW, state={"crash": crash}) | {
        "statistics": {"count": 812},
        "history": [entry, newer],
        "certificate": {"serial": "17", "notAfter": "2026-12-01"},
        "reason": "Look at the link.",
    }
    shown = drawn(device_view.render(found, LATER))
    newest, oldest = (" ".join(each.split()) for each in shown.splitlines()[-2:])
    assert newest.startswith("2026-11-02 08:42:00 UTC (0s ago) 3 confirmed none")
    assert oldest.startswith("2026-11-02 08:00:00 UTC (42m 00s ago) 3 trial none")
    assert line_of(shown, "problem") == "problem Look at the link."
    assert line_of(shown, "watchdog") == "crash watchdog in boot 2 at 0x00000800"
    assert line_of(shown, "812").endswith("812 with this model since it booted")
    assert line_of(shown, "serial") == "certificate serial 17, notAfter 2026-12-01"


def test_a_device_that_never_reported_can_be_shown() -> None:
    found = RECORDS[-1] | {"history": [], "statistics": None, "certificate": None}
    assert line_of(drawn(device_view.render(found, LATER)), "labels") == "labels -"


# --- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "shown"),
    [("0.012", "1.2 %"), ("-0.0001", "0 %"), ("0.400", "40 %"), ("", ""), ("n/a", "n/a")],
)
def test_shares(given: str, shown: str) -> None:
    assert words.share(given) == shown


def test_an_interval_may_lie_below_zero() -> None:
    assert words.interval("-0.012..0.080") == "-1.2 % .. 8 %"
