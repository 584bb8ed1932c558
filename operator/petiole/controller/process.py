"""The operator process: puts the parts together and ends when one of them does."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import kopf
import structlog

from petiole.runners.base import Runner

from . import edge, health, metrics
from .cluster import Cluster, ClusterError
from .doorbell import Doorbell
from .firmware import Firmware
from .fleet_pass import FleetPass
from .gateway_client import GatewayClient
from .hooks import Hooks
from .keys import Key
from .model_pass import ModelPass
from .outbox import Outbox
from .problem import Problem
from .queue import WorkQueue
from .reconciler import Reconciler
from .runner import make_runner
from .settings import OperatorSettings
from .store import Store
from .versions import Versions
from .watches import Watches

_WORKERS = 4
_CRD_RETRY = 2.0  # seconds

_log = structlog.get_logger(__name__)


class StartError(Exception):
    """The operator cannot start with these settings; the text says which and why."""


async def run(settings: OperatorSettings) -> None:
    """Run until SIGTERM or SIGINT. Raises StartError for settings that cannot work."""
    try:
        store, cluster = Store(settings.store), Cluster.connect(settings.kubeconfig)
    except Problem as problem:
        raise StartError(str(problem)) from problem
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(cluster)
        gateway = await stack.enter_async_context(
            GatewayClient(settings.gateway_url, settings.gateway_token.get_secret_value())
        )
        queue: WorkQueue[Key] = WorkQueue()
        watches = Watches(gateway, queue.add)
        stack.callback(watches.close)
        try:
            runner = make_runner(settings, store, cluster)
        except Problem as problem:
            raise StartError(str(problem)) from problem
        reconciler = _reconciler(settings, store, cluster, runner, gateway, watches)
        await _run(settings, queue, reconciler)


def _reconciler(
    settings: OperatorSettings,
    store: Store,
    cluster: Cluster,
    runner: Runner,
    gateway: GatewayClient,
    watches: Watches,
) -> Reconciler:
    versions = Versions(store, settings.signing_key, _now)
    firmware = Firmware(store, settings.signing_key, settings.public_key)
    return Reconciler(
        cluster=cluster,
        gateway=gateway,
        models=ModelPass(cluster, runner, store, versions, Hooks(settings.hook_url)),
        fleets=FleetPass(cluster, gateway, versions, firmware),
        watches=watches,
        outbox=Outbox(store, cluster, _now),
        clock=_now,
    )


async def _run(settings: OperatorSettings, queue: WorkQueue[Key], reconciler: Reconciler) -> None:
    ready = asyncio.Event()
    doorbell = Doorbell(reconciler.cluster, _now)
    routes = [*doorbell.routes, reconciler.models.hooks.route(queue.add)]
    async with health.serve(settings.address, ready, routes) as address:
        _log.info("started", health=address, namespaces=settings.namespaces or "all")
        tasks = [
            asyncio.create_task(_watch(settings, reconciler.cluster, queue, ready)),
            asyncio.create_task(queue.run(reconciler, _WORKERS)),
            asyncio.create_task(_resync(settings, queue, reconciler)),
            asyncio.create_task(reconciler.outbox.run()),
        ]
        try:
            # kopf returns on SIGTERM; anything else that ends takes the process down with it.
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()
    _log.info("stopped")


async def _watch(
    settings: OperatorSettings, cluster: Cluster, queue: WorkQueue[Key], ready: asyncio.Event
) -> None:
    await _until_served(cluster, settings.namespaces)
    await kopf.operator(
        registry=edge.registry(settings, queue.add),
        settings=edge.kopf_settings(),
        standalone=True,
        clusterwide=not settings.namespaces,
        namespaces=settings.namespaces,
        ready_flag=ready,
    )


async def _until_served(cluster: Cluster, namespaces: tuple[str, ...]) -> None:
    """Wait for API server and CRDs: without its scan kopf would miss what comes later."""
    while True:
        try:
            await cluster.all("tinymodels", namespaces)
            await cluster.all("devicefleets", namespaces)
        except ClusterError as error:
            _log.warning("waiting for the API server and the CRDs of crds/", error=str(error))
            await asyncio.sleep(_CRD_RETRY)
        else:
            return


async def _resync(
    settings: OperatorSettings, queue: WorkQueue[Key], reconciler: Reconciler
) -> None:
    """Look at everything now and then, for what no event told."""
    while True:
        await asyncio.sleep(settings.resync)
        metrics.WAITING.set(len(queue))
        try:
            keys = await reconciler.sweep(settings.namespaces)
        except Problem as problem:
            _log.warning("resync failed", error=str(problem))
            continue
        for key in keys:
            queue.add(key)


def _now() -> datetime:
    return datetime.now(UTC)
