"""Simulated devices, and what they say without being asked: statistics, once an interval.

A million devices would send a hundred million of those in a day. No event is played for them: what
a device said last, and when, is worked out when somebody looks.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from petiole.api.base import seconds
from petiole.fleet.devices import Device
from petiole.fleet.evidence import FULL_SCALE, stage_mark
from petiole.fleet.windows import Tally
from petiole.rollout.plan import Plan
from petiole.wire.messages import Grant, ShadowRun, State

from .assumptions import Assumptions
from .events import Events
from .policy import Policy
from .world import Build, at_rest, first_grant, hardware_of, is_target, labels, site_of

_SAID: Any = vars(Device)["seen_at"]  # the base class keeps it in this slot
_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0  # its multiples, modulo 1, are spread evenly
_NO_HISTORY: list[dict[str, Any]] = []
_NO_STATS: Any = None  # a tally is read for its counts, not for the message they came in


class SimulatedDevice(Device):
    """A device that has a ``pulse`` as long as it lives and is not away."""

    __slots__ = ("index", "pulse")

    index: int
    pulse: Pulse | None

    @classmethod
    def at_rest(
        cls,
        index: int,
        pulse: Pulse | None,
        labels: dict[str, str],
        state: State,
        grant: Grant,
        seen_at: float,
    ) -> SimulatedDevice:
        """Return a registered device that runs the stable revision. It shares what it can."""
        device = cls(
            id=f"dev-{index:07d}",
            registered=True,
            labels=labels,
            state=state,
            seen_at=seen_at,
            online=True,
            fleet=grant.fleet,
            grant=grant,
            history=_NO_HISTORY,
        )
        device.index, device.pulse = index, pulse
        return device

    @property
    def seen_at(self) -> float:
        """When it was heard last, seconds since 1970."""
        said = float(_SAID.__get__(self))
        return said if self.pulse is None else max(said, self.pulse.last(self.index))

    @seen_at.setter
    def seen_at(self, at: float) -> None:
        _SAID.__set__(self, at)

    @property
    def tallies(self) -> dict[str, Tally]:
        """What it has counted with the artefact that it runs."""
        return {} if self.pulse is None else self.pulse.tallies(self, float(_SAID.__get__(self)))

    @tallies.setter
    def tallies(self, _: object) -> None:
        """Keep nothing: it is worked out."""

    def shadow(self, digest: str) -> ShadowRun | None:
        """Return its shadow run with the target, once that is over."""
        return None if self.pulse is None else self.pulse.shadow(self.index, digest)


class Pulse:
    """Sends the statistics of all living devices of a run, each at its own moment of an interval.

    A device's mean confidence and the mean time of its inferences are normal around the means of
    its class; a bad build is less confident, or slower, by what is assumed.
    """

    def __init__(
        self, events: Events, policy: Policy, assumed: Assumptions, build: Build, seed: int
    ) -> None:
        self._events, self._assumed = events, assumed
        self._interval = seconds(policy.spec.monitoring.interval)
        self._drop, self._rise = (assumed.drop, assumed.rise) if build == "bad" else (0.0, 0.0)
        self._differs = min(1.0, assumed.differs + (assumed.strays if build == "bad" else 0.0))
        self.shadows: dict[int, tuple[int, int]] = {}  # count and disagreed of each whole run
        self._start = events.now
        self._mark, self._stage = "", events.now
        self._deviations: Any = None  # of confidence and of time, in units of the spread
        self._seed = seed

    def told(self, plan: Plan) -> None:
        """Note the stage, since when controls are compared."""
        self._mark = stage_mark(plan)
        if plan.stage is not None:
            self._stage = plan.stage.started_at.timestamp()

    def last(self, index: int) -> float:
        """Time of the last statistics of the device with this index, seconds since 1970."""
        return self._before(index, self._events.now)

    def tallies(self, device: SimulatedDevice, since: float) -> dict[str, Tally]:
        """Return the counts of a device that has run its artefact ``since`` then."""
        state = device.state
        if state is None or state.active is None:
            return {}
        if not is_target(state.active):
            # Counted from the first statistics in the stage, as the gateway sets its mark then.
            since = self._before(device.index, self._stage) + self._interval
        ran = max(0.0, self.last(device.index) - since)
        count = int(ran / self._assumed.inferences)
        confidence, inference = self._means(device.index, target=is_target(state.active))
        return {
            state.active: Tally(
                _NO_STATS,
                count=count,
                confidence_sum=round(confidence * FULL_SCALE * count),
                latency_sum=round(inference * 1e6 * count),
                mark=self._mark,
            )
        }

    def compare(self, index: int, inputs: int) -> None:
        """Let the device with this index finish its shadow run."""
        random = np.random.default_rng((self._seed, index))
        self.shadows[index] = inputs, int(random.binomial(inputs, self._differs))

    def shadow(self, index: int, digest: str) -> ShadowRun | None:
        """Return the whole shadow run of the device with this index."""
        run = self.shadows.get(index)
        return None if run is None or not is_target(digest) else ShadowRun(digest, *run, 0)

    def _before(self, index: int, time: float) -> float:
        moment = self._start + (index * _GOLDEN % 1.0) * self._interval
        return moment + (time - moment) // self._interval * self._interval

    def _means(self, index: int, *, target: bool) -> tuple[float, float]:
        """Return confidence (0..1) and seconds of an inference; class by class they get worse."""
        if self._deviations is None:
            random = np.random.default_rng(self._seed)
            self._deviations = random.standard_normal((self._assumed.devices, 2), np.float32)
        a = self._assumed
        less, more = (float(d) for d in self._deviations[index])
        hardware = hardware_of(index, a)
        confidence = a.confidence + a.spread * (less - hardware)
        inference = a.inference * (1.0 + hardware) * (1.0 + a.spread * more)
        if target:
            confidence, inference = confidence - self._drop, inference * (1.0 + self._rise)
        return min(1.0, max(0.0, confidence)), max(1e-6, inference)


def all_devices(policy: Policy, assumed: Assumptions, pulse: Pulse) -> list[SimulatedDevice]:
    """Return the fleet at rest. Devices share what is equal in them, so that a million fit."""
    heard = assumed.start.timestamp()
    states = [at_rest(hardware) for hardware in range(assumed.hardware)]
    grants = [first_grant(policy, hardware, assumed) for hardware in range(assumed.hardware)]
    shared: dict[tuple[int, int], dict[str, str]] = {}
    devices = []
    for index in range(assumed.devices):
        site, hardware = site_of(index, assumed), hardware_of(index, assumed)
        if (site, hardware) not in shared:
            shared[site, hardware] = labels(policy, site, hardware)
        device = SimulatedDevice.at_rest(
            index, pulse, shared[site, hardware], states[hardware], grants[hardware], heard
        )
        devices.append(device)
    return devices
