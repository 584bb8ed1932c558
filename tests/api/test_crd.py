"""The CRDs as files, and what people see of them by kubectl."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hack.testbed.controlplane import ControlPlane
from petiole.api import crd
from petiole.api.base import GROUP

from .examples import DEVICE_FLEET, TINY_MODEL
from .limits import with_value


def test_unknown_fields_are_named_by_kubectl(control_plane: ControlPlane) -> None:
    wrong = with_value(TINY_MODEL, ("spec", "learning", "labelBudgets"), 3)
    with pytest.raises(Exception, match=r"labelBudgets.*field not declared"):
        control_plane.apply(wrong)


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
