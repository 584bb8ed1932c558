"""What the API server says to an object, without keeping it or with."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from hack.testbed.controlplane import ControlPlane
from hack.testbed.waits import wait_until
from petiole.api import crd
from petiole.api.base import GROUP, VERSION

PLURALS = {kind.name: kind.plural for kind in crd.KINDS}
Causes = list[dict[str, str]]


class Api:
    """One namespace of an API server; answers are the causes of a refusal, none when accepted."""

    def __init__(self, api: client.CustomObjectsApi, namespace: str) -> None:
        self._api = api
        self._namespace = namespace

    @classmethod
    def of(cls, control_plane: ControlPlane, namespace: str = "default") -> Api:
        """Wait until both kinds are served."""
        configuration = client.Configuration()
        config.load_kube_config(str(control_plane.kubeconfig), client_configuration=configuration)
        custom = client.CustomObjectsApi(client.ApiClient(configuration))
        for plural in PLURALS.values():
            wait_until(
                lambda plural=plural: custom.list_cluster_custom_object(GROUP, VERSION, plural),
                10,
                "CRDs served",
            )
        return cls(custom, namespace)

    def objections(self, document: dict[str, Any]) -> Causes:
        """To creating it, which is not done."""
        return self._ask(self._api.create_namespaced_custom_object, document, dry_run="All")

    def create(self, document: dict[str, Any]) -> Causes:
        return self._ask(self._api.create_namespaced_custom_object, document)

    def update_objections(self, document: dict[str, Any]) -> Causes:
        """To replacing the spec of the object of that name, which is not done."""
        return self._replace(document, dry_run="All")

    def update(self, document: dict[str, Any]) -> Causes:
        """Replace the spec of the object of that name."""
        return self._replace(document)

    def status_objections(self, document: dict[str, Any]) -> Causes:
        """To merging its status into that of the object of that name, which is not done."""
        call = self._api.patch_namespaced_custom_object_status
        name = document["metadata"]["name"]
        return self._ask(call, document, name=name, dry_run="All")

    def get(self, document: dict[str, Any]) -> dict[str, Any]:
        """The object of that name, as the API server holds it."""
        found: dict[str, Any] = self._api.get_namespaced_custom_object(
            group=GROUP, version=VERSION, namespace=self._namespace,
            plural=PLURALS[document["kind"]], name=document["metadata"]["name"],
        )  # fmt: skip
        return found

    def _replace(self, document: dict[str, Any], **more: Any) -> Causes:
        held = self.get(document)
        del held["spec"]
        spec = {"spec": document["spec"]} if "spec" in document else {}
        name = held["metadata"]["name"]
        return self._ask(self._api.replace_namespaced_custom_object, held | spec, name=name, **more)

    def _ask(self, call: Any, document: dict[str, Any], **more: Any) -> Causes:
        try:
            call(
                group=GROUP, version=VERSION, namespace=self._namespace,
                plural=PLURALS[document["kind"]], body=document, **more,
            )  # fmt: skip
        except ApiException as error:
            if error.status != HTTPStatus.UNPROCESSABLE_ENTITY:
                raise
            return list(json.loads(error.body)["details"]["causes"])
        return []
