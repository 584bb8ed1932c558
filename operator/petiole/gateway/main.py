"""The gateway process: wires the parts together and runs them until a signal comes."""

from __future__ import annotations

import asyncio
import socket

import structlog
import uvicorn
from obstore.store import from_url

from .api import build
from .blocks import Blocks
from .broker import AiomqttBroker
from .engine import Engine
from .enrol import start
from .metrics import Metrics
from .samples import Samples
from .settings import Settings
from .store import Store

log = structlog.get_logger()


def main(settings: Settings) -> None:
    """Run the gateway; returns after SIGTERM or SIGINT."""
    asyncio.run(run(settings))


async def run(settings: Settings) -> None:
    """Run until a signal. OSError for an address that is taken, or unreadable files."""
    listener = socket.create_server((settings.listen_host, settings.listen_port))
    store = Store(settings.database_url)
    await store.open()
    metrics, broker = Metrics(), AiomqttBroker(settings)
    objects = from_url(settings.store_uri)
    engine = Engine(store, broker, Blocks(objects), metrics)
    samples = Samples(objects, broker, engine.nudge)
    engine.use(samples)
    await engine.load()
    enrolment = start.enrolment(settings, metrics.registry)
    app = build(engine, broker, metrics, settings.token.get_secret_value(), enrolment)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
        )
    )
    log.info("gateway listens", host=settings.listen_host, port=listener.getsockname()[1])
    tasks = {
        asyncio.create_task(server.serve(sockets=[listener]), name="http"),
        asyncio.create_task(engine.run(), name="engine"),
        asyncio.create_task(engine.chores(), name="chores"),
        asyncio.create_task(samples.run(), name="samples"),
        asyncio.create_task(broker.run(engine.hear, engine.connected), name="broker"),
    }
    tasks |= start.background(settings, enrolment)
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()  # the server after a signal; anything else raises what went wrong
    finally:
        await _end(tasks)
        if enrolment is not None:
            await enrolment.close()
        await store.close()
        listener.close()


async def _end(tasks: set[asyncio.Task[None]]) -> None:
    """Cancel until all are done: ``asyncio.wait_for`` below aiomqtt may swallow a cancellation."""
    while tasks:
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=0.5)
