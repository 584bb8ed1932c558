"""What a certificate lets a device do at a real Mosquitto, and what it does not.

Mosquitto may hang up on a forbidden publish or drop it without a word, and grants a subscription
that it never serves: what must not arrive is looked for until something later, and allowed, has
arrived.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from cryptography import x509

from hack.testbed.broker import Broker
from hack.testbed.pki import Pki, new_key
from hack.testbed.waits import wait_until
from petiole.gateway.enrol.files import RevocationFile
from petiole.identity.authority import GATEWAY, new_authority
from petiole.wire import topics

CONNECT = bytes.fromhex("100f 0004 4d515454 0402 003c 0003 616263")  # MQTT 3.1.1, client id "abc"
A, B = f"{topics.PREFIX}/d/dev-a", f"{topics.PREFIX}/d/dev-b"


class Secure:
    """A broker with certificates, and clients at it."""

    def __init__(self, folder: Path) -> None:
        self.pki = Pki(folder / "pki")
        self.broker = Broker(folder / "broker", {}, pki=self.pki.folder)

    def device(self, name: str, **more: Any) -> aiomqtt.Client:
        return client(self.broker.tls_port, self.pki.device(name), **more)

    def gateway(self) -> aiomqtt.Client:
        return client(self.broker.gateway_tls_port, self.pki.gateway())


def client(port: int, context: ssl.SSLContext, **more: Any) -> aiomqtt.Client:
    return aiomqtt.Client("127.0.0.1", port, tls_context=context, timeout=10, **more)


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    made = Secure(tmp_path_factory.mktemp("secure"))
    with made.broker:
        yield made


async def heard_until(client: aiomqtt.Client, last: str, payload: bytes) -> list[str]:
    """Topics of what came before ``payload`` on ``last``."""
    before: list[str] = []
    async with asyncio.timeout(15):
        async for message in client.messages:
            if str(message.topic) == last and message.payload == payload:
                return before
            before.append(str(message.topic))
    raise AssertionError("the connection ended")


def refusal(port: int, context: ssl.SSLContext, session: ssl.SSLSession | None = None) -> str:
    """Why the broker refuses a client, in OpenSSL's words; empty when it lets the client in."""
    for _ in range(20):  # a broker that hangs up at once may cut its own words off
        try:
            return _connect(port, context, session)[0]
        except (ssl.SSLEOFError, ConnectionResetError, BrokenPipeError):
            continue
        except ssl.SSLError as error:
            return str(error.reason)
    return "it hangs up without a word"


def _connect(
    port: int, context: ssl.SSLContext, session: ssl.SSLSession | None = None
) -> tuple[str, ssl.SSLSession | None]:
    with (
        socket.create_connection(("127.0.0.1", port), 10) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1", session=session) as tls,
    ):
        tls.sendall(CONNECT)
        answer = tls.recv(4)
        return ("" if answer == bytes.fromhex("20020000") else repr(answer)), tls.session


# --- one device and another -----------------------------------------------------------------------


async def test_a_device_writes_below_its_own_id_only(secure: Secure) -> None:
    forbidden = [
        *(f"{B}/{kind}" for kind in ("state", "stats", "sample/00", "online", "csr")),
        *(topic("dev-b") for topic in (topics.grant, topics.ack, topics.cert)),
        *(topic("dev-a") for topic in (topics.grant, topics.ack, topics.cert)),
        topics.halt("default.meters"),
        topics.block("00" * 32, 0),
    ]
    allowed = [f"{A}/{kind}" for kind in ("stats", "sample/00", "online", "csr")]
    async with secure.gateway() as gateway:
        await gateway.subscribe(f"{topics.PREFIX}/#", qos=1)
        for topic in forbidden:
            await dare(secure, topic)
        async with secure.device("dev-a") as device:
            for topic in allowed:
                await device.publish(topic, b"from dev-a", qos=1)
            await device.publish(f"{A}/state", b"control", qos=1)
        assert await heard_until(gateway, f"{A}/state", b"control") == allowed


async def dare(secure: Secure, topic: str) -> None:
    """Publish as dev-a, and return when the broker took it or hung up."""
    with contextlib.suppress(aiomqtt.MqttError):
        async with secure.device("dev-a") as device:
            publishing = asyncio.create_task(device.publish(topic, b"from dev-a", qos=1))
            done, _ = await asyncio.wait(
                {publishing, device._disconnected}, timeout=10, return_when="FIRST_COMPLETED"
            )
            assert done, "neither acknowledged nor disconnected"
            publishing.cancel()


async def test_a_device_leaves_no_will_as_another(secure: Secure) -> None:
    will = aiomqtt.Will(f"{B}/online", b"a lie", qos=1, retain=True)
    async with secure.gateway() as gateway:
        await gateway.subscribe(topics.ALL_ONLINE, qos=1)
        with contextlib.suppress(aiomqtt.MqttError):
            async with secure.device("dev-a", will=will) as device:
                cut(device)
        async with secure.device("dev-a") as device:
            await device.publish(f"{A}/online", b"control", qos=1)
            assert await heard_until(gateway, f"{A}/online", b"control") == []


def cut(client: aiomqtt.Client) -> None:
    """End a connection without a word, so that the broker publishes the will."""
    held = client._client.socket()
    assert held is not None
    held.shutdown(socket.SHUT_RDWR)


async def test_a_will_of_ones_own_is_published(secure: Secure) -> None:
    """The control of the test above: a cut connection does publish what is allowed."""
    will = aiomqtt.Will(f"{A}/online", b"gone", qos=1)
    async with secure.gateway() as gateway:
        await gateway.subscribe(topics.ALL_ONLINE, qos=1)
        with contextlib.suppress(aiomqtt.MqttError):
            async with secure.device("dev-a", will=will) as device:
                cut(device)
                await heard_until(gateway, f"{A}/online", b"gone")


async def test_a_device_hears_what_is_meant_for_it_only(secure: Secure) -> None:
    wanted = ["#", "+/+/+/+/+", "$SYS/#", f"{B}/#", topics.grant("dev-b"), topics.cert("dev-b")]
    shared = [f"$share/x/{topic}" for topic in ("#", topics.ALL_STATE, topics.grant("dev-b"))]
    async with secure.gateway() as gateway, secure.device("dev-b") as other:
        await gateway.publish(topics.grant("dev-b"), b"secret", qos=1, retain=True)
        async with secure.device("dev-a") as device:
            for topic in [*wanted, *shared]:
                with contextlib.suppress(aiomqtt.MqttError):  # a broker may say no
                    await device.subscribe(topic, qos=1)
            await device.subscribe(topics.grant("dev-a"), qos=1)
            await other.publish(f"{B}/state", b"private", qos=1, retain=True)
            for topic in (topics.grant, topics.ack, topics.cert):
                await gateway.publish(topic("dev-b"), b"secret", qos=1, retain=True)
            await gateway.publish(topics.halt("default.meters"), b"halt", qos=1)
            await gateway.publish(topics.grant("dev-a"), b"control", qos=1)
            heard = await heard_until(device, topics.grant("dev-a"), b"control")
            assert set(heard) == {topics.halt("default.meters")}


async def test_a_device_takes_nothing_out_of_the_gateways_share(secure: Secure) -> None:
    """It may join groups that it can name; the gateways' is named by a secret."""
    reports = [b"report %d" % n for n in range(40)]
    topic = topics.shared("the gateways' token", topics.ALL_STATE)
    async with (
        secure.gateway() as first,
        secure.gateway() as second,
        secure.device("dev-a") as thief,
        secure.device("dev-b") as honest,
    ):
        for guess in ("x", "gateway", "petiole", topics.share_group("")):
            await thief.subscribe(f"$share/{guess}/{topics.ALL_STATE}", qos=1)
        for gateway in (first, second):
            await gateway.subscribe(topic, qos=1)
        for report in reports:
            await honest.publish(f"{B}/state", report, qos=1)
        got = await gathered([first, second], len(reports))
        assert sorted(got) == sorted(reports)


async def gathered(clients: list[aiomqtt.Client], count: int) -> list[bytes]:
    """The first ``count`` reports that any of the clients gets; others may be retained there."""
    got: asyncio.Queue[bytes] = asyncio.Queue()

    async def read(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            if isinstance(message.payload, bytes) and message.payload.startswith(b"report"):
                got.put_nowait(message.payload)

    readers = [asyncio.create_task(read(c)) for c in clients]
    try:
        async with asyncio.timeout(15):
            return [await got.get() for _ in range(count)]
    finally:
        for reader in readers:
            reader.cancel()
        await asyncio.wait(readers, timeout=5)


async def test_a_device_does_not_take_over_anothers_connection(secure: Secure) -> None:
    async with secure.gateway() as gateway, secure.device("dev-b") as victim:
        await victim.subscribe(topics.grant("dev-b"), qos=1)
        async with secure.device("dev-a", identifier="dev-b"):
            await gateway.publish(topics.grant("dev-b"), b"control", qos=1)
            await heard_until(victim, topics.grant("dev-b"), b"control")


async def test_a_devices_certificate_has_no_rights_among_the_gateways(secure: Secure) -> None:
    async with (
        secure.gateway() as gateway,
        client(secure.broker.gateway_tls_port, secure.pki.device("dev-a")) as device,
    ):
        await gateway.subscribe(topics.grant("dev-c"), qos=1)
        with contextlib.suppress(aiomqtt.MqttError):
            await device.publish(topics.grant("dev-c"), b"forged", qos=1, timeout=2)
        await gateway.publish(topics.grant("dev-c"), b"control", qos=1)
        assert await heard_until(gateway, topics.grant("dev-c"), b"control") == []


def test_no_device_id_is_the_gateways_name() -> None:
    assert not topics.DEVICE_ID.fullmatch(GATEWAY)


# --- who is let in --------------------------------------------------------------------------------


def test_a_good_certificate_is_let_in(secure: Secure) -> None:
    assert refusal(secure.broker.tls_port, secure.pki.device("dev-a")) == ""


def test_without_a_certificate_nobody_is_let_in(secure: Secure) -> None:
    for port in (secure.broker.tls_port, secure.broker.gateway_tls_port):
        assert "CERTIFICATE_REQUIRED" in refusal(port, secure.pki.anybody())


def test_another_authoritys_certificate_is_refused(secure: Secure) -> None:
    """Even one of the same name."""
    key, now = new_key(), datetime.now(UTC)
    ours = secure.pki.authority.certificate.subject.get_attributes_for_oid(
        x509.NameOID.COMMON_NAME
    )[0]
    foreign = new_authority(str(ours.value), now)
    context = secure.pki.client("foreign", key, foreign.issue("dev-a", key.public_key(), now))
    assert refusal(secure.broker.tls_port, context)


def test_an_expired_certificate_is_refused(secure: Secure) -> None:
    assert "EXPIRED" in refusal(secure.broker.tls_port, secure.pki.device("dev-a", days_ago=31))


def test_a_device_does_not_certify_another(secure: Secure) -> None:
    """A chain below a device's certificate counts nothing."""
    key, forged_key, now = new_key(), new_key(), datetime.now(UTC)
    own = secure.pki.authority.issue("dev-a", key.public_key(), now)
    below = replace(secure.pki.authority, key=key, trusted=(own,))
    forged = below.issue("dev-b", forged_key.public_key(), now)
    context = secure.pki.client("forged", forged_key, forged, own)
    assert refusal(secure.broker.tls_port, context)


def test_a_revoked_certificate_is_refused_once_the_broker_reloads(tmp_path: Path) -> None:
    secure = Secure(tmp_path)
    key, now = new_key(), datetime.now(UTC)
    certificate = secure.pki.authority.issue("dev-a", key.public_key(), now)
    context = secure.pki.client("dev-a", key, certificate)
    with secure.broker as broker:
        reason, session = _connect(broker.tls_port, context)
        assert reason == ""
        secure.pki.revoke(certificate)
        broker.reload()
        wait_until(lambda: bool(refusal(broker.tls_port, context)), 10, "the list is read")
        assert "REVOKED" in refusal(broker.tls_port, context)
        assert refusal(broker.tls_port, context, session), "an old session is no way in"
        assert refusal(broker.tls_port, secure.pki.device("dev-b")) == ""


def test_one_authority_follows_another(tmp_path: Path) -> None:
    """The broker believes both, with a list of each; the new one's list leaves the old one's."""
    old, new = Pki(tmp_path / "old"), Pki(tmp_path / "new")
    for name in ("ca.crt", "crl.pem"):
        both = (old.folder / name).read_bytes() + (new.folder / name).read_bytes()
        (old.folder / name).write_bytes(both)
    key, now = new_key(), datetime.now(UTC)
    taken = new.authority.issue("dev-c", key.public_key(), now)
    revoked = old.client("taken", key, taken)
    moved = new.authority.issue("dev-b", key.public_key(), now)
    with Broker(tmp_path / "broker", {}, pki=old.folder) as broker:
        assert refusal(broker.tls_port, old.device("dev-a")) == ""
        assert refusal(broker.tls_port, old.client("moved", key, moved)) == ""
        assert refusal(broker.tls_port, revoked) == ""
        made = new.authority.revocations([(taken.serial_number, now)], now)
        RevocationFile(old.folder / "crl.pem").write(made)
        broker.reload()
        wait_until(lambda: "REVOKED" in refusal(broker.tls_port, revoked), 10, "the list is read")
        assert refusal(broker.tls_port, old.device("dev-a")) == ""
        assert refusal(broker.tls_port, old.client("moved", key, moved)) == ""


def test_a_device_cannot_pose_as_the_broker(secure: Secure) -> None:
    """Its certificate is for clients; whoever connects believes servers' only."""
    key = new_key()
    certificate = secure.pki.authority.issue("127.0.0.1", key.public_key(), datetime.now(UTC))
    secure.pki.client("posing", key, certificate)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(secure.pki.folder / "posing.crt", secure.pki.folder / "posing.key")
    ours, theirs = ssl.MemoryBIO(), ssl.MemoryBIO()
    posing = server.wrap_bio(ours, theirs, server_side=True)
    believer = secure.pki.gateway()
    believer.check_hostname = False  # the purpose alone must stop it
    believing = believer.wrap_bio(theirs, ours)
    with pytest.raises(ssl.SSLCertVerificationError, match="unsuitable certificate purpose"):
        shake(believing, posing)


def shake(*ends: ssl.SSLObject) -> None:
    for _ in range(4):
        for end in ends:
            with contextlib.suppress(ssl.SSLWantReadError):
                end.do_handshake()
