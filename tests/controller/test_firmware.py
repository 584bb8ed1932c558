"""A firmware bundle as the operator finds it: whole it goes into the store, else it is named."""

import hashlib
import os

import pytest

from petiole.artifact import bundle as bundles
from petiole.artifact.bundle import Linked
from petiole.artifact.keys import load_private, new_private_pem, public_pem
from petiole.controller.firmware import Firmware
from petiole.controller.store import Store
from petiole.rollout.observed import Bundle, Obstacle

from .conftest import condition

CODE = b"firmware " * 100


def signed(pem, revision=1, targets=("cortex-m4",)):
    linked = [Linked(t, s, 0x24000, CODE) for t in targets for s in bundles.SLOTS]
    unsigned = bundles.read(bundles.build(linked, f"1.{revision}", revision))
    return bundles.sign(unsigned, load_private(pem), 1)


@pytest.fixture
def place(tmp_path):
    key = tmp_path / "key.pem"
    key.write_bytes(new_private_pem())
    (tmp_path / "store").mkdir()
    return tmp_path, key


def test_images_are_in_the_store_before_anybody_names_them(place):
    folder, key = place
    data = signed(key.read_bytes(), targets=("cortex-m4", "cortex-m7"))
    (folder / "store/fw.zip").write_bytes(data)
    (folder / "elsewhere.zip").write_bytes(data)
    reader = Firmware(Store((folder / "store").as_uri()), key)
    found = reader.look("fw.zip")
    assert isinstance(found, Bundle)
    assert found.digest == hashlib.sha256(data).hexdigest()
    assert [v.target for v in found.variants] == ["cortex-m4", "cortex-m7"]
    for image in (i for v in found.variants for i in (v.a, v.b)):
        kept = (folder / "store/artifacts" / image.digest).read_bytes()
        assert (len(kept), hashlib.sha256(kept).hexdigest()) == (image.size, image.digest)
    assert reader.look((folder / "elsewhere.zip").as_uri()) == found


def test_another_file_at_the_same_place_is_another_bundle(place):
    folder, key = place
    file = folder / "store/fw.zip"
    reader = Firmware(Store((folder / "store").as_uri()), key)
    seen = []
    for revision in (1, 2):
        file.write_bytes(signed(key.read_bytes(), revision))
        os.utime(file, (revision, revision))
        seen.append(reader.look("fw.zip"))
    assert [s.version for s in seen] == ["1.1", "1.2"]


def test_a_second_key_of_the_devices_is_good_enough(place):
    folder, key = place
    other = new_private_pem()
    (folder / "store/fw.zip").write_bytes(signed(other))
    store = Store((folder / "store").as_uri())
    refused = Firmware(store, key).look("fw.zip")
    assert isinstance(refused, Obstacle)
    assert refused.reason == "FirmwareKeyUnknown"
    public = folder / "public.pem"
    public.write_bytes(public_pem(load_private(other).public_key()))
    assert isinstance(Firmware(store, key, public).look("fw.zip"), Bundle)


def test_a_lost_store_is_named(place):
    folder, key = place
    reader = Firmware(Store((folder / "store").as_uri()), key)
    assert reader.look(f"file://{folder}/nowhere/fw.zip").reason == "FirmwareUnreadable"
    (folder / "store").rmdir()
    assert reader.look("fw.zip").reason == "FirmwareUnreadable"


def test_what_is_wrong_with_a_bundle_stalls_the_fleet(shared, gateway, model):
    """Missing, damaged, signed by a stranger, then whole; ``kubectl describe`` shows each."""
    gateway.register(f"{model.name}-device", {"site": model.name})
    model.behave(accuracy=0.1)  # so that no model goes before the firmware
    file = gateway.store / f"{model.name}.zip"
    fleet = model.fleet()
    fleet["spec"]["firmware"] = {"uri": file.name}
    shared.cluster.apply(model.manifest(labelBudget=4), fleet)

    def stalled(reason):
        message = shared.until_condition("devicefleet", model.name, "Stalled", reason)
        described = shared.cluster.kubectl(
            "describe", "devicefleet", model.name, "-n", shared.namespace
        )
        assert reason in described
        return message

    assert f"there is no bundle {file.name}" in stalled("FirmwareMissing")
    data = signed(shared.key.read_bytes())
    file.write_bytes(data[: len(data) // 2])
    assert "petiole firmware build" in stalled("FirmwareDamaged")
    file.write_bytes(signed(new_private_pem()))
    assert "no known key signed it" in stalled("FirmwareKeyUnknown")
    file.write_bytes(data)

    def rolls(status):
        return status.get("kind") == "Firmware" and status["firmware"]["target"] == 1

    status = shared.until("devicefleet", model.name, rolls, "the firmware's rollout")
    assert condition(status, "Stalled")["status"] == "False"
    assert status["bundles"][0]["digest"] == hashlib.sha256(data).hexdigest()
