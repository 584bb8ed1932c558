"""``petiole why``: what a fleet or a model waits for, or why it stopped."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from petiole.view.objects import Fleet, Model

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

    fleet, model = ask(kubeconfig, context, both)
    now, found = datetime.now(UTC), {}
    if fleet is not None:
        seen = Fleet.of(fleet)
        found[seen.title] = reasons.of_fleet(seen, now)
    if model is not None:
        read = Model.of(model)
        found[read.title] = reasons.of_model(read, now)
    if not found:
        fail(f"there is no devicefleet and no tinymodel {place}/{name}")
    if output.is_data:
        dump(found, output)
        return
    for title, paragraph in found.items():
        console.print(title, style="bold", markup=False, highlight=False)
        console.print(paragraph, markup=False, highlight=False)
