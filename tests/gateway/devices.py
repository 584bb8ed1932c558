"""A device for tests: speaks the wire through aiomqtt and does what the firmware does, simply."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

import aiomqtt

from petiole.wire import topics
from petiole.wire.messages import (
    Artefact,
    Caps,
    Cause,
    Crash,
    Firmware,
    FirmwareState,
    Grant,
    Phase,
    Reason,
    Sample,
    State,
    Stats,
    Why,
    decode_ack,
    decode_halt,
    encode_online,
)

Behaviour = Callable[[str], Reason]


def takes_all(_digest: str) -> Reason:
    return Reason.NONE


@dataclass
class TestDevice:
    """Its "flash" is these fields: ``stop`` and ``start`` again are a reboot."""

    __test__ = False

    id: str
    password: str
    port: int
    tls: ssl.SSLContext | None = None
    target: str = "m4"
    slot: int = 65536
    arena: int = 32768
    firmware: int = 0  # bytes of a firmware slot
    runs: str = "0" * 64  # its firmware, in slot B after an odd number of updates
    updates: int = 0
    behaviour: Behaviour = takes_all
    obeys_halt: bool = True
    boot: int = 0
    seq: int = 0
    active: str | None = None
    wanted: str | None = None
    phase: Phase = Phase.IDLE
    reason: Reason = Reason.NONE
    grant: Grant | None = None
    halted: tuple[str, ...] = ()
    gave_up: Firmware | None = None
    crash: Crash | None = None
    trial: Reason | None = None  # of firmware, and what will come of it once that is answered
    _before: str = ""
    lost: list[str] = field(default_factory=list)  # why its connections ended
    ran: list[str] = field(default_factory=list)
    acks: set[bytes] = field(default_factory=set)
    grants_seen: int = 0
    counts: dict[str, tuple[int, int]] = field(default_factory=dict)
    _blocks: dict[int, bytes] = field(default_factory=dict)
    _client: aiomqtt.Client | None = None
    _connected: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None
    _halt_topic: str = ""

    def start(self) -> None:
        self.boot += 1
        self.seq = 0
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Go without a word; the broker publishes the will."""
        self._connected.clear()
        while self._task is not None and not self._task.done():
            self._task.cancel()  # again and again: aiomqtt may swallow a cancellation
            await asyncio.wait([self._task], timeout=0.5)

    async def send_stats(self, count: int, confidence: int) -> None:
        """``count`` more inferences of the active artefact, all with this confidence."""
        assert self.active is not None
        before, total = self.counts.get(self.active, (0, 0))
        count, total = before + count, total + count * confidence
        self.counts[self.active] = (count, total)
        bins = [0] * 16
        bins[confidence // 16] = count
        self.seq += 1
        stats = Stats(
            self.boot, self.seq, self.active, count, tuple(bins), tuple(bins), (count, 0),
            total, total * confidence, count * 100,
        )  # fmt: skip
        await self.send(f"{topics.PREFIX}/d/{self.id}/stats", stats.encode(), retain=False)

    async def send_sample(self, data: bytes) -> bytes:
        sample = Sample(self.active or "00" * 32, data, 1, 90, 3, Why.UNCERTAIN)
        topic = f"{topics.PREFIX}/d/{self.id}/sample/{sample.hash.hex()}"
        await self.send(topic, sample.encode(), retain=False)
        return sample.hash

    async def send(self, topic: str, payload: bytes, *, retain: bool = True) -> None:
        await self._connected.wait()
        assert self._client is not None
        await self._client.publish(topic, payload, qos=1, retain=retain)

    async def report(self, phase: Phase, reason: Reason = Reason.NONE) -> None:
        self.phase, self.reason = phase, reason
        self.seq += 1
        state = State(
            boot=self.boot,
            seq=self.seq,
            phase=phase,
            reason=reason,
            caps=Caps(self.target, self.slot, self.arena, 1, 0xFF, "test-1", self.firmware),
            firmware=FirmwareState(self.runs) if self.firmware else None,
            crash=self.crash,
            active=self.active,
            target=self.wanted,
            attempt=self.grant.attempt if self.grant else 0,
            got=len(self._blocks),
            total=len(self._blocks),
        )
        await self.send(f"{topics.PREFIX}/d/{self.id}/state", state.encode())

    async def _run(self) -> None:
        online = f"{topics.PREFIX}/d/{self.id}/online"
        will = aiomqtt.Will(online, encode_online(False), qos=1, retain=True)
        while True:
            try:
                async with aiomqtt.Client(
                    "127.0.0.1",
                    self.port,
                    username=self.id,
                    password=self.password,
                    will=will,
                    tls_context=self.tls,
                ) as client:
                    self._client = client
                    self._connected.set()
                    await client.subscribe(topics.grant(self.id), qos=1)
                    await client.subscribe(topics.ack(self.id), qos=1)
                    await self.send(online, encode_online(True))
                    await self.report(self.phase, self.reason)
                    if self.phase is Phase.TRIAL and self.trial is None:
                        await self.report(Phase.CONFIRMED)  # the connection ended between the two
                    async for message in client.messages:
                        topic, payload = str(message.topic), bytes(message.payload)
                        await self._take(client, topic, payload, retained=message.retain)
            except aiomqtt.MqttError as error:
                self.lost.append(str(error))
            self._connected.clear()
            await asyncio.sleep(0.1)

    def words(self) -> str:
        """What it would say of itself, for whoever asks why a count is not what it should be."""
        return f"{self.id} {self.phase.word} boot {self.boot} seq {self.seq} lost {self.lost}"

    async def _take(
        self, client: aiomqtt.Client, topic: str, payload: bytes, *, retained: bool
    ) -> None:
        if topic == topics.ack(self.id):
            self.acks |= set(decode_ack(payload))
        elif topic.startswith(f"{topics.PREFIX}/f/"):
            self.halted = decode_halt(payload) if payload else ()
        elif topic.startswith(f"{topics.PREFIX}/b/"):
            await self._take_block(topic, payload)
        elif topic == topics.grant(self.id):
            self.grants_seen += bool(payload)  # empty: nothing is granted
            if self.trial is not None and not retained:
                await self._end_trial(self.trial)
            await self._take_grant(client, payload)

    async def _take_grant(self, client: aiomqtt.Client, payload: bytes) -> None:
        self.grant = Grant.decode(payload) if payload else None
        if self.grant is None:
            return
        if topics.halt(self.grant.fleet) != self._halt_topic:
            self._halt_topic = topics.halt(self.grant.fleet)
            await client.subscribe(self._halt_topic, qos=1)
        artefact = self._lacks(self.grant)
        if artefact is None:
            return
        if self.obeys_halt and artefact.digest in self.halted:
            return
        self.wanted, self._blocks = artefact.digest, {}
        await self.report(Phase.DOWNLOADING)
        for n in range(-(-artefact.size // artefact.block)):
            await client.subscribe(topics.block(artefact.digest, n), qos=1)

    def _lacks(self, grant: Grant | None) -> Artefact | None:
        """What it is to fetch: firmware for the slot that it does not run from, then the model."""
        if grant is None:
            return None
        given = grant.firmware
        if self.trial is not None:
            return None
        if self.firmware and given is not None and self.gave_up != given:
            image = given.a if self.updates % 2 else given.b
            if self.runs not in (given.a.digest, given.b.digest):
                return image
        return grant.artefact if grant.artefact and grant.artefact.digest != self.active else None

    async def _take_block(self, topic: str, payload: bytes) -> None:
        digest, number = topic.split("/")[-2:]
        artefact = self._lacks(self.grant)
        if artefact is None or digest != artefact.digest or not payload:
            return
        self._blocks[int(number)] = payload
        if sum(map(len, self._blocks.values())) == artefact.size:
            await self._finish(artefact)

    async def _finish(self, artefact: Artefact) -> None:
        data = b"".join(self._blocks[n] for n in sorted(self._blocks))
        assert hashlib.sha256(data).hexdigest() == artefact.digest
        problem = self.behaviour(artefact.digest)
        if self.grant is not None and artefact is not self.grant.artefact:
            await self._boot(artefact.digest, problem)
            return
        if problem:
            await self.report(Phase.FAILED, problem)
            return
        self.active = artefact.digest
        self.ran.append(artefact.digest)
        self.counts.pop(artefact.digest, None)
        await self.report(Phase.TRIAL)
        await self.report(Phase.CONFIRMED)

    async def _boot(self, digest: str, problem: Reason) -> None:
        """Reset into other firmware; it is on trial until a living gateway answers its report."""
        self._before, self.trial = self.runs, problem
        self.boot, self.seq = self.boot + 1, 0
        self.runs, self.updates = digest, self.updates + 1
        await self.report(Phase.TRIAL)

    async def _end_trial(self, problem: Reason) -> None:
        """Keep the firmware; one with a ``problem`` crashes, and the old one runs again."""
        self.trial = None
        if not problem:
            await self.report(Phase.CONFIRMED)
            return
        crashed, self.runs = self.runs, self._before
        self.updates, self.gave_up = self.updates - 1, self.grant.firmware if self.grant else None
        self.crash = Crash(self.boot, Cause.FAULT, 0x1234, 0x1200, 0x200, crashed[:16])
        self.boot, self.seq = self.boot + 1, 0
        await self.report(Phase.ROLLEDBACK, problem)
