"""Devices without TLS at a broker that asks for certificates, through a machine that has theirs."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from pathlib import Path

import aiomqtt
import pytest

from hack.testbed.broker import Broker
from hack.testbed.pki import SERVER, Pki
from hack.testbed.processes import Processes
from hack.testbed.uplink import client_id, start_uplink
from petiole.wire import topics

CONNECT = bytes.fromhex("1012 00044d515454 04 02 003c 0006") + b"dev-17"


def keep(pki: Pki, device: str, into: Path) -> None:
    """Leave what `petiole enrol` leaves."""
    pki.device(device)
    (into / device).mkdir(parents=True)
    for ending in ("crt", "key"):
        shutil.copy(pki.folder / f"{device}.{ending}", into / device / f"device.{ending}")
    shutil.copy(pki.folder / "ca.crt", into / device / "ca.crt")


async def test_each_device_is_let_in_as_itself(tmp_path: Path) -> None:
    pki = Pki(tmp_path / "pki")
    for device in ("dev-a", "dev-b"):
        keep(pki, device, tmp_path / "certificates")
    with Processes(tmp_path) as processes:
        broker = Broker(tmp_path / "broker", {}, processes, pki.folder)
        broker.start()
        far = ("127.0.0.1", broker.tls_port)
        uplink, port = start_uplink(processes, far, SERVER, tmp_path / "certificates")
        gateway = aiomqtt.Client("127.0.0.1", broker.gateway_tls_port, tls_context=pki.gateway())
        async with gateway, asyncio.timeout(60):
            await gateway.subscribe(topics.ALL_STATE, qos=1)
            for device in ("dev-a", "dev-b"):
                for other in ("dev-a", "dev-b"):  # what is not its own leads nowhere
                    with contextlib.suppress(aiomqtt.MqttError):
                        async with aiomqtt.Client("127.0.0.1", port, identifier=device) as client:
                            topic = f"{topics.PREFIX}/d/{other}/state"
                            await client.publish(topic, device.encode(), qos=0)
            heard = [await anext(aiter(gateway.messages)) for _ in range(2)]
            assert {(str(m.topic), m.payload) for m in heard} == {
                (f"{topics.PREFIX}/d/{device}/state", device.encode())
                for device in ("dev-a", "dev-b")
            }
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(CONNECT.replace(b"dev-17", b"dev-no"))
            assert await reader.read() == b"", "nobody has a certificate of that name"
            writer.close()
            uplink.check()


def test_only_a_connect_says_who_it_is() -> None:
    assert client_id(CONNECT) == "dev-17"
    for wrong in (b"\x20" + CONNECT[1:], CONNECT[:-1], b"\x10\xff\xff\xff\xff\xff", b"\x10\x00"):
        with pytest.raises(ValueError, match=r"CONNECT|length"):
            client_id(wrong)
