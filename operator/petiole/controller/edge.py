"""The kopf edge: turns watch events into keys of the work queue and does nothing else.

Only ``on.event`` is used. kopf's handlers for create and update are edge-triggered, keep state in
annotations and need finalizers; a reconcile from what is there now needs none of that.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import kopf

from petiole.api.base import GROUP, VERSION

from .cluster import load
from .keys import Key, Plural
from .settings import OperatorSettings

Wake = Callable[[Key], None]


class Dependents:
    """Who follows whom, and what each last showed to the other."""

    def __init__(self, wake: Wake) -> None:
        self._wake = wake
        self._model_of: dict[Key, Key] = {}  # fleet -> model
        self._shown: dict[Key, object] = {}

    def model(self, key: Key, body: Mapping[str, Any], *, gone: bool) -> None:
        """Wake a model, and its fleets if it has something new for them."""
        self._wake(key)
        status = body.get("status") or {}
        shown = None if gone else (body["metadata"]["uid"], status.get("versions"))
        if self._changed(key, shown):
            for fleet, model in self._model_of.items():
                if model == key:
                    self._wake(fleet)

    def fleet(self, key: Key, body: Mapping[str, Any], *, gone: bool) -> None:
        """Wake a fleet, and its model if the fleet has something new for it."""
        self._wake(key)
        model = Key("tinymodels", key.namespace, body["spec"]["model"]["name"])
        if gone:
            self._model_of.pop(key, None)
        else:
            self._model_of[key] = model
        status = body.get("status") or {}
        shown = None if gone else (model, status.get("drift"), status.get("samples"))
        if self._changed(key, shown):
            self._wake(model)

    def _changed(self, key: Key, shown: object) -> bool:
        before = self._shown.get(key)
        self._shown[key] = shown
        return shown != before


def registry(
    settings: OperatorSettings, wake: Wake, closing: Callable[[], None]
) -> kopf.OperatorRegistry:
    """Return the handlers of this operator. ``closing`` is called when kopf has ended its own.

    It then waits 5 s for every task that is younger than itself: those had better be gone.
    """
    made = kopf.OperatorRegistry()
    dependents = Dependents(wake)

    @kopf.on.login(registry=made)
    def login(**_: object) -> kopf.ConnectionInfo:
        return _connection(settings)

    @kopf.on.cleanup(registry=made)
    async def cleanup(**_: object) -> None:
        closing()

    def watch(plural: Plural, tell: Callable[..., None]) -> None:
        @kopf.on.event(GROUP, VERSION, plural, registry=made, id=plural)
        async def seen(event: Mapping[str, Any], **_: object) -> None:
            body = event["object"]
            tell(Key.of(plural, body), body, gone=event["type"] == "DELETED")

    watch("tinymodels", dependents.model)
    watch("devicefleets", dependents.fleet)
    return made


def kopf_settings() -> kopf.OperatorSettings:
    """Kopf as a watcher only: no Events, no scan of the cluster, and patience with the API."""
    made = kopf.OperatorSettings()
    made.posting.enabled = False
    made.scanning.disabled = True
    made.peering.standalone = True
    made.networking.error_backoffs = Patience()
    return made


class Patience:
    """Endless delays of 1 s growing to 30 s, jittered: an API server that is away comes back."""

    def __iter__(self) -> Iterator[float]:
        delay = 1.0
        while True:
            yield delay * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries
            delay = min(30.0, delay * 2)


def _connection(settings: OperatorSettings) -> kopf.ConnectionInfo:
    found = load(settings.kubeconfig)
    scheme, _, token = (found.get_api_key_with_prefix("authorization") or "").rpartition(" ")
    return kopf.ConnectionInfo(
        server=found.host,
        ca_path=found.ssl_ca_cert,
        insecure=not found.verify_ssl,
        scheme=scheme or None,
        token=token or None,
        certificate_path=found.cert_file,
        private_key_path=found.key_file,
    )
