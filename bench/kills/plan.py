"""What one seed stands for: a build, and who is killed when. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

Victim = Literal["gateway", "operator", "broker", "database"]
FAILING = 30
"""Percent of the devices that crash in their trial of a bad build."""


@dataclass(frozen=True, slots=True)
class Kill:
    """SIGKILL ``after`` seconds from the one before, or the start; back ``down`` seconds later."""

    victim: Victim
    after: float
    down: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """One rollout. A ``bad`` build must end Reverted, a good one Promoted."""

    seed: int
    bad: bool
    kills: tuple[Kill, ...]

    @property
    def words(self) -> str:
        return ", ".join(f"{k.victim} +{k.after:.1f} s" for k in self.kills)


def scenario(seed: int, *, database: bool) -> Scenario:
    """The scenario of ``seed``; ``database``: the fleet store has a process that can be killed."""
    random_ = random.Random(seed)
    victims: list[Victim] = ["gateway", "operator", "broker"]
    if database:
        victims.append("database")
    kills = tuple(
        Kill(random_.choice(victims), random_.uniform(0.0, 2.0), random_.uniform(0.0, 1.0))
        for _ in range(random_.randint(1, 4))
    )
    return Scenario(seed, random_.random() < 0.4, kills)
