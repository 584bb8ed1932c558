"""The same core on boards in QEMU: an update on each; a refusal and power cuts on the Cortex-M4."""

from __future__ import annotations

import pytest

from hack.testbed.boards import BOARDS
from hack.testbed.hand import BLOCK
from hack.testbed.models import digest, sign
from petiole.artifact.keys import load_private, new_private_pem
from petiole.wire.messages import Phase, Reason

DEVICE = "leaf-0"
SLOW = 60  # QEMU on a busy machine


@pytest.fixture(autouse=True)
def built(made):
    made("boards")


@pytest.mark.parametrize("board", [name for name in BOARDS if name != "an386"])
async def test_every_board_takes_a_model_and_answers(bench, hand, first, key, board):
    await bench.start_board(board)
    artefact = sign(first, key)
    await hand.publish_blocks(artefact)
    await hand.grant(DEVICE, artefact)
    await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL, SLOW)
    await bench.show(DEVICE, first)
    await hand.state(DEVICE, lambda s: s.phase == Phase.CONFIRMED, SLOW)
    await hand.until(lambda: len(bench.answers) == 8, "eight answers")
    assert [a.label for _, a in bench.answers] == first.labels * 2


async def test_a_board_updates_refuses_and_survives_power_cuts(bench, hand, first, second, key):
    await bench.start_board()
    state = await hand.state(DEVICE, lambda _: True, SLOW)
    assert (state.phase, state.boot, state.caps.arena) == (Phase.IDLE, 1, 32768)

    old = sign(first, key, security_counter=2)
    await hand.publish_blocks(old)
    await hand.grant(DEVICE, old)
    await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL, SLOW)
    steps = [Phase.IDLE, Phase.DOWNLOADING, Phase.VERIFYING, Phase.TRIAL]
    assert list(dict.fromkeys(s.phase for s in hand.history[DEVICE])) == steps
    await bench.show(DEVICE, first)
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.CONFIRMED, SLOW)
    assert (state.active, state.floor) == (digest(old), 2)
    await hand.until(lambda: len(bench.answers) == 8, "eight answers")
    assert [a.label for _, a in bench.answers] == first.labels * 2
    await hand.until(lambda: DEVICE in hand.stats and hand.stats[DEVICE].count == 8, "stats", SLOW)
    assert 0 < hand.stats[DEVICE].latency_sum < 8_000_000

    foreign = sign(second, load_private(new_private_pem()), security_counter=2)
    await hand.publish_blocks(foreign)
    await hand.grant(DEVICE, foreign)
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.FAILED, SLOW)
    assert (state.reason, state.active) == (Reason.WRONG_KEY, digest(old))

    new = sign(second, key, security_counter=2, revision=2)
    total = -(-len(new) // BLOCK)
    await hand.publish_blocks(new, leave_out=frozenset({total - 1}))
    await hand.grant(DEVICE, new)
    await hand.state(DEVICE, lambda s: s.got == total - 1, SLOW)
    await bench.kill()
    await hand.remove_blocks(new)  # what it holds it cannot get again
    await hand.publish_blocks(new, leave_out=frozenset(range(total - 1)))
    await bench.start_board()
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL and s.boot == 2, SLOW)
    assert (state.active, state.standby) == (digest(new), digest(old))
    await bench.kill()
    await bench.start_board()
    state = await hand.state(DEVICE, lambda s: s.boot == 3, SLOW)
    assert (state.phase, state.reason) == (Phase.ROLLEDBACK, Reason.TRIAL_EXPIRED)
    assert state.active == digest(old)


async def test_a_board_finds_the_broker_again(bench, hand):
    await bench.start_board()
    await hand.state(DEVICE, lambda _: True, SLOW)
    await hand.__aexit__(None, None, None)
    bench.broker.stop()
    bench.broker.start()
    await hand.__aenter__()
    hand.online.clear()
    await hand.until(lambda: hand.online.get(DEVICE) is True, "online again", SLOW)
