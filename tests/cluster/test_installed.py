"""The chart on a real node, by the words of docs/install.md: from its first Pod to its last trace.

``make test-cluster``. Nothing is played here but what the images are made of: Debian's Python and
Mosquitto in place of the Dockerfile's bases. NetworkPolicies are made and not enforced: the node's
network knows none.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from cryptography.x509 import load_pem_x509_certificates
from typer.testing import CliRunner

from hack.cluster.desk import installation, option
from hack.cluster.images import NEXT
from hack.demo.example import CALM, FLEET_FILE, MODEL_FILE, Prepared
from hack.demo.examples.digits import example
from hack.demo.manifests import Manifests
from hack.demo.stage import fleet_of
from hack.node.network import ADDRESS
from hack.testbed.devices import Device
from hack.testbed.field import Stream, publish_answers
from petiole.cli.main import app
from tests.loop.orchard import digests_of

from .mirror import mirrored
from .outside import Outside, feed
from .place import NAMESPACE, Object, Place, cluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(3600)]

LONGEST, SOON = 1200, 180  # seconds: a learning round; what Pods and devices do
STORE = Path("/var/lib/petiole/store")  # where operator, gateway and Jobs have the volume
EXAMPLE = example(None, quick=True)
STOLEN = Device("stolen", "cortex-m4")  # of no fleet
# Which samples come from the field is chance, and so is how much better version 2 is: what it needs
# to be taken, by judge and canaries, is less than in the example.
LENIENT = {
    MODEL_FILE: {**EXAMPLE.overrides[MODEL_FILE], "spec.acceptance.maxRegression": "20%"},
    FLEET_FILE: {
        "spec.rollout.gates": [
            {"name": "update", "outcome": "Confirmed", "test": {"good": "1%", "bad": "15%"}}
        ]
    },
}
# ${DATA} of the example is a folder of the store's volume.
MANIFESTS = Manifests(EXAMPLE.manifests, STORE / "data", LENIENT)


async def test_an_installation(tmp_path, capsys, pytestconfig) -> None:
    async with cluster(tmp_path) as it:
        with it.step("installed, tested"):
            host = await installed(it)
        with it.step("a version learned"):
            data = await learned(it)
        with it.step("devices enrolled"):
            outside = await enrolled(it, host)
        async with fed(outside, data):
            with it.step("a rollout"):
                await rolled_out(it, outside)
            with it.step("a device revoked"):
                await revoked(it, outside)
            with it.step("another, upgraded meanwhile"):
                see(data)
                await upgraded(it, outside)
        with it.step("uninstalled"):
            await uninstalled(it)
    with capsys.disabled():
        writer = pytestconfig.get_terminal_writer()
        writer.line()
        for name, took in {**it.times, "in all": sum(it.times.values())}.items():
            writer.line(f"cluster: {name}: {took:.0f} s")


async def installed(it: Place) -> str:
    """The page's commands, in a namespace that takes restricted Pods only; the broker's name."""
    host = ""
    for command in installation():
        if command.startswith("helm install"):
            it.before = await asyncio.to_thread(it.there)
        await it.run(command)
        if command.startswith("kubectl create namespace"):
            restricted = "pod-security.kubernetes.io/enforce=restricted"
            await it.run(f"kubectl label namespace {NAMESPACE} {restricted}")
            people = "create rolebinding people --clusterrole=edit --user=person"
            await it.run(f"kubectl -n {NAMESPACE} {people}")
        if names := option(command, "--host"):
            host = names[0]
    pods = it.list("pods")
    assert len(pods) == 3
    assert all(steady(pod) for pod in pods), pods
    for part in ("operator", "gateway"):
        inside = f"exec -n {NAMESPACE} deploy/petiole-{part} -- cat /proc/1/status"
        said = dict(
            line.split(":\t", 1) for line in (await it.run(f"kubectl {inside}")).splitlines()
        )
        assert {said[f"Cap{kind}"] for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {"0" * 16}
        assert set(said["Uid"].split()) == {"10001"}
        assert (said["NoNewPrivs"], said["Seccomp"]) == ("1", "2")
    return host


def steady(pod: Object) -> bool:
    """Tell whether all containers of a Pod are ready and were started once."""
    told = pod["status"].get("containerStatuses", ())
    return bool(told) and all(c["ready"] and c["restartCount"] == 0 for c in told)


async def learned(it: Place) -> Prepared:
    """Each run is a Job, which ends well."""
    data = await asyncio.to_thread(EXAMPLE.prepare, it.store / "data", MANIFESTS.task)
    await apply(it, MODEL_FILE)
    await it.until(lambda: versions(it) == [1], LONGEST, "version 1")
    await jobs_succeeded(it, runs=3)  # two batches of questions and a training
    return data


async def apply(it: Place, name: str) -> None:
    """Apply a manifest of the example as a person who may edit in the namespace."""
    file = await asyncio.to_thread(MANIFESTS.write, name, it.folder / "manifests")
    await it.ask(f"kubectl apply -n {NAMESPACE} -f {file}")


def versions(it: Place) -> list[int]:
    status = it.read("tinymodel", "digits").get("status", {})
    return [version["version"] for version in status.get("versions", [])]


async def jobs_succeeded(it: Place, runs: int) -> None:
    uid = it.read("tinymodel", "digits")["metadata"]["uid"]
    owned = ("jobs", "-l", f"petiole.dev/model-uid={uid}")
    await it.until(
        lambda: [job["status"].get("succeeded") for job in it.list(*owned)] == [1] * runs,
        SOON,
        f"{runs} Jobs to have succeeded",
    )


async def enrolled(it: Place, host: str) -> Outside:
    """Devices get their certificates by one-time tokens, and come in by the broker's NodePort."""
    posix, boards = fleet_of(EXAMPLE, MANIFESTS)
    devices, certificates = [*posix, boards[0], STOLEN], it.folder / "certificates"
    key = await it.run("petiole key public signing.pem --format hex")
    await asyncio.to_thread(certify, it, devices, certificates)
    (port,) = it.read("service", "petiole-broker")["spec"]["ports"]
    return Outside(
        it.folder,
        it.processes,
        posix,
        boards[0],
        broker=(ADDRESS, port["nodePort"]),
        name=host,
        certificates=certificates,
        key=bytes.fromhex(key.strip()),
    )


def certify(it: Place, devices: Sequence[Device], into: Path) -> None:
    """By the commands, in this process: each would take a second to start."""
    with it.gateway() as http:
        asked = [{"id": device.id, "labels": device.labels} for device in devices]
        http.put("/v1/devices", json=asked).raise_for_status()
        for device in devices:
            token = petiole("devices", "token", device.id, *reached(http)).splitlines()[0]
            petiole("enrol", device.id, str(into / device.id), *reached(http, token))


def reached(http: httpx.Client, token: str = "") -> tuple[str, ...]:
    """Options of the commands that ask the gateway."""
    bearer = http.headers["Authorization"].partition(" ")[2]
    return ("--gateway", str(http.base_url), "--token", token or bearer)


def petiole(*words: str) -> str:
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    return done.stdout


@asynccontextmanager
async def fed(outside: Outside, data: Prepared) -> AsyncIterator[None]:
    """Devices run, and see real scans."""
    places = await asyncio.to_thread(outside.start)
    feeding = asyncio.create_task(feed(places, data))
    try:
        yield
    finally:
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)


async def rolled_out(it: Place, outside: Outside) -> None:
    """All devices take version 1, once each, and a person sees it."""
    await apply(it, FLEET_FILE)
    await it.until(lambda: stable(it) == 1, SOON, "version 1 stable")
    everybody(it, outside, 1)
    said = await it.ask(f"petiole get fleet meters -n {NAMESPACE}")
    assert f"{len(outside.devices)} updated" in said


def see(data: Prepared) -> None:
    """Have the annotator know what devices see: they send samples, which the next round asks of."""
    stream = data.streams[CALM]
    assert isinstance(stream, Stream)
    assert data.answers is not None
    publish_answers(data.answers, stream, data.names)


async def revoked(it: Place, outside: Outside) -> None:
    """The broker's companion, which may do nothing in its Pod but that, has it read the list."""
    assert outside.refusal(STOLEN.id) == ""
    with it.gateway() as http:
        await asyncio.to_thread(petiole, "devices", "revoke", STOLEN.id, *reached(http))
    await refused(it, outside)


async def refused(it: Place, outside: Outside) -> None:
    # A broker that hangs up at once may cut its own words off: look again then.
    await it.until(lambda: "REVOKED" in outside.refusal(STOLEN.id), SOON, "the thief refused")


async def upgraded(it: Place, outside: Outside) -> None:
    """All Pods are replaced while canaries have version 2: it goes out to the end, once each."""
    await it.ask(f"petiole learn digits -n {NAMESPACE}")
    await it.until(lambda: versions(it) == [1, 2], LONGEST, "version 2, not rejected")
    second = digests_of(it.read("tinymodel", "digits")["status"], 2)
    await it.until(lambda: outside.entered("confirmed", second), SOON, "a canary on version 2")
    old = {pod["metadata"]["name"] for pod in running(it)}
    again = f"helm upgrade petiole charts/petiole -n {NAMESPACE} --reuse-values"
    upgrade = asyncio.create_task(it.run(f"{again} --set image.tag={NEXT}"))
    gone = {name for name in old if "operator" in name or "gateway" in name}
    await it.until(
        lambda: not gone & {p["metadata"]["name"] for p in it.list("pods")}, SOON, "gone"
    )
    between = len(outside.entered("confirmed", second))
    await upgrade
    assert 0 < between < len(outside.devices) - 1
    pods = running(it)
    assert not old & {pod["metadata"]["name"] for pod in pods}
    own = {
        c["image"] for pod in pods for c in pod["spec"]["containers"] if c["name"] != "mosquitto"
    }
    assert own == {f"localhost/petiole-{part}:{NEXT}" for part in ("operator", "gateway")}
    await it.until(lambda: stable(it) == 2, SOON, "version 2 stable")
    everybody(it, outside, 2)
    assert it.read("tinymodel", "digits")["status"]["labels"]["spent"] == 90
    await asyncio.to_thread(remembered, it, outside, second)
    await refused(it, outside)
    await it.run(f"helm test petiole -n {NAMESPACE}")


def remembered(it: Place, outside: Outside, digests: Sequence[str]) -> None:
    """The gateway that came after knows what the one before it knew of devices."""
    board = outside.devices[-1].id
    with it.gateway() as http:
        record = http.get(f"/v1/devices/{board}").raise_for_status().json()
    file = it.folder / "certificates" / board / "device.crt"
    (given,) = load_pem_x509_certificates(file.read_bytes())
    assert record["certificate"]["serial"] == f"{given.serial_number:x}"
    assert record["online"]
    assert record["state"]["active"] in digests


def running(it: Place) -> list[Object]:
    """The installation's Pods."""
    return it.list("pods", "-l", "app.kubernetes.io/name=petiole")


def stable(it: Place) -> int:
    status = it.read("devicefleet", "meters").get("status", {})
    revision: Object = status.get("revision", {})
    return revision.get("stable", 0) if status.get("mode") == "Idle" else 0


def everybody(it: Place, outside: Outside, version: int) -> None:
    """Each device has the version, as the fleet counts, and started it once, as it says itself."""
    counts = it.read("devicefleet", "meters")["status"]["counts"]
    assert counts["updated"] == counts["total"] == len(outside.devices)
    digests = digests_of(it.read("tinymodel", "digits")["status"], version)
    posix = {device.id for device in outside.devices[:-1]}
    for phase in ("trial", "confirmed"):
        assert outside.entered(phase, digests) == Counter(posix), phase
        assert outside.board_entered(phase) == version, phase


async def uninstalled(it: Place) -> None:
    """As the page says: nothing is left at the broker, then nothing in the cluster."""
    kept = ("crds", "store.volume", "gateway.database.volume")
    given = " ".join(f"--set {what}.keep=false" for what in kept)
    again = f"helm upgrade petiole charts/petiole -n {NAMESPACE} --reuse-values"
    await it.run(f"{again} {given}")
    service = it.read("service", "petiole-broker-gateways")["spec"]
    (port,) = service["ports"]
    async with mirrored(service["clusterIP"], port["port"], it.desk.folder / "pki") as mirror:
        await it.until(lambda: len(mirror.held) > 1, SOON, "grants and blocks at the broker")
        await it.run(f"helm uninstall petiole -n {NAMESPACE}")
        await asyncio.wait_for(mirror.ended.wait(), SOON)
        assert mirror.held == set()
    await it.until(lambda: it.there() == it.before, SOON, "the cluster to be as it was before")
