"""Which cluster, which namespace: the options that ``kubectl`` has, and what they default to."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

from .readable import UnreadableError
from .settings import fail

if TYPE_CHECKING:  # the cluster's client takes a second to import
    from petiole.controller.cluster import Cluster

Object = Mapping[str, Any]
T = TypeVar("T")

FLEETS, MODELS = "devicefleets", "tinymodels"
_PATIENCE = 2.0  # seconds that completing a word may take

Kubeconfig = Annotated[
    Path | None,
    typer.Option(envvar="KUBECONFIG", help="Default: ~/.kube/config, or the cluster it runs in."),
]
Context = Annotated[str, typer.Option("--context", help="Of the kubeconfig.")]


def ask(kubeconfig: Path | None, context: str, question: Callable[[Cluster], Awaitable[T]]) -> T:
    """Return what ``question`` finds out of the cluster; end with a sentence when it cannot."""
    from petiole.controller.cluster import ClusterError  # noqa: PLC0415 - takes a second

    try:
        return asyncio.run(_asked(kubeconfig, context, question))
    except (ClusterError, UnreadableError) as error:
        fail(str(error))


async def _asked(
    kubeconfig: Path | None, context: str, question: Callable[[Cluster], Awaitable[T]]
) -> T:
    from petiole.controller.cluster import Cluster  # noqa: PLC0415

    async with Cluster.connect(_file(kubeconfig), context) as cluster:
        return await question(cluster)


def chosen_namespace(given: str, kubeconfig: Path | None, context: str) -> str:
    """Return the namespace to look in; end with a sentence when there is no such context."""
    from petiole.controller.cluster import ClusterError  # noqa: PLC0415

    try:
        return _namespace(given, kubeconfig, context)
    except ClusterError as error:
        fail(str(error))


def _namespace(given: str, kubeconfig: Path | None, context: str) -> str:
    """Return the namespace that was given, or that of the context, or ``default``."""
    from petiole.controller.cluster import current_namespace  # noqa: PLC0415

    return given or current_namespace(_file(kubeconfig), context)


def missing(plural: str, namespace: str, name: str) -> NoReturn:
    fail(f"there is no {plural.removesuffix('s')} {namespace}/{name}")


def _file(given: Path | None) -> Path | None:
    """Return the kubeconfig; None inside a cluster, where no file is needed."""
    if given is not None or "KUBERNETES_SERVICE_HOST" in os.environ:
        return given
    return Path("~/.kube/config").expanduser()


# --- names to complete ----------------------------------------------------------------------------


def _names(*plurals: str) -> Callable[[typer.Context, str], list[str]]:
    """Return a completion of the names of objects of these kinds."""

    def complete(context: typer.Context, incomplete: str) -> list[str]:
        async def names(cluster: Cluster) -> set[str]:
            place = _namespace(_given(context, "namespace"), *_cluster(context))
            bodies = [body for plural in plurals for body in await cluster.all(plural, (place,))]
            return {body["metadata"]["name"] for body in bodies}

        return _completed(context, incomplete, names)

    return complete


def _namespaces(context: typer.Context, incomplete: str) -> list[str]:
    """Complete namespaces that have objects of Petiole: seeing those needs no other right."""

    async def places(cluster: Cluster) -> set[str]:
        bodies = [*await cluster.all(FLEETS), *await cluster.all(MODELS)]
        return {body["metadata"]["namespace"] for body in bodies}

    return _completed(context, incomplete, places)


def _completed(
    context: typer.Context, incomplete: str, question: Callable[[Cluster], Awaitable[set[str]]]
) -> list[str]:
    """Return words that fit; none where the cluster does not answer soon, and never an error."""
    from petiole.controller.cluster import ClusterError  # noqa: PLC0415

    try:
        asked = asyncio.wait_for(_asked(*_cluster(context), question), _PATIENCE)
        return sorted(word for word in asyncio.run(asked) if word.startswith(incomplete))
    except (ClusterError, TimeoutError):
        return []


def _cluster(context: typer.Context) -> tuple[Path | None, str]:
    file = _given(context, "kubeconfig")
    return Path(file) if file else None, _given(context, "context")


def _given(context: typer.Context, option: str) -> str:
    return str(context.params.get(option) or "")


Namespace = Annotated[
    str,
    typer.Option(
        "--namespace", "-n", help="Default: that of the context.", autocompletion=_namespaces
    ),
]
FleetName = Annotated[
    str, typer.Argument(help="Name of the DeviceFleet.", autocompletion=_names(FLEETS))
]
ModelName = Annotated[
    str, typer.Argument(help="Name of the TinyModel.", autocompletion=_names(MODELS))
]
AnyName = Annotated[
    str,
    typer.Argument(
        help="Name of a DeviceFleet or a TinyModel.", autocompletion=_names(FLEETS, MODELS)
    ),
]
