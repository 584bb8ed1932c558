"""Enrolment through real gateways and a broker by certificates, and by the commands."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import httpx
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from typer.testing import CliRunner, Result

from hack.testbed.broker import Broker
from hack.testbed.pki import Pki, csr, new_key
from hack.testbed.postgres import Postgres
from petiole.cli.main import app
from petiole.gateway.settings import Settings
from petiole.wire import topics

from .replicas import Several
from .test_security import refusal
from .world import World, eventually


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
