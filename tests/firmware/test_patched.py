"""A device takes a patch where it can, the artefact where it cannot, and survives power cuts."""

from __future__ import annotations

import pytest

from hack.testbed.hand import BLOCK
from hack.testbed.models import TARGET, digest, make, sign
from petiole.artifact import patch
from petiole.artifact.flash import Identity, flash_image
from petiole.artifact.keys import public_raw
from petiole.wire.messages import Phase

from .test_core import run, written

DEVICE = "leaf-0"
SLOW = 60  # seconds: QEMU on a busy machine; three windows of blocks that do not come


@pytest.fixture(scope="module")
def model():
    return make(2, vectors=4, padding=4000)


@pytest.fixture
def pair(model, key):
    """Two artefacts that have much in common, and the patch that makes the second of the first."""
    old, new = (sign(model, key, security_counter=n, revision=n) for n in (1, 2))
    made = patch.make(old, new)
    assert len(made) < len(new) // 20
    return old, new, made


async def confirmed(bench, hand, model, data, seconds=20):
    """Bring the device through its trial of what it was granted."""
    wanted = digest(data)
    await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL and s.active == wanted, seconds)
    await bench.show(DEVICE, model)
    return await hand.state(
        DEVICE, lambda s: s.phase == Phase.CONFIRMED and s.active == wanted, seconds
    )


async def runs(bench, hand, model, data, seconds=20):
    """Bring the device to run an artefact, fetched as it is."""
    await hand.publish_blocks(data)
    await hand.grant(DEVICE, data)
    await confirmed(bench, hand, model, data, seconds)


def failures(hand):
    return [s for s in hand.history[DEVICE] if s.phase in (Phase.FAILED, Phase.ROLLEDBACK)]


async def test_a_patch_is_all_that_a_device_needs(bench, hand, model, pair, made):
    made("posix")
    old, new, small = pair
    await bench.start()
    await runs(bench, hand, model, old)
    await hand.publish_blocks(small)  # and none of the artefact
    await hand.grant(DEVICE, new, patch=(old, small))
    state = await confirmed(bench, hand, model, new)
    assert (state.standby, state.floor) == (digest(old), 2)
    assert max(s.total for s in hand.history[DEVICE] if s.target == digest(new)) == 1


async def test_a_board_takes_a_patch(bench, hand, model, pair, made):
    made("mps2")
    old, new, small = pair
    await bench.start_board()
    await runs(bench, hand, model, old, SLOW)
    await hand.publish_blocks(small)
    await hand.grant(DEVICE, new, patch=(old, small))
    await confirmed(bench, hand, model, new, SLOW)


def other_base(_old, new):
    base = bytes(len(new))
    return base, patch.make(base, new)


def spoiled(old, new):
    made = patch.make(old, new)
    return old, made[:-1] + bytes([made[-1] ^ 1])


def cut(old, new):
    return old, patch.make(old, new)[:-1]


def too_large(old, new):
    return old, patch.make(old, new) + bytes(58_000)  # the slot has 64 KiB, the artefact 5


async def test_without_a_patch_of_use_the_artefact_is_fetched(bench, hand, model, key, made):
    made("posix")
    await bench.start()
    old = sign(model, key)
    await runs(bench, hand, model, old)
    for number, useless in enumerate((other_base, spoiled, cut, too_large), start=2):
        new = sign(model, key, revision=number)
        base, small = useless(old, new)
        await hand.publish_blocks(small, block=4096)
        await hand.publish_blocks(new, block=4096)
        await hand.grant(DEVICE, new, patch=(base, small), block=4096)
        await confirmed(bench, hand, model, new)  # no use of the patch leads there
        old = new
    assert failures(hand) == []


async def test_a_patch_goes_on_after_a_power_cut(bench, hand, model, key, made):
    made("posix")
    old = sign(model, key, revision=1)
    new = sign(make(5, vectors=4, padding=4000), key, revision=2)
    small = patch.make(old, new)
    total = -(-len(small) // BLOCK)
    assert total > 2
    await bench.start()
    await runs(bench, hand, model, old)
    await hand.publish_blocks(small, leave_out=frozenset({1}))
    await hand.grant(DEVICE, new, patch=(old, small))
    await hand.state(DEVICE, lambda s: (s.got, s.total) == (total - 1, total))
    await bench.kill()
    await hand.remove_blocks(small)  # what it holds it cannot get again
    await hand.publish_blocks(small, leave_out=frozenset(range(total)) - {1})
    await bench.start()
    await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL and s.active == digest(new))
    assert failures(hand) == []


@pytest.mark.long
async def test_a_patch_that_does_not_come_is_given_up(bench, hand, model, pair, made):
    made("posix")
    old, new, small = pair
    await bench.start()
    await runs(bench, hand, model, old)
    await hand.publish_blocks(new)
    await hand.grant(DEVICE, new, patch=(old, small))
    await confirmed(bench, hand, model, new, SLOW)
    assert failures(hand) == []


@pytest.mark.parametrize("good", [True, False], ids=["good", "spoiled"])
def test_a_patched_update_survives_two_power_cuts_at_any_flash_operation(tmp_path, key, made, good):
    made("test-programs")
    identity = Identity(
        device="leaf",
        user="leaf",
        password="secret",
        target=TARGET,
        keys=(public_raw(key.public_key()),),
        slot_size=16384,
        arena_size=4096,
    )
    first = sign(make(3, vectors=1), key, security_counter=1)
    model = make(2, vectors=1)
    old, new = (sign(model, key, security_counter=n, revision=n) for n in (1, 2))
    small = bytearray(patch.make(old, new))
    if not good:
        small[-1] ^= 1
    files = written(
        tmp_path,
        flash=flash_image(identity),
        model=first,
        first=first,
        old=old,
        new=new,
        patch=small,
    )
    said = run("test_cuts", "model", 3, 1, 0, *files)
    blocks = 0 if good else -(-len(new) // 512)
    assert f" operations, {blocks} blocks, " in said
