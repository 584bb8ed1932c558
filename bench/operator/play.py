"""One play of the scenario: two rounds, a rollout, a failing canary that is taken back, an edit.

Real are API server, operator, gateway, broker and device cores; the pipeline is the tests' double.
After a given write the operator is killed, or its line to the API server breaks; when it ends, it
is started again.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from kubernetes import client
from urllib3.exceptions import HTTPError

from hack.testbed.apiline import ApiLine, Asked
from hack.testbed.devices import Simulation, set_faults, start_simulation
from hack.testbed.processes import Process, ProcessError
from hack.testbed.waits import DeadlineError, free_port

from . import objects, safety
from .look import FLEET, MODEL, Look
from .normal import End
from .world import World, start_operator

_PROBLEMS = (DeadlineError, ProcessError, client.ApiException, HTTPError, httpx.HTTPError)
SECONDS = 300.0  # for each act; one takes a few, a fault a minute
QUIET = 5.0  # seconds without a write, in which everything is looked at twice
RESYNC = 2
FAILING = 2  # the device of the cohort that crashes with version 2, from 1: one before it kept it


@dataclass(frozen=True, slots=True)
class Disturbance:
    """What happens right after the ``write``-th write; 0: nothing.

    ``begin`` breaks the operator's line; the operator may end ``ends`` times by it.
    """

    name: str
    write: int = 0
    kill: bool = False
    begin: Callable[[ApiLine], None] = lambda _: None
    ends: int = 0


def kill(write: int) -> Disturbance:
    """Return the kill after a write; after 0: none."""
    return Disturbance(f"killed after {write:3d}", write, kill=write > 0, ends=1)


@dataclass(slots=True)
class Outcome:
    """A play, and what was written when it was disturbed; nothing: it was not.

    ``harmed`` counts what the broken line did, ``unsafe`` says what was written and must not be.
    """

    what: str = ""
    starts: int = 0  # of the operator
    seconds: float = 0.0
    writes: int = 0
    writes_at_rest: int = 0
    harmed: int = 0
    unsafe: list[str] = field(default_factory=list)
    problem: str = ""
    end: End | None = None
    acts: list[tuple[str, int]] = field(default_factory=list)  # and the writes until its end


class Play:
    """One play in the world, with a namespace and devices of its own."""

    def __init__(self, world: World, disturbance: Disturbance) -> None:
        self._world, self._disturbance = world, disturbance
        self._number = world.next()
        self.outcome = Outcome()
        self._label = f"play-{self._number:03d}"
        self._folder = world.folder / self._label
        self._line = ApiLine(world.testbed.cluster, self._label)
        self._line.written = self._written
        self._simulation = Simulation(
            self._folder / "faults", self._folder / "events", feed=5.0, trial_answers=2
        )
        self._look = Look(world, self._label, self._folder / "pool", self._simulation.events)
        self._operator: Process | None = None
        self._agent: Process | None = None
        self._left = 0  # times that the operator may still end
        self._last: dict[str, Mapping[str, Any]] = {}  # kind: status as it was written last

    def run(self) -> Outcome:
        """Play to the end; what went wrong is in the outcome."""
        began = time.monotonic()
        self._folder.mkdir()
        try:
            with self._line, self._world.testbed.http() as http:
                self._open(http)
                self._play()
        except _PROBLEMS as error:
            self.outcome.problem = f"{type(error).__name__}: {error}"
        finally:
            for process in (self._operator, self._agent):
                if process is not None:
                    process.stop()
        self.outcome.writes, self.outcome.harmed = len(self._line.writes), self._line.harmed
        self.outcome.seconds = time.monotonic() - began
        return self.outcome

    # The acts

    def _open(self, http: httpx.Client) -> None:
        objects.data(self._folder)
        self._behave(1)
        space = client.V1Namespace(metadata=client.V1ObjectMeta(name=self._label))
        client.CoreV1Api(self._world.kube).create_namespace(space)
        self._look.begin(http, self._world.devices(self._number))
        self._agent = start_simulation(
            self._world.testbed.processes,
            self._world.flash(self._number),
            self._simulation,
            broker_port=self._world.testbed.broker.port,
            name=f"devices-{self._label}",
        )
        self._start_operator()

    def _play(self) -> None:
        for act in (self._round, self._rollout, self._second_round, self._canary, self._edit):
            act()
            self.outcome.acts.append((act.__name__.strip("_"), len(self._line.writes)))
        self._rest()
        states = self._look.states()
        self._delete()
        self._rest()
        self.outcome.end = self._look.end(states)

    def _round(self) -> None:
        self._look.make(MODEL, objects.model(self._label, self._folder))
        self._look.make(FLEET, objects.fleet(self._label, self._label))
        self._until("version 1", lambda: self._look.has(1))

    def _rollout(self) -> None:
        self._until("the promotion of 1", lambda: self._look.over(1, "Promoted", stable=1))

    def _second_round(self) -> None:
        self._behave(2)
        evaluation = (self._folder / "evaluation-2").as_uri()
        self._look.patch(MODEL, {"data": {"evaluation": {"uri": evaluation}}})
        self._until("version 2", lambda: self._look.has(2))

    def _canary(self) -> None:
        """Version 2 goes out, but one of the first devices crashes with it."""
        assert self._agent is not None
        device = self._look.cohort(2)[FAILING - 1]
        fault = f"{device}@{self._look.digest(2)[:16]}:trial-crash"
        set_faults(self._agent, self._simulation, fault)
        self._look.patch(FLEET, {"model": {"version": 2}})
        self._until("the way back from 2", lambda: self._look.over(2, "Reverted", stable=1))

    def _edit(self) -> None:
        self._look.patch(FLEET, {"rollout": objects.EDITED_POLICY})
        self._until("the edited policy's plan", self._look.told)

    def _delete(self) -> None:
        for kind in (FLEET, MODEL):
            self._look.delete(kind)
        self._until("the gateway to forget the fleet", lambda: not self._look.held())

    def _rest(self) -> None:
        """Once nothing was written for a resync, nothing may be written any more."""
        self._until("the operator to be there", self._ready)
        self._until("the last write", self._calm)
        before, end = len(self._line.writes), time.monotonic() + QUIET
        self._until("rest", lambda: time.monotonic() > end)
        self.outcome.writes_at_rest += len(self._line.writes) - before

    def _calm(self) -> bool:
        before = len(self._line.writes)
        time.sleep(RESYNC + 0.5)
        return len(self._line.writes) == before

    # The operator

    def _start_operator(self) -> None:
        self._address = f"127.0.0.1:{free_port()}"
        self.outcome.starts += 1
        self._operator = start_operator(
            self._world.testbed,
            f"operator-{self._label}",
            kubeconfig=self._line.kubeconfig,
            namespace=self._label,
            folder=self._folder,
            listen=self._address,
            RESYNC=str(RESYNC),
        )

    def _written(self, asked: Asked, content: bytes) -> bool:
        """Look at what was written, and disturb the play when its time has come.

        Killed, the operator hears of no answer.
        """
        self._check(asked, content)
        if len(self._line.writes) != self._disturbance.write:
            return False
        self.outcome.what = f"{asked.method} {asked.path.partition(self._label)[2].strip('/')}"
        self._left = self._disturbance.ends
        if not self._disturbance.kill:
            self._disturbance.begin(self._line)
            return False
        assert self._operator is not None
        self._operator.kill()
        return True

    def _check(self, asked: Asked, content: bytes) -> None:
        if not asked.path.endswith("/status"):
            return
        kind = asked.path.split("/")[-3]
        status = json.loads(content).get("status") or {}
        number = len(self._line.writes)
        found = safety.broken(kind, self._last.get(kind, {}), status)
        self.outcome.unsafe += [f"write {number}: {text}" for text in found]
        self._last[kind] = status

    def _until(self, what: str, met: Callable[[], object]) -> None:
        """Wait, and start the operator again when it ended as the disturbance may make it."""
        end = time.monotonic() + SECONDS
        assert self._operator is not None
        while not met():
            if not self._operator.alive:
                if not self._left:
                    self._operator.check()
                self._left -= 1
                self._start_operator()
            if time.monotonic() > end:
                raise DeadlineError(f"{what}: not within {SECONDS:g} s; {self._seen()}")
            time.sleep(0.2)

    def _seen(self) -> str:
        try:
            return json.dumps(self._look.states(), indent=1)
        except _PROBLEMS as error:
            return str(error)

    def _ready(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"http://{self._address}/readyz", trust_env=False).is_success
        return False

    def _behave(self, version: int) -> None:
        """Say what the next learning round finds."""
        wants = {"sleep": 0.2, "failing": "", "accuracy": 0.95, "blocks": 1}
        pool = self._folder / "pool"
        (pool / "behaviour.draft").write_text(
            json.dumps(wants | {"made": str(self._world.made(version))})
        )
        (pool / "behaviour.draft").replace(pool / "behaviour.json")
