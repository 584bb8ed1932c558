"""``petiole learn``: ask for a round of learning now, beside the spec."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from petiole.api.base import REQUEST
from petiole.learning.triggers import REQUEST_VERB

from .settings import console
from .where import (
    MODELS,
    Context,
    Kubeconfig,
    ModelName,
    Namespace,
    ask,
    chosen_namespace,
    missing,
)


def learn(
    model: ModelName,
    kubeconfig: Kubeconfig = None,
    context: Context = "",
    namespace: Namespace = "",
) -> None:
    """Ask for a round that may spend one batch of labels more, once the model is idle."""
    place = chosen_namespace(namespace, kubeconfig, context)
    request = f"{REQUEST_VERB}{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}-{secrets.token_hex(3)}"
    asked = {REQUEST: request}
    if ask(kubeconfig, context, lambda c: c.annotate(MODELS, place, model, asked)) is None:
        missing(MODELS, place, model)
    console.print(f"Asked {model} for a round: {request}", soft_wrap=True)
