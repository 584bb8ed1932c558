"""``petiole learn``: ask for a round of learning now, beside the spec."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime
from typing import Annotated

import typer

from petiole.api.base import REQUEST
from petiole.learning.triggers import REQUEST_VERB

from .get import Kubeconfig, Namespace
from .settings import console, fail


def learn(
    model: Annotated[str, typer.Argument(help="Name of the TinyModel.")],
    kubeconfig: Kubeconfig = None,
    namespace: Namespace = "default",
) -> None:
    """Ask for a round that may spend one batch of labels more, once the model is idle."""
    from petiole.controller.cluster import Cluster, ClusterError  # noqa: PLC0415 - a second

    async def ask() -> bool:
        async with Cluster.connect(kubeconfig) as cluster:
            asked = {REQUEST: request}
            return await cluster.annotate("tinymodels", namespace, model, asked) is not None

    request = f"{REQUEST_VERB}{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}-{secrets.token_hex(3)}"
    try:
        found = asyncio.run(ask())
    except ClusterError as error:
        fail(str(error))
    if not found:
        fail(f"there is no tinymodel {namespace}/{model}")
    console.print(f"Asked {model} for a round: {request}", soft_wrap=True)
