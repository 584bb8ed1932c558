"""docs/api.md shows what the API server says now."""

from __future__ import annotations

from hack import api_docs
from hack.testbed.controlplane import ControlPlane


def test_the_page_is_current(control_plane: ControlPlane) -> None:
    text = api_docs.PAGE.read_text()
    assert text.count("$ kubectl explain") > 3
    assert text == api_docs.refreshed(text, api_docs.asking(control_plane)), (
        "docs/api.md is old: run `make api-docs`"
    )


def test_an_old_answer_and_an_old_table_are_replaced() -> None:
    text = (
        "a\n```\n$ kubectl explain x\nold\nold\n```\nb\n<!-- rules: DeviceFleet -->\n| old |\n\nc\n"
    )
    found = api_docs.refreshed(text, lambda command: f"NEW {command}  \n\n")
    assert found.startswith(
        "a\n```\n$ kubectl explain x\nNEW kubectl explain x\n```\nb\n<!-- rules"
    )
    assert "\nold\n" not in found
    assert "| old |" not in found
    assert "| `spec.rollout.stages` | the last stage must have size 100% |" in found
    assert found.endswith("|\n\nc\n")
