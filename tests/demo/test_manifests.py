"""Manifests as a demo applies them."""

from pathlib import Path

import pytest
import yaml

from hack.demo.example import LEFT_OUT, ExampleError
from hack.demo.manifests import Manifests

FLEET = {
    "kind": "DeviceFleet",
    "spec": {
        "rollout": {
            "stages": [{"name": "canary", "soak": "1h"}, {"name": "all", "soak": "2h"}],
            "windows": {"apply": []},
        }
    },
}
MODEL = {"spec": {"data": {"pool": {"uri": "file://${DATA}/pool"}}}}


@pytest.fixture
def manifests(tmp_path):
    (tmp_path / "devicefleet.yaml").write_text(yaml.safe_dump(FLEET))
    (tmp_path / "tinymodel.yaml").write_text(yaml.safe_dump(MODEL))
    return lambda **fields: Manifests(tmp_path, Path("/data"), {"devicefleet.yaml": fields})


def test_overrides_reach_fields_and_named_elements(manifests):
    spec = "spec.rollout"
    found = manifests(
        **{
            f"{spec}.stages.all.soak": "3s",
            f"{spec}.windows": LEFT_OUT,
            f"{spec}.stages.all.approval": "Manual",
        }
    ).fleet["spec"]["rollout"]
    canary, last = found["stages"]
    assert canary == {"name": "canary", "soak": "1h"}
    assert last == {"name": "all", "soak": "3s", "approval": "Manual"}
    assert "windows" not in found


def test_what_is_written_is_what_is_read_with_the_data_in_place(manifests, tmp_path):
    given = manifests()
    written = given.write("tinymodel.yaml", tmp_path / "out")
    assert yaml.safe_load(written.read_text()) == given.model
    assert given.model["spec"]["data"]["pool"]["uri"] == "file:///data/pool"


def test_each_change_is_named(manifests):
    changes = manifests(**{"spec.rollout.stages.canary.soak": "5s"}).changes()
    assert [str(change) for change in changes] == [
        'devicefleet.yaml: spec.rollout.stages.canary.soak: "1h" -> "5s"'
    ]


@pytest.mark.parametrize(
    "path", ["spec.rollout.stages.early.soak", "spec.rolout.windows", "spec.rollout.stages.canary"]
)
def test_an_override_of_what_is_not_there_is_an_error(manifests, path):
    with pytest.raises(ExampleError, match=r"devicefleet.yaml has no spec\.rol"):
        manifests(**{path: "1s"}).read("devicefleet.yaml")
