"""A board renews its certificate over MQTT, and is not talked into a worse one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiomqtt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from hack.testbed.hand import Hand
from hack.testbed.pki import Pki, new_key
from hack.testbed.processes import Processes
from hack.testbed.waits import wait_until
from petiole.artifact.network import Network
from petiole.cli.authority import write
from petiole.identity.authority import Authority, der, new_authority
from petiole.identity.request import Request, read
from petiole.wire import topics

from .onlan import DEVICE, SLOW, OnLan

SECTORS_AT = 16 * 1024 * 1024 - 5 * 4096  # the two of renewals: firmware/port/lan/network.h


@pytest.fixture(scope="module", autouse=True)
def built(made) -> None:
    made("lan")


@pytest.fixture
def field(tmp_path: Path, key: Ed25519PrivateKey) -> Iterator[OnLan]:
    with Processes(tmp_path) as processes:
        made = OnLan(tmp_path, processes, key)
        made.broker.start()
        yield made


def eager(field: OnLan) -> Network:
    """A board in the second half of its certificate's life that asks every second."""
    network = field.secure(certified_days_ago=20)
    assert network.secure is not None
    return replace(network, secure=replace(network.secure, renew_seconds=1))


@asynccontextmanager
async def gateway(field: OnLan) -> AsyncIterator[aiomqtt.Client]:
    broker = field.broker
    async with aiomqtt.Client(
        broker.host,
        broker.port,
        username=broker.gateway_user,
        password=broker.gateway_password,
    ) as client:
        await client.subscribe(topics.ALL_CSRS, qos=1)
        yield client


async def asked(client: aiomqtt.Client) -> Request:
    """The board's next request, checked as the gateway does."""
    async with asyncio.timeout(SLOW):
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            return read(message.payload, DEVICE)
    raise AssertionError("the connection ended")


async def answer(client: aiomqtt.Client, *certificates: x509.Certificate) -> None:
    await client.publish(topics.cert(DEVICE), der(*certificates), qos=1, retain=True)


def held(field: OnLan) -> list[bytes]:
    """What the sectors of renewals begin with."""
    memory = (field.folder / f"{DEVICE}.memory").read_bytes()
    return [memory[at : at + 4] for at in (SECTORS_AT, SECTORS_AT + 4096)]


def renewed(field: OnLan, times: int) -> None:
    """Wait until the board has said so many times that it was certified anew."""
    what = f"renewed {times} times"
    wait_until(lambda: field.log.count("certificate renewed") >= times, SLOW, what)
    assert field.log.count("certificate renewed") == times


async def online(field: OnLan) -> None:
    async with Hand(field.broker) as hand:
        await hand.until(lambda: hand.online.get(DEVICE) is True, "online", SLOW)


async def test_a_board_goes_on_with_what_it_was_given(field):
    """Shown by taking back all that it held before, twice, so that both sectors are used."""
    network = eager(field)
    field.provision(network)
    field.start()
    given: list[x509.Certificate] = list(network.secure.chain)
    for turn in (1, 2):
        async with gateway(field) as client:
            request = await asked(client)
            now = datetime.now(UTC) + timedelta(seconds=turn)
            given.append(field.pki.authority.issue(DEVICE, request.key, now))
            await answer(client, given[-1], field.pki.authority.certificate)
            renewed(field, turn)
        assert held(field).count(b"PTNW") == turn
        field.pki.revoke(*given[:-1])
        field.broker.stop()
        field.broker.start()
        await online(field)
    field.kill()
    field.start()
    field.says("connected")


async def test_an_authority_that_comes_with_the_certificate_is_believed(field, tmp_path):
    """The whole way of docs/security.md, "A new authority": the old one ends up nowhere."""
    old, new = field.pki, Pki(tmp_path / "new")
    field.provision(eager(field))
    field.start()
    async with gateway(field) as client:
        request = await asked(client)
        certificate = old.authority.issue(DEVICE, request.key, datetime.now(UTC))
        await answer(client, certificate, old.authority.certificate, new.authority.certificate)
        renewed(field, 1)
    field.broker.stop()
    for name in ("broker.crt", "broker.key"):
        write(old.folder / name, (new.folder / name).read_bytes())
    field.broker.start()
    await online(field)


async def test_no_broker_makes_a_board_forget_a_good_certificate(field, tmp_path):
    own = field.pki.authority
    field.provision(eager(field))
    field.start()
    stranger = new_authority("a stranger", datetime.now(UTC))
    async with gateway(field) as client:
        request = await asked(client)
        now, late = datetime.now(UTC), datetime.now(UTC) - timedelta(days=25)
        wrong = [
            [stranger.issue(DEVICE, request.key, now), stranger.certificate],
            [own.issue(DEVICE, new_key().public_key(), now), own.certificate],
            [own.issue(DEVICE, request.key, late), own.certificate],
            [own.issue(DEVICE, request.key, now)],
        ]
        for certificates in wrong:
            await answer(client, *certificates)
        for junk in (b"", b"\x30", b"\x30\x82\xff\xff", bytes(1000), damaged(own, request)):
            await client.publish(topics.cert(DEVICE), junk, qos=1)
        good = own.issue(DEVICE, request.key, datetime.now(UTC))
        await answer(client, good, own.certificate)
        renewed(field, 1)
    assert held(field).count(b"PTNW") == 1


def damaged(authority: Authority, request: Request) -> bytes:
    """A good answer but for one bit of the signature."""
    good = authority.issue(DEVICE, request.key, datetime.now(UTC)).public_bytes(Encoding.DER)
    return good[:-1] + bytes([good[-1] ^ 1]) + authority.certificate.public_bytes(Encoding.DER)
