"""Petiole with a real API server, etcd, Mosquitto, gateway, operator and C device cores."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes import client

from bench.rollout.events import Events
from bench.rollout.measure import Meter
from bench.rollout.policy import AT_ONCE, CAREFUL, GATE, STAGED, deciding
from bench.rollout.work import PERCENT, Counted, Kind, Run, Tell, Trace, Work
from hack.testbed import crowd as crowds
from hack.testbed.devices import (
    Simulation,
    allow_descriptors,
    provision_posix,
    set_faults,
    start_simulation,
)
from hack.testbed.processes import Process
from hack.testbed.waits import wait_until
from petiole.api.base import GROUP, VERSION

_FAULT = "self-test"  # refused and reported at once, as the peers' failing devices do
_CONNECT_SECONDS = 180.0
_LOOK = 0.25  # seconds between looks at status; each costs the API server some CPU
_QUIET = 3.0  # seconds without a new device after which a halted rollout is over
_SETTLE = 2.0  # seconds for the last writes of status and Events


@dataclass(frozen=True, slots=True)
class Round:
    """One rollout of a fleet. ``kind`` None: it warms up and is not measured."""

    version: int
    kind: Kind | None
    failing: float
    policy: dict[str, Any]


class Petiole:
    """The same policies for speed at every size; slower canaries where devices fail."""

    name = "petiole"
    setting = (
        "Petiole with SQLite on disk, a real API server and etcd, Mosquitto, C "
        "device cores that verify the signature and golden vectors and run the model on trial. "
        "Its devices hold a connection, up to 500 update at once, and blocks come from the broker: "
        "another protocol than DDI, and another device program. The gate judges every run; "
        "`stagedDevicesPerSecond` has a canary of 100 before all others. CPU a device is gateway, "
        "operator and broker; the API server's "
        "and etcd's is `controlPlaneCpuMsPerDevice`. Failing devices: canary of 100, few at once."
    )

    def run(self, work: Work, tell: Tell, done: Callable[[Run], None]) -> None:
        sizes = set(work.devices) | ({work.failing_devices} if work.failing else set())
        allow_descriptors(2 * max(sizes))
        for size in sorted(sizes):
            tell(f"bringing up {size} devices")
            with crowds.Crowd(work.folder / f"{self.name}-{size}", crowds.members(size)) as crowd:
                field = _Field(crowd, work)
                field.start()
                for turn in campaign(work, size):
                    tell(f"{size} devices, version {turn.version}, {turn.failing:.0%} failing")
                    run = field.roll_out(turn)
                    if run is not None:
                        done(run)


def campaign(work: Work, size: int) -> list[Round]:
    """What a fleet of this size goes through: a first version, then all that is measured on it.

    The devices that fail are others in each repeat, as the cohort's order follows the version.
    Repeats begin with the smallest share, which ends well: a TinyModel lists 20 versions only, and
    the stable one must stay among them.
    """
    turns: list[tuple[Kind | None, float, dict[str, Any]]] = [(None, 0.0, AT_ONCE)]
    if size in work.devices:
        turns += [("speed", 0.0, AT_ONCE), ("staged", 0.0, STAGED)]
    if size == work.failing_devices:
        turns += [("failing", s, CAREFUL) for _ in range(work.repeats) for s in work.failing]
    if work.failing and size == max(work.devices):
        turns += [("stop", max(0.1, min(work.failing)), AT_ONCE)] * min(3, work.repeats)
    return [Round(n, *turn) for n, turn in enumerate(turns, start=1)]


class _Field:
    """The devices of a crowd, and one rollout after another on them."""

    def __init__(self, crowd: crowds.Crowd, work: Work) -> None:
        self._crowd = crowd
        self._work = work
        self._simulation = Simulation(
            faults=crowd.folder / "faults.txt",
            events=crowd.folder / "events.txt",
            fault_seed=work.seed,
        )
        self._events = Events(self._simulation.events)
        self._devices: Process | None = None
        self._policy: dict[str, Any] | None = None
        self._api: client.CustomObjectsApi = crowd.api

    def start(self) -> None:
        """Provision the devices, start them and wait until the gateway hears all of them."""
        crowd, folder = self._crowd, self._crowd.folder
        provision_posix(folder / "flash", crowd.devices, (crowd.testbed.public_key,))
        self._devices = start_simulation(
            crowd.testbed.processes,
            folder / "flash",
            self._simulation,
            broker_port=crowd.testbed.broker.port,
        )
        self._apply(AT_ONCE)
        wait_until(self._all_online, _CONNECT_SECONDS, f"{len(crowd.devices)} devices online")

    def roll_out(self, turn: Round) -> Run | None:
        """One version from its appearing to its end; None when it only warmed up."""
        assert self._devices is not None
        self._apply(turn.policy)
        rules = [f"{PERCENT * turn.failing:g}%:{_FAULT}"] if turn.failing else []
        set_faults(self._devices, self._simulation, *rules)
        self._events.skip()
        servers, beside = self._servers()
        meter = Meter(servers, client=self._devices.pid, beside=beside)
        writes = self._crowd.testbed.cluster.writes()
        meter.start()
        version = self._crowd.publish(size=self._work.artefact_size, seed=turn.version)
        trace = Trace(self._crowd.published_at)
        self._wait(version, trace)
        usage = meter.stop()
        time.sleep(_SETTLE)
        self._events.read(trace, self._crowd.digest(version))
        self._devices.check()
        if turn.kind is None:
            return None
        written = self._crowd.testbed.cluster.writes() - writes
        return Run(
            turn.kind,
            len(self._crowd.devices),
            turn.failing,
            trace,
            self._counts(),
            usage,
            deciding(trace, GATE, len(self._crowd.devices)),
            api_writes_per_stage=written / len(turn.policy["stages"]),
        )

    def _wait(self, version: int, trace: Trace) -> None:
        """Until the version is promoted, or stopped and no device begins any more."""
        digest = self._crowd.digest(version)
        end = trace.started + self._work.budget
        over = False
        while not over and time.monotonic() < end:
            time.sleep(_LOOK)
            status = self._status()
            revision = status.get("revision", {})
            stopped = status.get("mode") == "Paused" and revision.get("target") == version
            quiet = time.monotonic() - trace.last_begin > _QUIET
            over = revision.get("stable") == version or (stopped and quiet)
            self._events.read(trace, digest)

    def _apply(self, policy: dict[str, Any]) -> None:
        if policy is not self._policy:
            self._crowd.apply(policy)
            self._policy = policy
            time.sleep(_SETTLE)

    def _all_online(self) -> bool:
        assert self._devices is not None
        self._devices.check()
        return bool(self._summary().get("online") == len(self._crowd.devices))

    def _summary(self) -> dict[str, Any]:
        with self._crowd.testbed.http() as http:
            answer = http.get(f"/v1/fleets/{crowds.NAMESPACE}.{crowds.FLEET}/summary")
            return dict(answer.json()) if answer.is_success else {}

    def _counts(self) -> Counted:
        counts = self._summary()["counts"]
        return Counted(succeeded=counts["updated"], failed=counts["failed"])

    def _status(self) -> dict[str, Any]:
        found: dict[str, Any] = self._api.get_namespaced_custom_object(
            GROUP,
            VERSION,
            crowds.NAMESPACE,
            "devicefleets",
            crowds.FLEET,
            _request_timeout=30,
        )
        return dict(found.get("status") or {})

    def _servers(self) -> tuple[dict[str, int], dict[str, int]]:
        """Process ids of Petiole's servers, and of the control plane that it is a guest of."""
        testbed = self._crowd.testbed
        assert testbed.gateway is not None
        assert testbed.operator is not None
        names = {
            (Path("/proc") / str(pid) / "comm").read_text().strip(): pid
            for pid in testbed.processes.left()
        }
        servers = {
            "gateway": testbed.gateway.pid,
            "operator": testbed.operator.pid,
            "broker": names["mosquitto"],
        }
        return servers, {name: names[name] for name in ("kube-apiserver", "etcd")}
