"""The gateway process: wires the parts together and runs them until a signal comes."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Iterator

import structlog
import uvicorn
import uvloop
from obstore.store import from_url

from petiole import tracing
from petiole.wire import topics

from . import api
from .blocks import Blocks
from .broker import AiomqttBroker
from .engine import Engine
from .enrol import start
from .forward import Face
from .gauges import Gauges
from .lease import Lease, LeaseLostError
from .metrics import Metrics
from .relay import Collector
from .replica import Follower, end, keep
from .samples import Samples
from .settings import Settings
from .spans import Stages
from .store import DatabaseError, Store
from .sweep import Sweep

log = structlog.get_logger()

LOST = 3  # exit status of a process that lost the lead


def main(settings: Settings) -> None:
    """Run the gateway; returns after SIGTERM or SIGINT, exits with 3 when it lost the lead."""
    try:
        uvloop.run(run(settings))
    except LeaseLostError as error:
        log.error("lead lost", problem=str(error))  # noqa: TRY400 - it is no fault of this process
        sys.exit(LOST)


async def run(settings: Settings) -> None:
    """Run until a signal. OSError for an address that is taken, or unreadable files."""
    start.check(settings)
    listener = socket.create_server((settings.listen_host, settings.listen_port))
    port = listener.getsockname()[1]
    gateway = Gateway(settings, settings.advertise or _address(settings.listen_host, port))
    log.info("gateway listens", host=settings.listen_host, port=port, replica=gateway.address)
    try:
        await gateway.run(listener)
    finally:
        listener.close()


class Gateway:
    """The parts of one replica that live as long as its process."""

    def __init__(self, settings: Settings, address: str) -> None:
        self.address = address
        self._settings = settings
        self._store = Store(settings.database_url)
        self._metrics = Metrics()
        self._lease = Lease(self._store, address)
        self._follower = Follower(settings, self._store, self._lease, self._metrics)
        self._face = Face(self._follower.application)

    async def run(self, listener: socket.socket) -> None:
        """Serve, follow, lead. LeaseLostError when another replica took the lead."""
        server = _Server(
            uvicorn.Config(
                self._face,
                log_level="warning",
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=2,
            )
        )
        serving = asyncio.create_task(server.serve(sockets=[listener]), name="http")
        following = asyncio.create_task(self._follower.run(), name="follower")
        try:
            await asyncio.wait({serving, following}, return_when=asyncio.FIRST_COMPLETED)
            if not serving.done():
                following.result()
                await self._lead(serving)
        finally:
            await end({serving, following})
            await self._store.close()

    async def _lead(self, serving: asyncio.Task[None]) -> None:
        """Decide for all replicas until the server ends, on a signal."""
        settings, lease, metrics = self._settings, self._lease, self._metrics
        log.info("leads", replica=self.address, term=lease.term)
        metrics.leading.set(1)
        self._store.fence(lease.fence)
        objects, secret = from_url(settings.store_uri), settings.token.get_secret_value()
        name = topics.leader_name(secret)  # the broker puts a former leader out
        broker = AiomqttBroker(settings, identifier=name, permitted=lambda: lease.held)
        engine = Engine(self._store, broker, Blocks(objects), metrics)
        metrics.registry.register(Gauges(engine, broker))
        samples = Samples(objects, broker, engine.nudge)
        engine.use(samples)
        if tracing.on():
            engine.stages = Stages(engine.outbox)
        collector = Collector(self._store, broker, secret, engine.take)
        enrolment = start.enrolment(settings, metrics.registry)

        sweep = Sweep(broker, engine.outbox, engine.named)

        def hear(topic: str, payload: bytes) -> None:
            if not sweep.hear(topic, payload):
                engine.hear(topic, payload)

        def connected() -> None:
            collector.connected()
            engine.connected()
            sweep.connected()

        tasks = {asyncio.create_task(keep(lease, collector, metrics), name="lease")}
        try:
            await engine.load()
            self._face.application = api.build(
                engine, broker, metrics, secret, enrolment, settings.web_token.get_secret_value()
            )
            self._follower.led()
            tasks |= {
                asyncio.create_task(engine.run(), name="engine"),
                asyncio.create_task(engine.chores(), name="chores"),
                asyncio.create_task(samples.run(), name="samples"),
                asyncio.create_task(collector.run(), name="collector"),
                asyncio.create_task(sweep.run(), name="sweep"),
                asyncio.create_task(broker.run(hear, connected), name="broker"),
            }
            tasks |= start.background(settings, enrolment)
            ended, _ = await asyncio.wait({*tasks, serving}, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()  # the server after a signal; anything else raises what went wrong
        finally:
            await end(tasks)
            if enrolment is not None:
                await enrolment.close()
            with contextlib.suppress(DatabaseError):
                await lease.release()


class _Server(uvicorn.Server):
    """Ends on a signal; uvicorn's own would raise it again before the lead is released."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)


def _address(host: str, port: int) -> str:
    """Return where others reach this process, as far as that can be told from here."""
    everywhere = host in ("", "0.0.0.0", "::")  # noqa: S104 - compared, not bound
    return f"http://{socket.gethostname() if everywhere else host}:{port}"
