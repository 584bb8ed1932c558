"""The gateway's part on the wire, by hand: blocks, grants and halts out, whole states in."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable
from types import TracebackType
from typing import Self

import aiomqtt

from petiole.wire import topics
from petiole.wire.messages import (
    Artefact,
    Firmware,
    Grant,
    Patch,
    Sample,
    State,
    Stats,
    decode_online,
    encode_ack,
    encode_halt,
)

from .broker import Broker
from .models import digest

FLEET = "default.bench"
BLOCK = 512


class Hand:
    """What devices said last, and the means to tell them something."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._serial = 0
        self.states: dict[str, State] = {}
        self.history: defaultdict[str, list[State]] = defaultdict(list)
        self.stats: dict[str, Stats] = {}
        self.samples: defaultdict[str, list[Sample]] = defaultdict(list)
        self.online: dict[str, bool] = {}

    async def __aenter__(self) -> Self:
        self._client = aiomqtt.Client(
            self._broker.host,
            self._broker.port,
            username=self._broker.gateway_user,
            password=self._broker.gateway_password,
        )
        await self._client.__aenter__()
        await self._client.subscribe("petiole/1/d/#", 1)
        self._listening = asyncio.create_task(self._listen())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._listening
        await self._client.__aexit__(kind, error, traceback)

    async def publish_blocks(
        self, data: bytes, *, leave_out: frozenset[int] = frozenset(), block: int = BLOCK
    ) -> None:
        """Publish the blocks of an artefact, all but some."""
        for number, start in enumerate(range(0, len(data), block)):
            if number not in leave_out:
                topic = topics.block(digest(data), number)
                part = data[start : start + block]
                await self._client.publish(topic, part, qos=1, retain=True)

    async def publish(self, topic: str, payload: bytes) -> None:
        await self._client.publish(topic, payload, qos=1, retain=True)

    async def remove_blocks(self, data: bytes, *, block: int = BLOCK) -> None:
        for number in range(-(-len(data) // block)):
            await self.publish(topics.block(digest(data), number), b"")

    async def grant(
        self,
        device: str,
        data: bytes | None,
        *,
        size: int | None = None,
        interval: int = 300,
        samples: int = 0,
        hold: bool = False,
        attempt: int = 0,
        block: int = BLOCK,
        shadow: int = 0,
        firmware: Firmware | None = None,
        patch: tuple[bytes, bytes] | None = None,
    ) -> None:
        """Grant an artefact; ``patch`` is a base and what makes the artefact of it."""
        self._serial += 1
        artefact = None
        if data is not None:
            named = patch and Patch(digest(patch[0]), digest(patch[1]), len(patch[1]))
            artefact = Artefact(digest(data), size or len(data), block, named)
        message = Grant(
            serial=self._serial,
            fleet=FLEET,
            interval=interval,
            samples=samples,
            artefact=artefact,
            hold=hold,
            attempt=attempt,
            shadow=shadow,
            firmware=firmware,
        )
        await self._client.publish(topics.grant(device), message.encode(), qos=1, retain=True)

    async def halt(self, *data: bytes) -> None:
        payload = encode_halt(tuple(digest(d) for d in data))
        await self._client.publish(topics.halt(FLEET), payload, qos=1, retain=True)

    async def acknowledge(self, device: str, sample: Sample) -> None:
        await self._client.publish(topics.ack(device), encode_ack((sample.hash,)), qos=1)

    async def until(self, happened: Callable[[], object], what: str, seconds: float = 20) -> None:
        """Wait for something that messages bring about."""
        end = asyncio.get_running_loop().time() + seconds
        while not happened():
            assert asyncio.get_running_loop().time() < end, f"not in {seconds} s: {what}"
            await asyncio.sleep(0.02)

    async def state(
        self, device: str, wanted: Callable[[State], object], seconds: float = 20
    ) -> State:
        """Wait for a state of the device that is as wanted, and return it."""
        await self.until(
            lambda: device in self.states and wanted(self.states[device]),
            f"{device} as wanted; last {self.states.get(device)}",
            seconds,
        )
        return self.states[device]

    async def _listen(self) -> None:
        async for message in self._client.messages:
            about = topics.parse_device_topic(str(message.topic))
            assert about is not None, message.topic
            self._take(about, bytes(message.payload))

    def _take(self, about: topics.DeviceTopic, payload: bytes) -> None:
        match about.kind:
            case "state":
                state = State.decode(payload)
                self.states[about.device] = state
                self.history[about.device].append(state)
            case "stats":
                self.stats[about.device] = Stats.decode(payload)
            case "sample":
                sample = Sample.decode(payload)
                assert sample.hash.hex() == about.rest
                self.samples[about.device].append(sample)
            case "online":
                self.online[about.device] = decode_online(payload)
