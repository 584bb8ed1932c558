"""What pages draw, and who may see them, as decisions."""

from __future__ import annotations

import re

import pytest
from fastapi import Request

from petiole.api.devicefleet import Counts, GateStatus
from petiole.gateway.web.access import COOKIE, LIFE, Access
from petiole.gateway.web.drawing import asset
from petiole.gateway.web.scene import WIDTH, Glance, plot, segments
from petiole.rollout.plan import Plan
from petiole.view.fleet import Bounds, bounds
from petiole.view.objects import Fleet
from tests.gitops.objects import FLEETS, body

NOW = 1_800_000_000.0


def fleet(story: str) -> Fleet:
    return Fleet.of(body("DeviceFleet", "meters", FLEETS[story]()))


# --- figures --------------------------------------------------------------------------------------


def test_a_bar_has_a_part_for_each_device_that_is_not_pending() -> None:
    counts = Counts(total=10, pending=3, updated=4, trial=1, failed=1, silent=1)
    parts = segments(counts)
    assert [part.name for part in parts] == ["updated", "busy", "failed", "lost"]
    assert sum(part.width for part in parts) == WIDTH * 7 / 10
    assert parts[-1].start == WIDTH * 6 / 10
    assert segments(Counts()) == []


def test_every_count_has_its_part_of_the_bar() -> None:
    for field in set(Counts.model_fields) - {"total", "pending"}:
        assert len(segments(Counts(total=1, **{field: 1}))) == 1, field


def test_a_gate_s_interval_lies_within_its_plot() -> None:
    seen = plot(Bounds(estimate=0.02, low=-0.05, high=0.3, allowed=0.1))
    assert 0 == seen.low < seen.zero < seen.estimate < seen.allowed < seen.high < WIDTH
    tiny = plot(Bounds(estimate=0.0, low=0.0, high=0.0, allowed=None))
    assert (tiny.low, tiny.high, tiny.allowed) == (0.0, 0.0, None)


def test_a_gate_s_numbers_are_read_with_what_is_allowed() -> None:
    seen = fleet("soaking")
    gates = {gate.name: gate for gate in seen.status.gates}
    found = bounds(gates["update"], seen.spec.rollout)
    assert found is not None
    assert (found.estimate, found.low, found.allowed) == (0.0, 0.0, 0.1)
    fallen = bounds(gates["confidence"], seen.spec.rollout)
    assert fallen is not None
    assert (fallen.allowed, fallen.low < 0 < fallen.high) == (0.05, True)
    assert bounds(GateStatus(name="update", verdict="Continue"), seen.spec.rollout) is None


@pytest.mark.parametrize(
    ("story", "tone"),
    [("promoted", "good"), ("soaking", "busy"), ("rolling", "bad"), ("reverted", "bad")],
)
def test_a_fleet_is_as_loud_as_it_must_be(story: str, tone: str) -> None:
    assert Glance.of("default.meters", fleet(story), None).tone == tone


def test_a_plan_alone_says_mode_and_stage() -> None:
    operator = FLEETS["rolling"]()
    plan = operator.field.plan
    assert isinstance(plan, Plan)
    seen = Glance("default.meters", None, plan, operator.field.summary(operator.now))
    assert (seen.mode, seen.stage, seen.tone) == ("Rolling", "canary", "wait")
    assert seen.counts.total == 200
    assert set(seen.names.values()) == {"revision 1", "revision 2"}


def test_counts_are_the_gateway_s_unless_they_answer_another_plan() -> None:
    operator = FLEETS["rolling"]()
    summary = operator.field.summary(operator.now)
    assert summary is not None
    fresh = summary.model_copy(update={"counts": Counts(total=200, updated=200)})
    both = Glance("default.meters", fleet("rolling"), operator.field.plan, fresh)
    assert both.counts.updated == 200
    stale = fresh.model_copy(update={"serial": fresh.serial - 1})
    older = Glance("default.meters", fleet("rolling"), operator.field.plan, stale)
    assert older.counts == fleet("rolling").status.counts


# --- access ---------------------------------------------------------------------------------------


def request(cookie: str = "", authorization: str = "") -> Request:
    headers = [(b"authorization", authorization.encode())]
    if cookie:
        headers.append((b"cookie", f"{COOKIE}={cookie}".encode()))
    return Request({"type": "http", "headers": headers})


def test_a_cookie_ends_and_cannot_be_made_longer() -> None:
    access = Access("a token of sixteen")
    cookie = access.cookie(NOW)
    assert access.admits(request(cookie), NOW + LIFE - 1)
    assert not access.admits(request(cookie), NOW + LIFE + 1)
    end, _, digest = cookie.partition(".")
    for forged in (f"{int(end) + 1}.{digest}", f"{end}.", end, f"x.{digest}", "", "."):
        assert not access.admits(request(forged), NOW)
    assert not Access("another token of 16").admits(request(cookie), NOW), "a new token ends all"


def test_a_token_may_be_shown_with_each_request() -> None:
    access = Access("a token of sixteen")
    assert access.admits(request(authorization="Bearer a token of sixteen"), NOW)
    for wrong in ("", "a token of sixteen", "Bearer ", "Bearer a token of sixteen "):
        assert not access.admits(request(authorization=wrong), NOW)


# --- looks ----------------------------------------------------------------------------------------


def _luminance(color: str) -> float:
    """Relative luminance of WCAG 2.2."""
    digits = color.lstrip("#")
    full = digits if len(digits) == 6 else "".join(2 * d for d in digits)
    parts = [int(full[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_and_figures_stand_out(theme: int) -> None:
    style = asset("style.css")
    assert style is not None
    blocks = re.findall(r":root \{([^}]*)\}", bytes(style.body).decode())
    colors = dict(re.findall(r"--(\w+): (#\w+);", blocks[theme]))
    for ground in (colors["ground"], colors["raised"]):
        for name in ("text", "quiet", "link", "good", "bad", "wait", "busy"):
            assert _contrast(colors[name], ground) >= 4.5, name
        for name in ("updated", "failed", "reverted", "lost", "busy"):
            assert _contrast(colors[name], ground) >= 3.0, name
