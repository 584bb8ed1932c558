"""The operator process: puts the parts together and ends when one of them does."""

from __future__ import annotations

import asyncio
import resource
import signal
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import kopf
import structlog

from petiole.runners.base import Runner

from . import edge, health, metrics
from .cluster import Cluster, ClusterError
from .doorbell import Doorbell
from .election import Alone, Election, LeadLostError
from .firmware import Firmware
from .fleet_pass import FleetPass
from .gateway_client import GatewayClient
from .hooks import Hooks
from .keys import Key
from .lease import Terms
from .model_pass import ModelPass
from .outbox import Outbox
from .problem import Problem
from .queue import WorkQueue
from .reconciler import Reconciler
from .runner import make_runner
from .settings import OperatorSettings
from .showing import Showing
from .store import Store
from .versions import Versions
from .watches import Watches

_WORKERS = 4
_CRD_RETRY = 2.0  # seconds
_RESYNC_RATE = 10.0  # objects a second; very many take longer than --resync

_log = structlog.get_logger(__name__)


class StartError(Exception):
    """The operator cannot start with these settings; the text says which and why."""


class EndedError(Exception):
    """The operator cannot go on and has to be started again; the text says why."""


async def run(settings: OperatorSettings) -> None:
    """Run until SIGTERM or SIGINT.

    Raises StartError for settings that cannot work, EndedError for what a new start mends.
    """
    _open_many_files()
    me = asyncio.current_task()
    assert me is not None
    # Until kopf runs, which listens for itself: a lead that was just taken is to be released.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, me.cancel)
    async with AsyncExitStack() as stack:
        try:
            election = await _election(settings, stack)
            store = Store(settings.store)
            cluster = Cluster.connect(settings.kubeconfig, fence=election.check)
        except Problem as problem:
            raise StartError(str(problem)) from problem
        await stack.enter_async_context(cluster)
        token = settings.gateway_token.get_secret_value()
        gateway = GatewayClient(settings.gateway_url, token, election.check)
        await stack.enter_async_context(gateway)
        queue: WorkQueue[Key] = WorkQueue()
        watches = Watches(gateway, queue.add)
        stack.callback(watches.close)
        try:
            runner = make_runner(settings, store, cluster)
        except Problem as problem:
            raise StartError(str(problem)) from problem
        reconciler = _reconciler(settings, store, cluster, runner, gateway, watches)
        reconciler.fence = election.check
        await _run(settings, queue, reconciler, election)


async def _election(settings: OperatorSettings, stack: AsyncExitStack) -> Alone | Election:
    if not settings.lease:
        return Alone()
    cluster = await stack.enter_async_context(Cluster.connect(settings.kubeconfig))
    return Election(cluster, settings.lease, Terms(settings.lease_seconds), settings.identity)


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
        showing=Showing(gateway),
        clock=_now,
    )


async def _run(
    settings: OperatorSettings,
    queue: WorkQueue[Key],
    reconciler: Reconciler,
    election: Alone | Election,
) -> None:
    ready = asyncio.Event()
    doorbell = Doorbell(reconciler.cluster, _now)
    metrics.WAITING.set_function(queue.due)
    routes = [*doorbell.routes, reconciler.models.hooks.route(queue.add)]
    async with health.serve(settings.address, ready, routes) as address:
        _log.info("started", health=address, namespaces=settings.namespaces or "all")
        async with election.lead() as keeper:
            await _lead(settings, queue, reconciler, ready, keeper)
    _log.info("stopped")


async def _lead(
    settings: OperatorSettings,
    queue: WorkQueue[Key],
    reconciler: Reconciler,
    ready: asyncio.Event,
    keeper: asyncio.Task[None],
) -> None:
    """Do all that an operator does, until one of its parts or the lead (``keeper``) ends."""
    tasks = [
        asyncio.create_task(_watch(settings, reconciler, queue, ready)),
        asyncio.create_task(queue.run(reconciler, _WORKERS)),
        asyncio.create_task(_resync(settings, queue, reconciler)),
        asyncio.create_task(reconciler.outbox.run()),
        asyncio.create_task(reconciler.showing.run()),
    ]
    try:
        # kopf returns on SIGTERM; anything else that ends takes the process down with it.
        done, _ = await asyncio.wait([*tasks, keeper], return_when=asyncio.FIRST_COMPLETED)
    finally:
        ready.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        try:
            task.result()
        except LeadLostError as error:
            raise EndedError(str(error)) from error


async def _watch(
    settings: OperatorSettings, reconciler: Reconciler, queue: WorkQueue[Key], ready: asyncio.Event
) -> None:
    await _until_served(reconciler.cluster, settings.namespaces)
    try:
        await kopf.operator(
            registry=edge.registry(settings, queue.add, reconciler.watches.close),
            settings=edge.kopf_settings(),
            standalone=True,
            clusterwide=not settings.namespaces,
            namespaces=settings.namespaces,
            ready_flag=ready,
        )
    except Exception as error:
        # Refused credentials, an error inside a watch: kopf gives up by design.
        raise EndedError(
            f"Watching ended: {type(error).__name__}: {error}. It begins anew when this process is"
            " started again; if it ends so again, see the operator's credentials."
        ) from error


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
    wait = settings.resync
    while True:
        await asyncio.sleep(wait)
        try:
            keys = await reconciler.sweep(settings.namespaces)
        except Problem as problem:
            _log.warning("resync failed", error=str(problem))
            continue
        wait = max(settings.resync, len(keys) / _RESYNC_RATE)
        queue.spread(keys, wait)


def _open_many_files() -> None:
    """Take what the system allows: each fleet has a connection to the gateway."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _now() -> datetime:
    return datetime.now(UTC)
