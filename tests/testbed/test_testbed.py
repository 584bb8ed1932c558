"""A whole Petiole in one folder: it comes up, survives kill -9 of its parts, and goes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hack.testbed.boards import provision_board
from hack.testbed.devices import Device, passwords, provision_posix
from hack.testbed.testbed import Testbed
from hack.testbed.waits import wait_until
from petiole.artifact.flash import MPS2_MEMORY_SIZE, SLOTS_OFFSET

DEVICES = [Device(f"device-{n}", "cortex-m4", {"site": "north"}) for n in range(3)]


@pytest.fixture(scope="module")
def testbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Testbed]:
    with Testbed(tmp_path_factory.mktemp("testbed"), passwords(DEVICES)) as running:
        yield running
    assert running.processes.left() == []


def test_all_parts_are_ready(testbed: Testbed) -> None:
    crds = testbed.cluster.kubectl("get", "crds", "-o", "name")
    assert "devicefleets.petiole.dev" in crds
    assert testbed.http().get("/readyz").json()["status"] == "ok"
    assert len(testbed.public_key) == 32


def test_registered_devices_outlive_a_killed_gateway(testbed: Testbed) -> None:
    testbed.register(DEVICES)
    assert testbed.gateway is not None
    testbed.gateway.kill()
    with pytest.raises(httpx.TransportError):
        testbed.http().get("/readyz")
    testbed.start_gateway()
    known = testbed.http().get(f"/v1/devices/{DEVICES[1].id}").json()
    assert known["labels"] == {"site": "north"}


def test_the_gateway_wants_its_token(testbed: Testbed) -> None:
    assert httpx.get(f"{testbed.gateway_url}/v1/devices").status_code == 401


def test_the_operator_works_again_after_it_was_killed(testbed: Testbed) -> None:
    assert testbed.operator is not None
    testbed.operator.kill()
    assert not testbed.operator.alive
    fleet = {
        "apiVersion": "petiole.dev/v1alpha1",
        "kind": "DeviceFleet",
        "metadata": {"name": "orphan", "namespace": "default"},
        "spec": {
            "selector": {"matchLabels": {"site": "north"}},
            "model": {"name": "missing"},
            "rollout": {"stages": [{"name": "all", "size": "100%"}]},
        },
    }
    testbed.cluster.apply(fleet)
    testbed.start_operator()
    wait_until(
        lambda: testbed.cluster.get("devicefleet", "orphan").get("status", {}).get("conditions"),
        30,
        "conditions in the status of DeviceFleet/orphan",
    )
    assert testbed.cluster.writes() > 0


def test_flash_images_are_made_for_both_kinds_of_device(tmp_path: Path) -> None:
    provision_posix(tmp_path, DEVICES, (b"k" * 32,))
    images = sorted(tmp_path.glob("*.flash"))
    assert [image.stem for image in images] == [device.id for device in DEVICES]
    sizes = [SLOTS_OFFSET + 2 * device.slot for device in DEVICES]
    assert [image.stat().st_size for image in images] == sizes
    assert images[0].read_bytes()[4096:SLOTS_OFFSET] == b"\xff" * (SLOTS_OFFSET - 4096)
    memory = provision_board(tmp_path, DEVICES[0], (b"k" * 32,))
    assert memory.stat().st_size == MPS2_MEMORY_SIZE
    assert memory.read_bytes()[:4096] == images[0].read_bytes()[:4096]
