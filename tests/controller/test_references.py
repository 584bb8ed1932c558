"""A reference document that cannot be read is told as that, and the gateway's word still counts."""

from datetime import UTC, datetime

import pytest

from petiole.api.devicefleet import DeviceFleetSpec, DeviceFleetStatus
from petiole.api.tinymodel import VersionStatus
from petiole.controller import fleet_pass
from petiole.controller.fleet_pass import FleetPass
from petiole.controller.store import Store
from petiole.controller.versions import Versions
from petiole.rollout.observed import FleetObserved

PATH = "models/u/versions/1.json"
NOW = datetime(2026, 3, 2, tzinfo=UTC)
MADE = VersionStatus(
    version=1, round=1, created_at=NOW, accuracy="97.00", labels=1, trigger="Initial",
    variants=(), reference_uri=PATH,
)  # fmt: skip


class Answering:
    """A gateway without a plan: it answers, and that is all."""

    async def summary(self, _fleet):
        return None

    async def windows(self, _fleet, _digests):
        return ()


@pytest.mark.parametrize(("content", "said"), [(None, "is not there"), (b"{", "is not JSON")])
async def test_a_reference_that_cannot_be_read_is_no_gateways_problem(tmp_path, content, said):
    store = Store(tmp_path.as_uri())
    if content is not None:
        store.put(PATH, content)
    status = DeviceFleetStatus()
    revision = status.revision.model_copy(update={"stable": 1})
    observed = FleetObserved(
        namespace="default", name="meters", uid="u", generation=1,
        spec=DeviceFleetSpec.model_construct(),
        status=status.model_copy(update={"revision": revision}), versions=(MADE,),
    )  # fmt: skip
    versions = Versions(store, tmp_path / "no.pem", lambda: NOW)
    seen = await FleetPass(None, Answering(), versions, None)._with_devices(observed)
    assert seen.gateway_problem == ""
    assert PATH in seen.reference_problem
    assert said in seen.reference_problem


class Counting:
    """A store whose documents are there, and that counts how often each is read."""

    def __init__(self):
        self.read = []

    def references(self, path):
        self.read.append(path)
        return {"sha": object()}


async def test_references_are_read_once_and_the_oldest_let_go(monkeypatch):
    monkeypatch.setattr(fleet_pass, "KEPT", 2)
    versions = Counting()
    passes = FleetPass(None, Answering(), versions, None)
    for path in ("1", "2", "1", "3", "2", "1"):
        await passes._read_references(MADE.model_copy(update={"reference_uri": path}))
    assert versions.read == ["1", "2", "3", "1"]
    assert list(passes._references) == ["3", "1"]
