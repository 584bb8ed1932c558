"""``petiole why``: what a fleet or a model waits for, or why it stopped."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from . import reasons
from .output import Form, Output, dump
from .settings import console, fail
from .where import (
    FLEETS,
    MODELS,
    AnyName,
    Context,
    Kubeconfig,
    Namespace,
    Object,
    ask,
    chosen_namespace,
)

if TYPE_CHECKING:
    from petiole.controller.cluster import Cluster


def why(
    name: AnyName,
    kubeconfig: Kubeconfig = None,
    context: Context = "",
    namespace: Namespace = "",
    output: Output = Form.TABLE,
) -> None:
    """Say what a fleet or a model waits for, or why it stopped, with the numbers and a way on."""
    place = chosen_namespace(namespace, kubeconfig, context)

    async def both(cluster: Cluster) -> tuple[Object | None, Object | None]:
        return await cluster.get(FLEETS, place, name), await cluster.get(MODELS, place, name)

    now = datetime.now(UTC)
    bodies = [body for body in ask(kubeconfig, context, both) if body is not None]
    found = {f"{body['kind']} {place}/{name}": reasons.of_body(body, now) for body in bodies}
    if not found:
        fail(f"there is no devicefleet and no tinymodel {place}/{name}")
    if output.is_data:
        dump(found, output)
        return
    for title, paragraph in found.items():
        console.print(title, style="bold", highlight=False)
        console.print(paragraph, highlight=False)
