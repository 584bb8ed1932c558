"""The devices: how they answer grants and halts, as docs/protocol.md has it.

A device's last report is its truth, since a report arrives within the step that it tells of: the
latency of a link is part of how long a step takes.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Collection

from petiole.wire.messages import Phase, Reason, State

from .assumptions import Assumptions
from .devices import Pulse, SimulatedDevice, all_devices
from .events import Events
from .policy import Policy
from .world import STABLE, Build, digest, hardware_of, is_target, site_of

_BUSY = frozenset({Phase.DOWNLOADING, Phase.VERIFYING, Phase.SHADOW, Phase.READY, Phase.TRIAL})
_SPREAD = 0.5  # sigma of the log-normal factor by which download times differ

Hear = Callable[[SimulatedDevice, State], None]
Step = tuple[
    SimulatedDevice, int
]  # what comes next, unless the device has said something else since (seq)


class Field:
    """All devices with one build of the target. ``hear`` takes their reports."""

    def __init__(
        self,
        events: Events,
        policy: Policy,
        assumed: Assumptions,
        build: Build,
        seed: str,
        hear: Hear,
    ) -> None:
        self.exposed = 0  # devices that ever ran the target
        self.failed = 0  # times that a device gave it up by itself
        self._events, self._assumed, self._hear = events, assumed, hear
        self._rng = random.Random(seed)  # noqa: S311 - a simulation must repeat
        self._fails = assumed.good if build == "good" else assumed.bad
        self._dies = 0.0 if build == "good" else assumed.dies
        self._download = math.log(assumed.size / assumed.bandwidth)
        number, sites = assumed.devices, assumed.sites
        self._mute = set(self._rng.sample(range(number), round(assumed.silent * number)))
        self._dark = frozenset(self._rng.sample(range(sites), min(assumed.dark_sites, sites)))
        self._dark_from = events.now + assumed.dark_after
        self._dark_until = self._dark_from + assumed.dark_for
        self._halted: frozenset[str] = frozenset()
        self._busy: dict[str, SimulatedDevice] = {}
        self._away: dict[str, float] = {}  # when an absent device is back
        self._refused: dict[str, int] = {}  # the attempt in which a device gave the target up
        self._ran = bytearray(number)  # 1: ran the target
        self._states: dict[tuple[object, ...], State] = {}
        self.pulse = Pulse(events, policy, assumed, build, self._rng.getrandbits(63))
        self.devices = all_devices(policy, assumed, self.pulse)
        for index in self._mute:
            self.devices[index].pulse = None

    # --- what the gateway says --------------------------------------------------------------------

    def grant(self, device: SimulatedDevice) -> None:
        """Let the grant that ``device`` has now travel to it."""
        if device.index not in self._mute:
            self._events.after(self._latency(), self._reached, device)

    def halt(self, digests: Collection[str]) -> None:
        """Let a halt travel to all; who is busy with a halted artefact gives it up."""
        self._halted = frozenset(digests)
        for device in self._busy.values():
            self._events.after(self._latency(), self._stopped, device)

    # --- how a device takes it --------------------------------------------------------------------

    def _reached(self, device: SimulatedDevice) -> None:
        """Let a grant arrive, if the device is there; else it is read on return."""
        now = self._events.now
        back = self._away.get(device.id)
        if back is None and self._chance(self._assumed.offline):
            away = self._rng.expovariate(1.0 / self._assumed.offline_for)
            back = self._away[device.id] = now + away
            device.pulse = None
        if back is not None and back > now:
            self._events.at(back, self._reached, device)
        elif device.index not in self._mute:
            device.pulse = self.pulse
            self._read(device)

    def _read(self, device: SimulatedDevice) -> None:
        """Act on the newest grant, which need not be the one that came first."""
        state, grant = _of(device), device.grant
        if grant is None or grant.artefact is None:
            return
        wanted = grant.artefact.digest
        if state.phase in _BUSY:
            if state.target == wanted:
                if state.phase is Phase.READY and not grant.hold:
                    self._try(device)
                return
            self._rest(device)
        if _of(device).active == wanted:
            self._rest(device)
        elif wanted not in self._halted and self._willing(device, wanted, grant.attempt):
            self._begin(device, wanted)

    def _willing(self, device: SimulatedDevice, wanted: str, attempt: int) -> bool:
        """Tell whether it would try: what it gave up only in a later attempt."""
        refused = self._refused.get(device.id)
        return refused is None or not is_target(wanted) or attempt > refused

    def _begin(self, device: SimulatedDevice, wanted: str) -> None:
        self._busy[device.id] = device
        if not is_target(wanted):  # the other slot holds it still: a switch, no download
            self._say(device, Phase.VERIFYING, target=wanted)
            self._next(self._latency(), self._arrived, device)
            return
        self._say(device, Phase.DOWNLOADING, target=wanted)
        if self._is_dark(device):
            self._next(self._assumed.give_up, self._stuck, device)
        else:
            factor = self._rng.lognormvariate(self._download, _SPREAD)
            self._next(factor + self._latency(), self._arrived, device)

    def _arrived(self, step: Step) -> None:
        device, seq = step
        if _of(device).seq != seq:
            return
        if _of(device).phase is Phase.DOWNLOADING and self._is_dark(device):
            self._next(self._assumed.give_up, self._stuck, device)
        elif self._compares(device):
            assert device.grant is not None
            self._say(device, Phase.SHADOW, target=_of(device).target)
            seconds = device.grant.shadow * self._assumed.inferences
            self._next(seconds, self._compared, device)
        else:
            self._apply(device)

    def _compares(self, device: SimulatedDevice) -> bool:
        """Tell whether the new model must first run beside the old one."""
        target = _of(device).target
        wanted = device.grant is not None and device.grant.shadow > 0
        return wanted and is_target(target or "") and device.index not in self.pulse.shadows

    def _compared(self, step: Step) -> None:
        device, seq = step
        if _of(device).seq == seq and device.grant is not None:
            self.pulse.compare(device.index, device.grant.shadow)
            self._apply(device)

    def _apply(self, device: SimulatedDevice) -> None:
        """Go on trial, or wait until the grant lets it."""
        if device.grant is not None and device.grant.hold:
            self._say(device, Phase.READY, target=_of(device).target)
        else:
            self._try(device)

    def _stuck(self, step: Step) -> None:
        device, seq = step
        if _of(device).seq == seq:
            self._give_up(device, Phase.FAILED, Reason.TIMEOUT)

    def _try(self, device: SimulatedDevice) -> None:
        """Run the new artefact on trial; nobody gives the proven one up."""
        target = _of(device).target
        self._say(device, Phase.TRIAL, active=target, target=target)
        if target is not None and is_target(target):
            index = device.index
            self.exposed += not self._ran[index]
            self._ran[index] = 1
            if self._chance(self._fails):
                crash = self._rng.expovariate(1.0 / self._assumed.crash)
                self._next(min(crash, self._assumed.trial), self._crashed, device)
                return
        self._next(self._assumed.trial + self._latency(), self._kept, device)

    def _crashed(self, step: Step) -> None:
        device, seq = step
        if _of(device).seq == seq:
            self._give_up(device, Phase.ROLLEDBACK, Reason.TRIAL_EXPIRED)

    def _kept(self, step: Step) -> None:
        device, seq = step
        if _of(device).seq == seq:
            kept = is_target(_of(device).active or "")
            self._rest(device)
            if kept and self._chance(self._dies):
                self._mute.add(device.index)
                device.pulse = None

    def _stopped(self, device: SimulatedDevice) -> None:
        """Heed a halt; a device that was confirmed before waits for another grant."""
        state = _of(device)
        if state.phase in _BUSY and state.target in self._halted:
            on_trial = state.phase is Phase.TRIAL
            phase = Phase.ROLLEDBACK if on_trial else Phase.FAILED
            self._give_up(device, phase, Reason.HALTED)

    def _give_up(self, device: SimulatedDevice, phase: Phase, reason: Reason) -> None:
        self._busy.pop(device.id, None)
        state = _of(device)
        active = self._before(device) if phase is Phase.ROLLEDBACK else state.active
        if reason is not Reason.HALTED:
            self.failed += 1
            self._refused[device.id] = device.grant.attempt if device.grant is not None else 0
        self._say(device, phase, reason, active=active, target=state.target)

    def _rest(self, device: SimulatedDevice) -> None:
        """Say what runs from now on: after a passed trial, or since nothing else is asked for."""
        self._busy.pop(device.id, None)
        if _of(device).phase is not Phase.CONFIRMED:
            self._say(device, Phase.CONFIRMED)

    # --- reports ----------------------------------------------------------------------------------

    def _say(
        self,
        device: SimulatedDevice,
        phase: Phase,
        reason: Reason = Reason.NONE,
        *,
        active: str | None = None,
        target: str | None = None,
    ) -> None:
        """Report. ``active`` None: what ran before."""
        state = _of(device)
        attempt = device.grant.attempt if device.grant is not None else 0
        key = (state.seq, phase, reason, active or state.active, target, state.caps.target, attempt)
        said = self._states.get(key)
        if said is None:  # equal reports of many devices are one object
            said = self._states[key] = State(
                boot=1,
                seq=state.seq + 1,
                phase=phase,
                reason=reason,
                caps=state.caps,
                active=active or state.active,
                target=target,
                attempt=attempt,
            )
        self._hear(device, said)

    def _next(self, seconds: float, act: Callable[[Step], None], device: SimulatedDevice) -> None:
        self._events.after(seconds, act, (device, _of(device).seq))

    def _before(self, device: SimulatedDevice) -> str:
        return digest(STABLE, hardware_of(device.index, self._assumed))

    # --- chance -----------------------------------------------------------------------------------

    def _chance(self, probability: float) -> bool:
        return self._rng.random() < probability

    def _latency(self) -> float:
        return self._rng.expovariate(1.0 / self._assumed.latency)

    def _is_dark(self, device: SimulatedDevice) -> bool:
        return (
            self._dark_from <= self._events.now < self._dark_until
            and site_of(device.index, self._assumed) in self._dark
        )


def _of(device: SimulatedDevice) -> State:
    assert device.state is not None, f"{device.id} has never reported"
    return device.state
