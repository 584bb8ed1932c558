"""One-time tokens and certificates: on both databases, and through a gateway and a broker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from typer.testing import CliRunner, Result

from hack.testbed.broker import Broker
from hack.testbed.pki import Pki, csr, new_key
from hack.testbed.postgres import Postgres
from petiole.cli.main import app
from petiole.gateway.enrol.enrolment import Enrolment, RefusedError
from petiole.gateway.enrol.files import RevocationFile
from petiole.gateway.enrol.ledger import Ledger
from petiole.gateway.enrol.limit import Limit
from petiole.gateway.settings import Settings
from petiole.gateway.store import Store
from petiole.identity.authority import Authority, new_authority
from petiole.identity.request import PrivateKey, RequestError
from petiole.wire import topics

from .replicas import Several
from .test_security import refusal
from .world import World, eventually

DAY = 86400.0
NOW = 1_800_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class Office:
    """An enrolment on a database of its own; ``again`` is another process on the same one."""

    def __init__(self, url: str, authority: Authority, clock: Clock) -> None:
        self.url, self.authority, self.clock = url, authority, clock
        self.ledger = Ledger(url)
        self.service = Enrolment(self.ledger, authority, CollectorRegistry(), clock=clock)

    def again(self) -> Office:
        return Office(self.url, self.authority, self.clock)


@pytest.fixture
async def office(database_url: str) -> AsyncIterator[Office]:
    store = Store(database_url)
    await store.open()
    await store.close()
    authority = new_authority("test", datetime.fromtimestamp(NOW, UTC))
    made = Office(database_url, authority, Clock())
    yield made
    await made.ledger.close()


# --- tokens ---------------------------------------------------------------------------------------


async def test_a_token_works_for_one_key_only(office: Office) -> None:
    token, _ = await office.service.token("dev-1")
    key = new_key()
    first = await office.service.enrol("dev-1", token, csr(key, "dev-1"))
    assert first.x509.public_key() == key.public_key()
    with pytest.raises(RefusedError):
        await office.service.enrol("dev-1", token, csr(new_key(), "dev-1"))


async def test_the_same_key_gets_the_same_answer_again(office: Office) -> None:
    """The answer may have been lost; that makes no second identity."""
    token, _ = await office.service.token("dev-1")
    request = csr(new_key(), "dev-1")
    first = await office.service.enrol("dev-1", token, request)
    assert await office.service.enrol("dev-1", token, request) == first
    restarted = office.again()
    assert await restarted.service.enrol("dev-1", token, request) == first
    with pytest.raises(RefusedError):
        await restarted.service.enrol("dev-1", token, csr(new_key(), "dev-1"))
    await restarted.ledger.close()


async def test_of_many_at_once_one_key_wins(office: Office) -> None:
    token, _ = await office.service.token("dev-1")
    others = [office, *(office.again() for _ in range(3))]
    requests = [csr(new_key(), "dev-1") for _ in range(24)]
    answers = await asyncio.gather(
        *(
            others[n % 4].service.enrol("dev-1", token, request)
            for n, request in enumerate(requests)
        ),
        return_exceptions=True,
    )
    given = [a for a in answers if not isinstance(a, BaseException)]
    assert len(given) == 1
    assert [type(a) for a in answers if isinstance(a, BaseException)] == [RefusedError] * 23
    for other in others[1:]:
        await other.ledger.close()


async def test_of_many_at_once_one_key_gets_one_certificate(office: Office) -> None:
    token, _ = await office.service.token("dev-1")
    request = csr(new_key(), "dev-1")
    answers = await asyncio.gather(
        *(office.service.enrol("dev-1", token, request) for _ in range(12))
    )
    assert len({a.serial for a in answers}) == 1


async def test_a_token_is_for_one_device_and_one_day(office: Office) -> None:
    token, expires = await office.service.token("dev-1")
    assert expires.timestamp() == NOW + DAY
    await office.service.token("dev-2")
    with pytest.raises(RefusedError):
        await office.service.enrol("dev-2", token, csr(new_key(), "dev-2"))
    with pytest.raises(RefusedError):
        await office.service.enrol("dev-1", "x" * 43, csr(new_key(), "dev-1"))
    with pytest.raises(RefusedError):
        await office.service.enrol("dev-3", token, csr(new_key(), "dev-3"))
    office.clock.now += DAY - 1
    request = csr(new_key(), "dev-1")
    await office.service.enrol("dev-1", token, request)
    office.clock.now += 2
    with pytest.raises(RefusedError):
        await office.service.enrol("dev-1", token, request)


async def test_a_bad_request_does_not_use_the_token_up(office: Office) -> None:
    token, _ = await office.service.token("dev-1")
    with pytest.raises(RequestError, match="CN=dev-1"):
        await office.service.enrol("dev-1", token, csr(new_key(), "dev-2"))
    with pytest.raises(RefusedError):  # without a good token nobody is told what is wrong
        await office.service.enrol("dev-1", "wrong", csr(new_key(), "dev-2"))
    assert await office.service.enrol("dev-1", token, csr(new_key(), "dev-1"))


async def test_a_new_token_voids_the_last_and_a_new_key_the_old_certificate(
    office: Office,
) -> None:
    old, _ = await office.service.token("dev-1")
    first = await office.service.enrol("dev-1", old, csr(new_key(), "dev-1"))
    new, _ = await office.service.token("dev-1")
    with pytest.raises(RefusedError):
        await office.service.enrol("dev-1", old, csr(new_key(), "dev-1"))
    second = await office.service.enrol("dev-1", new, csr(new_key(), "dev-1"))
    assert await office.service.newest("dev-1") == second
    listed = [r.serial_number for r in await office.service.revocations()]
    assert listed == [first.x509.serial_number]


async def test_the_database_does_not_know_the_token(office: Office) -> None:
    token, _ = await office.service.token("dev-1")
    engine = create_async_engine(office.url)
    async with engine.connect() as connection:
        rows = (await connection.execute(text("SELECT * FROM tokens"))).all()
    await engine.dispose()
    assert rows
    assert token not in str(rows)


# --- certificates ---------------------------------------------------------------------------------


async def enrolled(office: Office, key: PrivateKey, device: str = "dev-1") -> str:
    token, _ = await office.service.token(device)
    return (await office.service.enrol(device, token, csr(key, device))).serial


async def test_a_certificate_is_renewed_in_the_second_half_of_its_life(office: Office) -> None:
    key = new_key()
    first = await enrolled(office, key)
    request = csr(key, "dev-1")
    assert (await office.service.renew("dev-1", request)).serial == first
    office.clock.now += 16 * DAY
    second = await office.service.renew("dev-1", request)
    assert second.serial != first
    assert second.not_after == office.clock.now + 30 * DAY
    assert (await office.service.renew("dev-1", request)).serial == second.serial


async def test_only_a_certified_key_is_renewed(office: Office) -> None:
    key = new_key()
    await enrolled(office, key)
    with pytest.raises(RequestError, match="enrols with a token"):
        await office.service.renew("dev-1", csr(new_key(), "dev-1"))
    with pytest.raises(RequestError, match="enrols with a token"):
        await office.service.renew("dev-2", csr(key, "dev-2"))
    with pytest.raises(RequestError, match="CN=dev-2"):
        await office.service.renew("dev-2", csr(key, "dev-1"))
    office.clock.now += 31 * DAY
    with pytest.raises(RequestError, match="enrols with a token"):
        await office.service.renew("dev-1", csr(key, "dev-1"))


async def test_what_was_taken_back_is_listed_and_not_renewed(office: Office) -> None:
    key = new_key()
    token, _ = await office.service.token("dev-1")
    given = await office.service.enrol("dev-1", token, csr(key, "dev-1"))
    assert await office.service.revoke("dev-1") == 1
    assert await office.service.revoke("dev-1") == 0
    listed = [r.serial_number for r in await office.service.revocations()]
    assert listed == [given.x509.serial_number]
    assert await office.service.newest("dev-1") is None
    with pytest.raises(RequestError):
        await office.service.renew("dev-1", csr(key, "dev-1"))
    with pytest.raises(RefusedError):  # nor does the used token work again
        await office.service.enrol("dev-1", token, csr(key, "dev-1"))


async def test_the_soonest_end_counts_each_devices_newest(office: Office) -> None:
    assert await office.ledger.soonest_expiry() is None
    key = new_key()
    await enrolled(office, key)
    office.clock.now += 16 * DAY
    await enrolled(office, new_key(), "dev-2")
    assert await office.ledger.soonest_expiry() == NOW + 30 * DAY
    await office.service.renew("dev-1", csr(key, "dev-1"))
    assert await office.ledger.soonest_expiry() == office.clock.now + 30 * DAY


def test_the_revocation_file_keeps_the_last_list_of_a_former_authority(tmp_path: Path) -> None:
    now = datetime.fromtimestamp(NOW, UTC)
    former, own = new_authority("former", now), new_authority("own", now)
    file = RevocationFile(tmp_path / "crl.pem")
    for authority, serials in ((former, [7]), (own, []), (own, [8, 9])):
        file.write(authority.revocations([(s, now) for s in serials], now))
    whole = (tmp_path / "crl.pem").read_bytes()
    parts = [p + b"-----END X509 CRL-----\n" for p in whole.split(b"-----END X509 CRL-----\n")[:-1]]
    lists = [x509.load_pem_x509_crl(p) for p in parts]
    assert [[r.serial_number for r in held] for held in lists] == [[8, 9], [7]]


def test_a_limit_fills_again() -> None:
    limit = Limit(rate=1.0, burst=3.0)
    assert [limit.allows("a", 0.0) for _ in range(4)] == [True, True, True, False]
    assert limit.allows("b", 0.0)
    assert limit.allows("a", 1.5)
    assert not limit.allows("a", 1.6)


# --- through gateway and broker -------------------------------------------------------------------


class SecureWorld(World):
    """Gateway and devices by certificate; the devices' ones are made beforehand."""

    def __init__(self, folder: Path, devices: int, *, own_process: bool = False) -> None:
        super().__init__(folder, devices, own_process=own_process)
        self.pki = Pki(folder / "pki")
        self.broker = Broker(folder / "broker", {}, self.processes, self.pki.folder)
        for device in self.devices:
            device.port, device.tls = self.broker.tls_port, self.pki.device(device.id)

        self.mqtt_port = self.broker.gateway_tls_port
        self.files = {
            "mqtt_tls_ca": self.pki.folder / "ca.crt",
            "mqtt_tls_cert": self.pki.folder / "gateway.crt",
            "mqtt_tls_key": self.pki.folder / "gateway.key",
            "ca_cert": self.pki.folder / "ca.crt",
            "ca_key": self.pki.folder / "ca.key",
            "crl_file": self.pki.folder / "crl.pem",
        }
        self.environment = {f"PETIOLE_{k.upper()}": str(v) for k, v in self.files.items()}

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), **self.files}

    async def token(self, device: str) -> str:
        answer = await self.http.post(f"/v1/devices/{device}/token")
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])


async def test_a_rollout_by_certificates(tmp_path: Path) -> None:
    async with SecureWorld(tmp_path, 5) as world:
        await world.put(world.rolling(world.revision(1), 5))
        await world.until(lambda s: s.counts.updated == 5, 40)


async def test_a_device_enrols_renews_and_is_taken_back(tmp_path: Path) -> None:
    async with SecureWorld(tmp_path, 1) as world:
        await world.devices[0].stop()
        name, key, pki = world.devices[0].id, new_key(), world.pki
        token = await world.token(name)
        answer = await enrol(world, name, token, csr(key, name))
        assert answer.status_code == 200, answer.text
        first = x509.load_pem_x509_certificate(answer.json()["certificate"].encode())
        assert answer.json()["ca"].encode() == (pki.folder / "ca.crt").read_bytes()
        context = pki.client("enrolled", key, first)
        record = (await world.http.get(f"/v1/devices/{name}")).json()["certificate"]
        assert record["serial"] == f"{first.serial_number:x}"
        assert datetime.fromisoformat(record["notAfter"]) == first.not_valid_after_utc

        await grow_old(world, first)
        async with aiomqtt.Client("127.0.0.1", world.broker.tls_port, tls_context=context) as own:
            await own.subscribe(topics.cert(name), qos=1)
            await own.publish(topics.csr(name), csr(key, name), qos=1)
            second = first_certificate(await anext_payload(own))
        assert second.serial_number != first.serial_number
        assert second.public_key() == key.public_key()
        renewed = pki.client("renewed", key, second)
        assert refusal(world.broker.tls_port, renewed) == ""

        answer = await world.http.delete(f"/v1/devices/{name}/certificate")
        assert answer.json() == {"revoked": 2}
        await eventually(lambda: listed(pki, second), "the gateway writes its list")
        world.broker.reload()
        await eventually(lambda: refusal(world.broker.tls_port, renewed) != "", "it is refused")
        assert refusal(world.broker.tls_port, pki.device("dev-other")) == ""


async def grow_old(world: SecureWorld, certificate: x509.Certificate) -> None:
    """Let a certificate be the one that a key got 20 days ago."""
    made = datetime.now(UTC) - timedelta(days=20)
    key = certificate.public_key()
    old = world.pki.authority.issue("dev-000", key, made)  # type: ignore[arg-type]
    engine = create_async_engine(Settings.sqlite(world.folder / "gateway.db"))
    async with engine.begin() as connection:
        await connection.execute(
            text("UPDATE certificates SET der = :der, not_after = :end"),
            {"der": old.public_bytes(Encoding.DER), "end": old.not_valid_after_utc.timestamp()},
        )
    await engine.dispose()


async def anext_payload(client: aiomqtt.Client) -> bytes:
    async with asyncio.timeout(20):
        message = await anext(aiter(client.messages))
    assert isinstance(message.payload, bytes)
    return message.payload


def first_certificate(data: bytes) -> x509.Certificate:
    """The first of several in DER: its length is in its header."""
    length = 4 + int.from_bytes(data[2:4], "big")
    return x509.load_der_x509_certificate(data[:length])


def listed(pki: Pki, certificate: x509.Certificate) -> bool:
    held = x509.load_pem_x509_crl((pki.folder / "crl.pem").read_bytes())
    return held.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None


async def test_enrolment_tells_strangers_nothing(tmp_path: Path) -> None:
    async with SecureWorld(tmp_path, 2, own_process=True) as world:
        one, two = (d.id for d in world.devices)
        token = await world.token(one)
        used = csr(new_key(), one)
        assert (await enrol(world, one, token, used)).status_code == 200
        answers = [
            await enrol(world, one, token, csr(new_key(), one)),  # twice
            await enrol(world, two, token, csr(new_key(), two)),  # another's
            await enrol(world, two, "wrong", csr(new_key(), two)),
            await enrol(world, "nobody", token, csr(new_key(), "nobody")),
        ]
        assert {a.status_code for a in answers} == {403}
        assert len({a.text for a in answers}) == 1
        assert (await world.http.post("/v1/devices/nobody/token")).status_code == 404
        world.kill_gateway()
        await world.start_gateway()
        assert (await enrol(world, one, token, csr(new_key(), one))).status_code == 403
        assert (await enrol(world, one, token, used)).status_code == 200
        bare = {"authorization": ""}
        for method, path in (("POST", f"/v1/devices/{one}/token"), ("GET", "/v1/revocations")):
            assert (await world.http.request(method, path, headers=bare)).status_code == 401
        too_long = await world.http.post("/enrol", content=b"x" * 20_000)
        assert too_long.status_code == 413
        bad = await enrol(world, two, await world.token(two), csr(new_key(), one))
        assert bad.status_code == 422
        assert f"CN={two}" in bad.text


async def test_a_token_stays_used_when_another_replica_leads(
    tmp_path: Path, postgres: Postgres
) -> None:
    pki = Pki(tmp_path / "pki")
    world = Several(tmp_path, 1, await postgres.database("enrolment"))
    files = {"CA_CERT": "ca.crt", "CA_KEY": "ca.key"}
    world.environment = {f"PETIOLE_{k}": str(pki.folder / v) for k, v in files.items()}
    async with world:
        name, used = world.devices[0].id, csr(new_key(), world.devices[0].id)
        leader = world.leader()
        assert leader is not None
        await world.ask(1 - leader)  # which hands it on
        token = str((await world.http.post(f"/v1/devices/{name}/token")).json()["token"])
        assert (await enrol(world, name, token, used)).status_code == 200
        world.replicas[leader].kill()
        await eventually(lambda: leads(world, leader), "another leads", 20)
        assert (await enrol(world, name, token, csr(new_key(), name))).status_code == 403
        assert (await enrol(world, name, token, used)).status_code == 200


async def leads(world: Several, dead: int) -> bool:
    """Whether another than ``dead`` leads."""
    return await asyncio.to_thread(world.leader) == 1 - dead


async def enrol(world: World, device: str, token: str, request: bytes) -> httpx.Response:
    """As a device does it: without the bearer token."""
    pem = x509.load_der_x509_csr(request).public_bytes(Encoding.PEM).decode()
    async with httpx.AsyncClient(base_url=world.http.base_url, timeout=20) as http:
        return await http.post("/enrol", json={"id": device, "token": token, "csr": pem})


async def test_too_many_enrolments_from_one_address_wait(tmp_path: Path) -> None:
    async with SecureWorld(tmp_path, 1) as world:
        seen: set[int] = set()
        deadline = time.monotonic() + 60
        while 429 not in seen and time.monotonic() < deadline:
            body = {"id": "dev-000", "token": "wrong", "csr": ""}
            posts = [world.http.post("/enrol", json=body) for _ in range(50)]
            seen |= {a.status_code for a in await asyncio.gather(*posts)}
        assert seen == {403, 429}


async def petiole(*arguments: object, **environment: str) -> Result:
    """Run the command as people do."""
    words = [str(a) for a in arguments]
    return await asyncio.to_thread(CliRunner().invoke, app, words, env=environment)


async def test_the_commands_let_a_device_in_and_out(tmp_path: Path) -> None:
    async with SecureWorld(tmp_path, 1, own_process=True) as world:
        name, folder = world.devices[0].id, tmp_path / "device"
        where = {
            "PETIOLE_GATEWAY_URL": str(world.http.base_url),
            "PETIOLE_GATEWAY_TOKEN": "secret",
        }
        token = (await petiole("devices", "token", name, **where)).stdout.strip()
        for _ in range(2):  # the first answer may have been lost
            done = await petiole("enrol", name, folder, "--token", token, **where)
            assert done.exit_code == 0, done.output
        context = world.pki.anybody()
        context.load_cert_chain(folder / "device.crt", folder / "device.key")
        assert refusal(world.broker.tls_port, context) == ""
        twin = await petiole("enrol", name, tmp_path / "twin", "--token", token, **where)
        assert twin.exit_code == 1
        assert "petiole devices token ID" in twin.stderr
        done = await petiole("devices", "revoke", name, **where)
        assert "1 certificates" in done.stdout


def test_an_authority_is_made_once_and_its_services_often(tmp_path: Path) -> None:
    runner, pki = CliRunner(), str(tmp_path / "pki")
    early = runner.invoke(app, ["key", "services", pki, "--host", "broker"])
    assert early.exit_code == 1
    assert "ca.crt" in early.stderr
    assert runner.invoke(app, ["key", "ca", pki]).exit_code == 0
    assert "File exists" in runner.invoke(app, ["key", "ca", pki]).stderr
    hosts = ["--host", "broker.example", "--host", "10.0.0.7"]
    first = runner.invoke(app, ["key", "services", pki, *hosts])
    assert first.exit_code == 0, first.output
    made = x509.load_pem_x509_certificate((tmp_path / "pki" / "broker.crt").read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["broker.example"]
    assert [str(a) for a in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.7"]
    assert runner.invoke(app, ["key", "services", pki, *hosts]).exit_code == 0
    again = x509.load_pem_x509_certificate((tmp_path / "pki" / "broker.crt").read_bytes())
    assert again.serial_number != made.serial_number


def test_a_gateway_says_which_of_its_files_is_missing(tmp_path: Path) -> None:
    missing = str(tmp_path / "nowhere.pem")
    common = ["gateway", "--store", tmp_path.as_uri(), "--gateway-token", "x", "--listen-port", "0"]
    for options in (
        ["--ca-cert", missing, "--ca-key", missing],
        ["--mqtt-tls-ca", missing],
    ):
        done = CliRunner().invoke(app, [*common, "--database-url", db(tmp_path), *options])
        assert done.exit_code == 2, done.output
        assert missing in done.stderr
    half = CliRunner().invoke(app, [*common, "--ca-cert", missing])
    assert half.exit_code == 2
    assert "--ca-cert and --ca-key go together" in half.stderr


def db(folder: Path) -> str:
    return Settings.sqlite(folder / "gateway.db")
