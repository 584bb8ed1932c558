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
from .metrics import Metrics
from .samples import Samples
from .settings import Settings
from .store import Store

log = structlog.get_logger()


def main(settings: Settings) -> None:
    """Run the gateway; returns after SIGTERM or SIGINT."""
    asyncio.run(run(settings))


async def run(settings: Settings) -> None:
    """Run until a signal. OSError when the listening address is taken."""
    listener = socket.create_server((settings.listen_host, settings.listen_port))
    store = Store(settings.database_url)
    await store.open()
    metrics, broker = Metrics(), AiomqttBroker(settings)
    objects = from_url(settings.store_uri)
    engine = Engine(store, broker, Blocks(objects), metrics)
    samples = Samples(objects, broker, engine.nudge)
    engine.use(samples)
    await engine.load()
    app = build(engine, broker, metrics, settings.token.get_secret_value())
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    log.info("gateway listens", host=settings.listen_host, port=listener.getsockname()[1])
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(engine.run(), name="engine"),
                group.create_task(engine.chores(), name="chores"),
                group.create_task(samples.run(), name="samples"),
                group.create_task(broker.run(engine.hear, engine.connected), name="broker"),
            ]
            await server.serve(sockets=[listener])
            for task in tasks:
                task.cancel()
    finally:
        await store.close()
        listener.close()
