"""Power cuts at every flash operation of updates, natively and on an emulated board."""

from __future__ import annotations

from .played import play
from .section import Bar, Section

NATIVE = "tests/firmware/test_cuts.py"
TWICE = ("test_an_update_survives_two_power_cuts_at_any_flash_operation",)
TORN = ("test_an_update_survives_two_power_cuts_torn_in_any_way",)
ONCE = (
    "test_an_update_survives_a_power_cut_while_the_journal_wraps",
    "test_an_update_to_the_highest_counter_survives_a_power_cut",
)
BOARD = "tests/firmware/test_power.py"
SOME = "test_power_fails_in_some_operations"
EVERY = "test_power_fails_in_every_operation"
SECONDS = 5400.0


def section(quick: bool) -> Section:
    """Play the sweeps of models and of firmware; ``quick``: fewer of them."""
    chosen = (*(TWICE if quick else TORN), *ONCE)
    native = play(*(f"{NATIVE}::{name}" for name in chosen), seconds=SECONDS)
    board = play(f"{BOARD}::{SOME if quick else EVERY}", seconds=SECONDS)
    cuts = {"native": sum(native.recorded["cuts"]), "qemu": sum(board.recorded["cuts"])}
    bricked = native.failed + board.failed
    return Section(
        "power cuts at flash operations of updates",
        figures={"powerCuts": {**cuts, "bricked": bricked}},
        columns=("where", "cuts", "sweeps", "sweeps that failed"),
        rows=[
            (where, f"{cuts[where]:,}", str(p.passed + p.failed), str(p.failed))
            for where, p in (("native", native), ("qemu", board))
        ],
        bars=[
            Bar("sweeps in which a device did not end well", bricked, 0),
            Bar("cuts, natively", cuts["native"], 1000, least=True),
            Bar("cuts on a board", cuts["qemu"], 5 if quick else 40, least=True),
        ],
    )
