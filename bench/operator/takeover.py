"""Two operators, the leader killed: how long until the other acts, and do both ever act?

Told by the API server's audit log, where each has a name of its own.
"""

from __future__ import annotations

import json
import os
import signal
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

from hack.testbed.processes import Process
from hack.testbed.testbed import Testbed
from hack.testbed.waits import free_port, wait_until

from . import objects
from .world import start_operator

SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Takeover:
    """One leader's end. ``seconds`` from the signal to the other's first write."""

    signal: str
    seconds: float
    overlap: int  # writes of the old leader after the first of the new one


class Pair:
    """Two operators of one namespace, with the Lease that the chart gives them."""

    def __init__(self, testbed: Testbed, namespace: str) -> None:
        self._testbed, self.namespace = testbed, namespace
        self.folder = testbed.folder / namespace
        self.folder.mkdir()
        testbed.cluster.kubectl("create", "namespace", namespace)
        self.users = [f"{namespace}-{letter}" for letter in "ab"]
        self.processes = [self._start(user) for user in self.users]

    def _start(self, user: str) -> Process:
        return start_operator(
            self._testbed,
            user,
            kubeconfig=self._testbed.cluster.stand_in(user, release=self.namespace),
            namespace=self.namespace,
            folder=self.folder,
            listen=f"127.0.0.1:{free_port()}",
            LEASE=f"{self.namespace}/petiole-operator",
            IDENTITY=user,
        )

    def writes(self, user: str) -> list[tuple[datetime, datetime]]:
        """When the API server heard of each write of a user that it accepted, and was done."""
        return list(self._testbed.cluster.accepted(user))

    def leader(self) -> str:
        """Return who holds the Lease."""
        found = self._testbed.cluster.kubectl(
            *("get", "lease", "petiole-operator", "-n", self.namespace, "--ignore-not-found"),
            *("-o", "jsonpath={.spec.holderIdentity}"),
        )
        return found.strip()

    def take(self, how: signal.Signals) -> Takeover:
        """Have the leader work, send it a signal, and give the other something to do.

        The first round then still goes on, so that both have it to look after.
        """
        wait_until(self.leader, SECONDS, "a leader")
        old = self.leader()
        new = next(user for user in self.users if user != old)
        self._give_work("first")
        wait_until(lambda: self.writes(old), SECONDS, f"a write of {old}")
        victim = self.processes[self.users.index(old)]
        sent = datetime.now(UTC)
        os.kill(victim.pid, how)
        self._give_work("second")
        wait_until(lambda: self.writes(new), SECONDS, f"a write of {new}")
        if how is signal.SIGSTOP:
            os.kill(victim.pid, signal.SIGCONT)
            victim.wait(SECONDS)
        first = min(heard for heard, _ in self.writes(new))
        overlap = sum(done >= first for _, done in self.writes(old))
        return Takeover(how.name, (first - sent).total_seconds(), overlap)

    def _give_work(self, name: str) -> None:
        """Make a model whose round goes on for longer than anybody needs to follow."""
        folder = self.folder / name
        objects.data(folder)
        wants = {"sleep": 60.0, "failing": "", "accuracy": 0.95, "blocks": 1}
        (folder / "pool" / "behaviour.json").write_text(json.dumps(wants))
        body = objects.model(self.namespace, folder)
        body["metadata"]["name"] = name
        self._testbed.cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(body))

    def stop(self) -> None:
        for process in self.processes:
            process.stop()


def measure(repeats: int, console: Console) -> list[Takeover]:
    """Kill leaders, and put others to sleep and wake them; prints a line each."""
    found = []
    with (
        tempfile.TemporaryDirectory(prefix="petiole-takeover-") as folder,
        Testbed(Path(folder)) as testbed,
    ):
        assert testbed.operator is not None
        testbed.operator.stop()  # there are pairs in its place
        for number in range(2 * repeats):
            pair = Pair(testbed, f"pair-{number}")
            try:
                found.append(pair.take(signal.SIGKILL if number % 2 == 0 else signal.SIGSTOP))
            finally:
                pair.stop()
            console.print(f"{found[-1].signal}: {found[-1].seconds:.1f} s", highlight=False)
    return found


def table(found: list[Takeover]) -> Table:
    """Return a row for each kind of end."""
    made = Table(title="Two operators, the leader's end", title_justify="left")
    for name in ("signal", "times", "the other acts after, s at most", "both acted"):
        made.add_column(name, justify="right")
    for name in dict.fromkeys(one.signal for one in found):
        rows = [one for one in found if one.signal == name]
        worst = max(one.seconds for one in rows)
        both = sum(one.overlap > 0 for one in rows)
        made.add_row(name, str(len(rows)), f"{worst:.1f}", str(both))
    return made
