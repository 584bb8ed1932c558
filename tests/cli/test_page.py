"""docs/people.md shows what the commands print, to the letter."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from petiole.cli import fleet_view, reasons
from petiole.view.objects import Fleet
from tests.gitops.objects import FLEETS, body
from tests.rollout.fleet import START

NOW = START + timedelta(minutes=42)
WIDTH = 150


def fleet(story: str) -> Fleet:
    return Fleet.of(body("DeviceFleet", "meters", FLEETS[story]()))


SHOWN = {
    "petiole get fleet meters": lambda: fleet_view.render(fleet("soaking"), NOW),
    "petiole why meters": lambda: (
        f"DeviceFleet default/meters\n{reasons.of_fleet(fleet('reverted'), NOW)}"
    ),
}


def printed(picture: RenderableType) -> str:
    console = Console(width=WIDTH, color_system=None, markup=False, highlight=False)
    with console.capture() as said:
        console.print(picture)
    return "\n".join(line.rstrip() for line in said.get().splitlines())


@pytest.mark.parametrize("command", SHOWN)
def test_the_page_shows_what_is_printed(command: str, root: Path) -> None:
    page = (root / "docs" / "people.md").read_text()
    found = dict(re.findall(r"^```\n\$ ([^\n]+)\n(.*?)\n```$", page, re.MULTILINE | re.DOTALL))
    wanted = printed(SHOWN[command]())
    assert found[command] == wanted, wanted
