"""What a terminal and a pipe get to see."""

import io

from rich.console import Console

from hack.demo.show import Show
from hack.demo.watch import Snapshot
from hack.testbed.field import Field

MODEL = {
    "spec": {"learning": {"labels": {"source": "Oracle"}}},
    "status": {"labels": {"spent": 20, "pool": 1050}, "round": {"step": "Training"}},
}
FLEET = {
    "status": {
        "mode": "Rolling",
        "stage": {"name": "canary"},
        "counts": {"total": 5, "pending": 2, "updated": 3},
        "gates": [{"name": "update", "verdict": "Continue", "message": "[3 of 30] reported"}],
    }
}


def played(*, terminal):
    console = Console(file=io.StringIO(), force_terminal=terminal, width=160)
    show = Show(console, field_=Field({}, phase="calm", per_second=1.0, seed=0))
    with show.live(), show.act("the field is calm"):
        show.saw(Snapshot(7.0, MODEL, FLEET))
        show.saw(Snapshot(8.0, MODEL, FLEET))
    return console.file.getvalue()


def test_a_pipe_gets_each_change_once():
    lines = played(terminal=False).splitlines()
    assert lines[0] == "act 1: the field is calm"
    assert sum("20 of 1050 labels" in line for line in lines) == 1
    assert sum("2 pending, 3 updated" in line for line in lines) == 1
    assert lines[-1].startswith("act 1 done")


def test_a_terminal_gets_the_picture():
    picture = played(terminal=True)
    for words in ("the field is calm", "canary", "gate update", "[3 of 30]", "no answers"):
        assert words in picture
