"""docs/rollout-walk.md shows what is answered in a real rollout."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hack import rollout_walk
from hack.answers import answered
from hack.normalise import same_in_every_run


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_page_is_current(tmp_path: Path) -> None:
    text = rollout_walk.PAGE.read_text()
    with rollout_walk.Walk(tmp_path) as walk:
        found = walk.refreshed(text)
    # kubectl puts Events of one second in any order
    said, wanted = sorted(text.splitlines()), sorted(found.splitlines())
    assert said == wanted, "docs/rollout-walk.md is old: run `make rollout-walk`"


def test_every_command_of_the_page_has_its_answer_and_no_answer_a_time() -> None:
    fences = re.findall(
        r"^```\n\$ (.+)\n((?:.*\n)*?)```$", rollout_walk.PAGE.read_text(), re.MULTILINE
    )
    assert len(fences) > 8
    for command, said in fences:
        assert said.strip(), command
        assert not re.search(r"\d\d:\d\d:\d\d", said), command


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("    UID:  8f1c2d3e-0a1b-4c2d-9e8f-001122334455", "    UID:  <uid>"),
        ("    Started At:  2026-11-22T21:55:10Z", "    Started At:  <time>"),
        ("    Since:  2026-11-22T21:55:10.123456Z", "    Since:  <time>"),
        ("  Resource Version:  1432", "  Resource Version:  <n>"),
        ("request  promote@2026-11-22T21:55:10Z-0f3a9c", "request  promote@<time>-<id>"),
        ("Soaking for 2m 00s, 8m 00s left: x", "Soaking for <span>, <span> left: x"),
        ("It stopped 12s ago (RevisionFailed)", "It stopped <span> ago (RevisionFailed)"),
        ("complete, 8 devices, 4s", "complete, 8 devices, <span>"),
    ],
)
def test_what_no_two_runs_have_in_common_is_named(said: str, wanted: str) -> None:
    assert same_in_every_run(said) == wanted


@pytest.mark.parametrize(
    "said", ["      Soak:  10m", "    No Report After:   60s", "8 of 8 devices"]
)
def test_what_somebody_wrote_stays(said: str) -> None:
    assert same_in_every_run(said) == said


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (
            """\
NAME     TARGET   STAGE   AGE
meters   2        all     2m3s
other    1                9s""",
            """\
NAME     TARGET   STAGE   AGE
meters   2        all     <span>
other    1                <span>""",
        ),
        (
            """\
  Mode:  Idle
Events:
  Type    Reason    Age                From              Message
  ----    ------    ----               ----              -------
  Normal  Promoted  3s (x2 over 7s)    petiole-operator  so""",
            """\
  Mode:  Idle
Events:
  Type    Reason    Age       From              Message
  ----    ------    ----      ----              -------
  Normal  Promoted  <span>    petiole-operator  so""",
        ),
        (
            """\
 finished                              what        took
 2026-11-22 21:55:10 UTC (3s ago)      revision 2  1m 02s  Promoted
 2026-11-22 21:54:10 UTC (1m 03s ago)  revision 1  9s      Promoted""",
            """\
 finished             what        took
 <time> (<span> ago)  revision 2  <span>  Promoted
 <time> (<span> ago)  revision 1  <span>  Promoted""",
        ),
    ],
)
def test_columns_are_as_wide_as_what_is_named_in_them(said: str, wanted: str) -> None:
    assert same_in_every_run(said) == wanted


def test_long_lines_go_on_below_their_last_cell() -> None:
    said = "gate    message\nupdate  2 of 3 devices failed"
    wanted = "gate    message\nupdate  2 of 3 devices\n        failed"
    assert same_in_every_run(said, width=24) == wanted
    assert same_in_every_run(said) == said


def test_commands_are_run_from_the_top_of_the_page_down() -> None:
    asked: list[str] = []

    def ask(command: str) -> str:
        asked.append(command)
        return f"{len(asked)}  \n\n"

    page = "a\n```\n$ kubectl get df\nold\nold\n```\nb\n```\n$ petiole why x\n```\n"
    wanted = "a\n```\n$ kubectl get df\n1\n```\nb\n```\n$ petiole why x\n2\n```\n"
    assert answered(page, ask) == wanted
    assert asked == ["kubectl get df", "petiole why x"]
