"""What a device costs the gateway: ``python -m bench.gateway [--devices 10000] [--failing 0]``.

A real gateway process and a real Mosquitto; one client plays all devices. Each is registered, says
``online`` and ``state`` (the storm), is granted the target and reports downloading, trial and
confirmed, 0.2 s apart, or failed instead. The figures are of the gateway's process alone.
"""

from __future__ import annotations

import argparse
import hashlib
import heapq
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import paho.mqtt.client as paho

from hack.testbed.broker import Broker
from hack.testbed.processes import Process, Processes
from hack.testbed.waits import free_port
from petiole.api.rollout import Gate, GateTest
from petiole.gateway.settings import Settings
from petiole.rollout.plan import Plan, Revision, StagePlan, Summary, Variant
from petiole.wire import topics
from petiole.wire.messages import Caps, Grant, Phase, Reason, State, encode_online

FLEET = "default.bench"
PAUSE = 0.2  # seconds between two reports of a device
CAPS = Caps("m4", 65536, 32768, 1, 1, "1.0")


def cpu(process: Process) -> float:
    """Seconds of CPU that the process has used, user and system."""
    stat = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(stat[11]) + int(stat[12])) / 100.0


class Crowd:
    """All devices behind one connection. The first ``failing`` of a hundred refuse the target."""

    def __init__(self, broker: Broker, count: int, target: str, stable: str, failing: int) -> None:
        self.target, self.failing = target, failing
        self.names = [f"dev-{n:06}" for n in range(count)]
        self.seq = dict.fromkeys(self.names, 0)
        self.active = dict.fromkeys(self.names, stable)
        self.grants = 0
        self.last_grant = self.halted_at = 0.0
        self.began: dict[str, float] = {}
        self.refused: list[float] = []
        self._due: list[tuple[float, str, Phase]] = []
        self._new: list[tuple[float, str, Phase]] = []
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self._client.username_pw_set(broker.gateway_user, broker.gateway_password)
        self._client.max_inflight_messages_set(500)
        self._client.message_callback_add(f"{topics.PREFIX}/d/+/grant", self._take)
        self._client.message_callback_add(f"{topics.PREFIX}/f/+/halt", self._halt)
        self._client.connect(broker.host, broker.port)
        self._client.subscribe([(f"{topics.PREFIX}/d/+/grant", 1), (topics.halt(FLEET), 1)])
        self._client.loop_start()

    def announce(self) -> None:
        for name in self.names:
            self._say(f"{topics.PREFIX}/d/{name}/online", encode_online(True))
            self._report(name, Phase.IDLE)

    def play(self) -> None:
        """Send what is due by now."""
        while self._new:
            heapq.heappush(self._due, self._new.pop())
        while self._due and self._due[0][0] <= time.monotonic():
            at, name, phase = heapq.heappop(self._due)
            if phase is Phase.FAILED:
                self.refused.append(time.monotonic())
            self._report(name, phase)
            after = {Phase.DOWNLOADING: Phase.TRIAL, Phase.TRIAL: Phase.CONFIRMED}.get(phase)
            if phase is Phase.DOWNLOADING and int(name[-2:]) < self.failing:
                after = Phase.FAILED
            if after is not None:
                heapq.heappush(self._due, (at + PAUSE, name, after))

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _take(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        if not message.payload:
            return
        self.grants += 1
        grant = Grant.decode(message.payload)
        if grant.artefact is not None and grant.artefact.digest == self.target:
            name = message.topic.split("/")[3]
            if name not in self.began:
                self.began[name] = self.last_grant = time.monotonic()
                self._new.append((time.monotonic(), name, Phase.DOWNLOADING))

    def _halt(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        if bytes.fromhex(self.target) in message.payload:
            self.halted_at = time.monotonic()

    def _report(self, name: str, phase: Phase) -> None:
        self.seq[name] += 1
        if phase in (Phase.TRIAL, Phase.CONFIRMED):
            self.active[name] = self.target
        busy = phase is not Phase.IDLE
        reason = Reason.GOLDEN_MISMATCH if phase is Phase.FAILED else Reason.NONE
        state = State(
            1, self.seq[name], phase, reason, CAPS, active=self.active[name],
            target=self.target if busy else None,
        )  # fmt: skip
        self._say(f"{topics.PREFIX}/d/{name}/state", state.encode())

    def _say(self, topic: str, payload: bytes) -> None:
        self._client.publish(topic, payload, qos=1, retain=True)


class Bench:
    """A broker, a gateway process and the operator's calls."""

    def __init__(self, folder: Path, profile: Path | None) -> None:
        self.folder = folder
        (folder / "store" / "artifacts").mkdir(parents=True)
        self.processes = Processes(folder)
        self.broker = Broker(folder / "broker", {}, self.processes)
        self.broker.start()
        port = free_port()
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"authorization": "Bearer secret"},
            timeout=60,
        )
        self.gateway = self.processes.start(
            "gateway",
            [
                ".venv/bin/python",
                *(["-m", "cProfile", "-o", str(profile)] if profile else []),
                "-m", "petiole.cli.main", "gateway",
                "--mqtt-port", str(self.broker.port), "--listen-port", str(port),
                "--database-url", Settings.sqlite(folder / "gateway.db"),
                "--store", (folder / "store").as_uri(),
            ],
            environment={
                "PYTHONPATH": "operator:pipelines:.",
                "PETIOLE_MQTT_PASSWORD": self.broker.gateway_password,
                "PETIOLE_GATEWAY_TOKEN": "secret",
            },
        )  # fmt: skip
        self.gateway.wait_ready(self._ready, 60)

    def _ready(self) -> bool:
        try:
            return self.http.get("/readyz").is_success
        except httpx.TransportError:
            return False

    def revision(self, number: int) -> Revision:
        content = (f"revision {number} ".encode() * 4096)[:32768]
        digest = hashlib.sha256(content).hexdigest()
        (self.folder / "store" / "artifacts" / digest).write_bytes(content)
        return Revision(number=number, variants={"m4": Variant(digest=digest, size=len(content))})

    def put(self, path: str, body: object) -> None:
        self.http.put(path, json=body).raise_for_status()

    def parts(self) -> dict[str, str]:
        """Where the time of the steps went: count, seconds in all, and the slowest bucket."""
        found: dict[str, list[float]] = {}
        for line in self.http.get("/metrics").text.splitlines():
            if line.startswith("petiole_gateway_turn_seconds_"):
                name, value = line.rsplit(" ", 1)
                part = name.split('part="')[1].split('"')[0]
                found.setdefault(part, [0.0, 0.0, 0.0])
                at, count = found[part], float(value)
                if "_sum" in name:
                    at[1] = count
                elif "_count" in name:
                    at[0] = count
                elif count > at[2]:
                    at[2] = count
                    bound = name.split('le="')[1].split('"')[0]
                    at[3:] = [float(bound)]
        return {
            k: f"{n:.0f} x, {s:.2f} s, at most {most} s" for k, (n, s, _, most) in found.items()
        }

    def summary(self, after: int = -1) -> Summary:
        query = {"after": after, "wait": 0.05}
        return Summary.model_validate(
            self.http.get(f"/v1/fleets/{FLEET}/summary", params=query).json()
        )


def run(
    folder: Path, devices: int, failing: int, flight: int, profile: Path | None
) -> dict[str, Any]:
    bench = Bench(folder, profile)
    stable, target = bench.revision(1), bench.revision(2)
    crowd = Crowd(
        bench.broker, devices, target.variants["m4"].digest, stable.variants["m4"].digest, failing
    )
    gate = Gate(name="update", outcome="Confirmed", test=GateTest(good="1%", bad="10%"))
    plan = Plan(
        fleet=FLEET, serial=1, selector={"kind": "m"}, samples_path="samples", stable=stable,
        max_in_flight=flight,
    )  # fmt: skip
    rolling = plan.model_copy(update={
        "serial": 2, "mode": "Rolling", "target": target, "gates": (gate,),
        "stage": StagePlan(index=0, name="all", limit=devices, started_at=datetime.now(UTC)),
    })  # fmt: skip
    try:
        start, used = time.monotonic(), cpu(bench.gateway)
        body = [{"id": n, "labels": {"kind": "m"}} for n in crowd.names]
        bench.put("/v1/devices", body)
        bench.put(f"/v1/fleets/{FLEET}/plan", plan.model_dump(mode="json", by_alias=True))
        registered, registering = time.monotonic(), cpu(bench.gateway) - used
        crowd.announce()
        _until(crowd, bench, lambda s: s.online == devices and sum(s.running.values()) == devices)
        storm, storming = time.monotonic() - registered, cpu(bench.gateway) - used - registering
        begun, used = time.monotonic(), cpu(bench.gateway)
        bench.put(f"/v1/fleets/{FLEET}/plan", rolling.model_dump(mode="json", by_alias=True))
        end = _until(crowd, bench, lambda s: s.counts.updated == devices or s.halt is not None)
        took, spent = time.monotonic() - begun, cpu(bench.gateway) - used
        result = {
            "devices": devices, "registerSeconds": registered - start,
            "stormSeconds": storm, "stormCpuMs": 1e3 * storming / devices,
            "rolloutSeconds": took, "devicesPerSecond": end.counts.updated / took,
            "cpuMsPerDevice": 1e3 * spent / max(1, end.counts.updated), "grants": crowd.grants,
        }  # fmt: skip
        if end.halt is not None:
            deadline = time.monotonic() + 2.0
            while time.monotonic() < deadline:
                crowd.play()
                time.sleep(0.01)
            # Which report decided is the gateway's secret: it is none before the first failure.
            first = crowd.refused[0]
            result["firstFailureToHaltSeconds"] = crowd.halted_at - first
            result["firstFailureToLastBeginSeconds"] = max(crowd.began.values()) - first
            result["exposed"] = len(crowd.began)
        result |= bench.parts()
        return {k: round(v, 3) if isinstance(v, float) else v for k, v in result.items()}
    finally:
        crowd.stop()
        bench.http.close()
        bench.processes.stop()


def _until(crowd: Crowd, bench: Bench, happened: Any) -> Summary:  # noqa: ANN401
    deadline = time.monotonic() + 300
    looked = 0.0
    while time.monotonic() < deadline:
        crowd.play()
        if time.monotonic() - looked > 0.25:
            looked = time.monotonic()
            summary = bench.summary()
            if happened(summary):
                return summary
        time.sleep(0.002)
    raise TimeoutError(f"not within 300 s; last: {summary!r}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--failing", type=int, default=0, help="of a hundred devices")
    parser.add_argument("--flight", type=int, default=500, help="devices in flight")
    parser.add_argument("--profile", type=Path, help="write a cProfile of the gateway here")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        found = run(Path(name), given.devices, given.failing, given.flight, given.profile)
        for key, value in found.items():
            print(f"{key:>30}  {value}")


if __name__ == "__main__":
    main()
