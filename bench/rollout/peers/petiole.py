"""Petiole with a real API server, etcd, Mosquitto, gateway, operator and C device cores."""

from __future__ import annotations

from collections.abc import Callable

from bench.rollout.work import Run, Skip, Tell, Work


class Petiole:
    name = "petiole"
    setting = ""

    def run(self, work: Work, tell: Tell, done: Callable[[Run], None]) -> None:
        raise Skip("not yet")
