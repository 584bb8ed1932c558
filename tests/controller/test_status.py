"""A status is written as the smallest merge patch, and not at all when nothing changed."""

import copy
import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from petiole.api.devicefleet import DeviceFleetStatus
from petiole.controller.keys import Key
from petiole.controller.status import StatusWriter, merge_patch

scalars = st.none() | st.booleans() | st.integers() | st.sampled_from(["", "x"])
names = st.sampled_from(["a", "b", "c"])
objects = st.recursive(
    st.dictionaries(names, scalars | st.lists(scalars, max_size=2), max_size=3),
    lambda inner: st.dictionaries(names, inner | scalars, max_size=3),
    max_leaves=8,
)

# A busy machine is no finding.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def without_nulls(value):
    if isinstance(value, dict):
        return {k: without_nulls(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [without_nulls(v) for v in value]
    return value


def applied(target, patch):
    """RFC 7386, section 2, as the API server does it."""
    if not isinstance(patch, dict):
        return patch
    result = copy.deepcopy(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = applied(result.get(key), value)
    return result


@unhurried
@given(objects, objects)
def test_the_patch_leads_from_old_to_new(old, new):
    old = without_nulls(old)
    patch = merge_patch(old, new)
    assert without_nulls(applied(old, patch)) == without_nulls(new)


@unhurried
@given(objects)
def test_equal_objects_need_no_patch(value):
    assert merge_patch(without_nulls(value), value) == {}


class _NoCluster:
    async def patch_status(self, body, patch, plural):
        self.patch = patch


async def test_an_object_that_cannot_be_read_counts_as_looked_at():
    """kstatus and Argo CD would take it for one in progress, and not say what is wrong."""
    cluster, now = _NoCluster(), datetime(2026, 3, 2, tzinfo=UTC)
    body = {"metadata": {"generation": 4}, "status": {"observedGeneration": -1, "serial": 7}}
    with pytest.raises(ValidationError) as odd:
        DeviceFleetStatus.model_validate({"mode": "Flying"})
    key = Key("devicefleets", "default", "meters")
    await StatusWriter(cluster).write_invalid(key, body, odd.value, now)
    assert cluster.patch.keys() == {"observedGeneration", "conditions"}
    assert cluster.patch["observedGeneration"] == 4
    (stalled,) = cluster.patch["conditions"]
    assert (stalled["status"], stalled["reason"]) == ("True", "InvalidObject")
    assert "mode: Input should be" in stalled["message"]


async def test_writes_come_in_bursts_but_once_a_second_in_the_long_run(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("petiole.controller.status.time.monotonic", lambda: now[0])
    writer, key = StatusWriter(_NoCluster()), Key("devicefleets", "default", "meters")
    written = []
    while now[0] < 1060.0:
        if writer.wait(key) == 0.0:
            status = DeviceFleetStatus(serial=len(written) + 1)
            await writer.write(key, {"metadata": {}}, status)
            written.append(now[0])
        now[0] += 0.01
    assert written[:3] == [pytest.approx(1000.0, abs=0.05)] * 3
    assert len(written) == pytest.approx(60 + 2, abs=1)
    assert all(later - earlier > 0.9 for earlier, later in itertools.pairwise(written[3:]))
