"""Renewal over MQTT: a device's request on ``d/<id>/csr``, the answer retained on ``d/<id>/cert``.

A connection of its own: the flood of a fleet's reports does not hold renewals up, nor they it.
"""

from __future__ import annotations

import asyncio
import time

import aiomqtt
import structlog
from sqlalchemy.exc import SQLAlchemyError

from petiole.gateway.broker import new_client
from petiole.gateway.settings import Settings
from petiole.identity.authority import AuthorityError, der
from petiole.identity.request import RequestError
from petiole.wire import topics

from .enrolment import Enrolment
from .limit import Limit

log = structlog.get_logger()

AGAIN = 2.0  # seconds until the next attempt to connect
WAITING = 1000  # requests; a device whose request falls out repeats it
LONGEST = 4096  # bytes of a request
RATE, BURST = 0.1, 3.0  # requests a second of one device


class Renewals:
    """Answers for as long as ``run`` runs."""

    def __init__(self, settings: Settings, enrolment: Enrolment) -> None:
        self._settings = settings
        self._enrolment = enrolment
        self._limit = Limit(RATE, BURST)

    async def run(self) -> None:
        """Connect, listen, answer; begin again after every fault. Never returns."""
        while True:
            try:
                async with new_client(self._settings, WAITING) as client:
                    await client.subscribe(topics.ALL_CSRS, qos=1)
                    async for message in client.messages:
                        await self._hear(client, message)
            except (aiomqtt.MqttError, OSError) as error:
                log.warning("renewals wait for the broker", error=str(error))
            await asyncio.sleep(AGAIN)

    async def _hear(self, client: aiomqtt.Client, message: aiomqtt.Message) -> None:
        asked, payload = topics.parse_device_topic(str(message.topic)), message.payload
        if asked is None or not isinstance(payload, bytes) or not payload:
            return
        if len(payload) > LONGEST or not self._limit.allows(asked.device, time.monotonic()):
            log.warning("renewal dropped: too long or too often", device=asked.device)
            return
        try:
            given = await self._enrolment.renew(asked.device, payload)
        except RequestError as error:
            log.warning("renewal refused", device=asked.device, problem=str(error))
            return
        except (SQLAlchemyError, AuthorityError) as error:
            what = str(error).splitlines()[0]
            log.warning("renewal failed; the device repeats it", device=asked.device, error=what)
            return
        answer = der(given.x509, *self._enrolment.authority.trusted)
        await client.publish(topics.cert(asked.device), answer, qos=1, retain=True)
