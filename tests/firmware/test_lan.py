"""Boards in QEMU that reach a real broker over Ethernet: by TLS, or by TCP alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hack.testbed import lan
from hack.testbed.hand import Hand
from hack.testbed.models import Model, digest, sign
from hack.testbed.pki import SERVER, Pki, new_key
from hack.testbed.processes import Processes
from petiole.artifact.network import Secure
from petiole.cli.authority import write
from petiole.identity.authority import key_pem, pem
from petiole.wire.messages import Phase

from .onlan import DEVICE, SLOW, OnLan

SOON = 15.0  # much less than a serial line needs to notice: 25 s


@pytest.fixture(scope="module", autouse=True)
def built(made) -> None:
    made("lan")


@pytest.fixture(scope="module")
def all_built(made) -> None:
    made("lan-boards")


@pytest.fixture
def field(tmp_path: Path, key: Ed25519PrivateKey) -> Iterator[OnLan]:
    with Processes(tmp_path) as processes:
        made = OnLan(tmp_path, processes, key)
        made.broker.start()
        yield made


@pytest_asyncio.fixture
async def hand(field: OnLan) -> AsyncIterator[Hand]:
    async with Hand(field.broker) as gateway:
        yield gateway


async def takes(field: OnLan, hand: Hand, model: Model, artefact: bytes) -> None:
    """Grant an artefact to the board; it must download, try and confirm it."""
    await hand.publish_blocks(artefact, block=1024)
    await hand.grant(DEVICE, artefact, block=1024)
    wanted = digest(artefact)
    await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL and s.active == wanted, SLOW)
    field.answers.clear()
    await field.show(model)
    await hand.state(DEVICE, lambda s: s.phase == Phase.CONFIRMED and s.active == wanted, SLOW)
    await hand.until(lambda: len(field.answers) == 8, "eight answers")
    assert [answer.label for answer in field.answers] == model.labels * 2


async def test_a_board_takes_one_model_after_the_other_by_tls(field, hand, first, second, key):
    field.provision(field.secure())
    field.start()
    await takes(field, hand, first, sign(first, key))
    await takes(field, hand, second, sign(second, key, revision=2))


@pytest.mark.long
@pytest.mark.usefixtures("all_built")
@pytest.mark.parametrize("board", ["an385", "an500", "an505"])
async def test_the_other_boards_with_ethernet_do_so_too(field, hand, first, key, board):
    field.provision(field.secure())
    field.start(board)
    await takes(field, hand, first, sign(first, key))


async def test_a_board_connects_by_tcp_where_no_authority_is_configured(field, hand, first, key):
    field.provision(lan.network(field.broker.port))
    field.start()
    await takes(field, hand, first, sign(first, key))


async def test_a_restart_in_the_middle_of_a_download_goes_on(field, hand, second, key):
    artefact = sign(second, key)
    field.provision(field.secure())
    field.start()
    total = -(-len(artefact) // 1024)
    await hand.publish_blocks(artefact, leave_out=frozenset({total - 1}), block=1024)
    await hand.grant(DEVICE, artefact, block=1024)
    await hand.state(DEVICE, lambda s: s.got == total - 1, SLOW)
    field.kill()
    await hand.publish_blocks(artefact, leave_out=frozenset(range(total - 1)), block=1024)
    field.start()
    state = await hand.state(DEVICE, lambda s: s.phase == Phase.TRIAL, SLOW)
    assert state.boot == 2


async def test_a_board_notices_at_once_when_the_broker_goes_and_finds_it_again(field, hand):
    field.provision(field.secure())
    field.start()
    await hand.state(DEVICE, lambda _: True, SLOW)
    await hand.__aexit__(None, None, None)
    field.broker.stop()
    field.says("no connection: the broker hung up")
    field.broker.start()
    await hand.__aenter__()
    hand.online.clear()
    await hand.until(lambda: hand.online.get(DEVICE) is True, "online again", SOON)


async def test_a_cable_that_was_pulled_out_is_plugged_in_again(field, hand):
    field.provision(field.secure())
    field.start()
    await hand.state(DEVICE, lambda _: True, SLOW)
    field.plug(into=False)
    field.says("no connection: no carrier")
    hand.online.clear()
    field.plug(into=True)
    await hand.until(lambda: hand.online.get(DEVICE) is True, "online again", SOON)


def test_another_authority_is_not_believed(field, tmp_path):
    network = field.secure()
    other = Pki(tmp_path / "other")
    stranger = Secure(
        name=SERVER, authorities=(other.authority.certificate,), issued=datetime.now(UTC)
    )
    field.provision(lan.network(network.port, stranger))
    field.refuses("broker's certificate: of no authority that is known")


def test_a_certificate_that_has_ended_is_not_believed(field):
    field.provision(field.secure(issued=datetime.now(UTC) + timedelta(days=370)))
    field.refuses("broker's certificate: it has ended")


@pytest.mark.parametrize("certified", ["another-name", "a-device"])
def test_only_a_server_of_the_right_name_is_believed(field, certified):
    """A device of the broker's name holds a good certificate of the same authority."""
    key, now, authority = new_key(), datetime.now(UTC), field.pki.authority
    if certified == "a-device":
        certificate = authority.issue(SERVER, key.public_key(), now)
    else:
        certificate = authority.issue_server(["elsewhere"], key.public_key(), now)
    field.broker.stop()
    write(field.pki.folder / "broker.key", key_pem(key))
    write(field.pki.folder / "broker.crt", pem(certificate).encode())
    field.broker.start()
    field.provision(field.secure())
    field.refuses("broker's certificate: of another name, or of no server")


def test_without_a_certificate_of_its_own_the_broker_refuses(field):
    field.provision(field.secure(certified=False))
    field.refuses("the broker refused: it wants a certificate of this device")


def test_a_device_that_was_put_out_says_why(field):
    """Revoked, then over: both in the broker's words."""
    network = field.secure()
    field.pki.revoke(*network.secure.chain)
    field.broker.stop()
    field.broker.start()  # and reads the list at once, as it may not when it is told to
    field.provision(network)
    field.refuses("the broker refused: this device's certificate was revoked")
    field.kill()
    field.provision(field.secure(certified_days_ago=31))
    field.refuses("the broker refused: this device's certificate has ended")


def test_a_board_without_a_network_sector_says_so(field):
    field.provision(lan.network(field.broker.port))
    memory = field.folder / f"{DEVICE}.memory"
    data = bytearray(memory.read_bytes())
    at = data.index(b"PTNW")
    data[at + 20] ^= 1
    memory.write_bytes(data)
    field.start()
    field.says("no connection: no valid network sector")


def test_no_two_starts_have_the_same_randomness(field):
    """Each start leaves its mark beside the seed before it uses it."""
    field.provision(lan.network(field.broker.port))
    memory, marks = field.folder / f"{DEVICE}.memory", []
    for _ in range(2):
        field.start()
        field.says("connected")
        field.kill()
        data = memory.read_bytes()
        start = data.index(b"PTNW") + 4096
        marks.append(data[start : start + 4096])
    assert marks[0] != marks[1]
    assert marks[0][:32] == marks[1][:32]
