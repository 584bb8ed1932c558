"""The Kubernetes API as the reconciles use it: fresh reads, status patches, Events.

kopf watches; this reads and writes. Credentials are found by the official client's loader, and the
few calls are made by httpx, because they must be asynchronous and have deadlines.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ssl
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import httpx
from kubernetes import client, config

from petiole.api.base import GROUP, VERSION

from . import metrics
from .problem import Problem

KINDS = {"tinymodels": "TinyModel", "devicefleets": "DeviceFleet"}
_TIMEOUT = 15.0  # seconds
_LONGEST_PAUSE = 30.0  # seconds that the API server may ask for
_POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_EVENT_MESSAGE = 1000  # characters; the API server refuses more than 1024

Object = Mapping[str, Any]


class ClusterError(Problem):
    """The API server cannot be asked."""


class ConflictError(ClusterError):
    """The object changed since it was read."""


class RefusedError(ClusterError):
    """The API server will never take this request: no right, no such place, not valid."""


def load(kubeconfig: Path | None, context: str = "") -> client.Configuration:
    """Find address and credentials: of a kubeconfig file, else of the cluster this runs in.

    ``context`` is one of the file's; empty: its current one.
    """
    found = client.Configuration()
    try:
        if kubeconfig is None:
            config.load_incluster_config(client_configuration=found)
        else:
            config.load_kube_config(
                config_file=str(kubeconfig), context=context or None, client_configuration=found
            )
    except (config.ConfigException, OSError, ValueError) as error:
        raise ClusterError(
            f"No credentials for a cluster: {error}. Give --kubeconfig, or run inside a cluster."
        ) from error
    return found


def current_namespace(kubeconfig: Path | None, context: str = "") -> str:
    """Return the namespace of a kubeconfig's context, or that of the Pod this runs in."""
    if kubeconfig is None:
        return _POD_NAMESPACE.read_text().strip() if _POD_NAMESPACE.exists() else "default"
    try:
        contexts, current = config.list_kube_config_contexts(str(kubeconfig))
    except (config.ConfigException, OSError) as error:
        raise ClusterError(f"No credentials for a cluster: {error}. Give --kubeconfig.") from error
    chosen = next((c for c in contexts if c["name"] == context), None) if context else current
    if chosen is None:
        raise ClusterError(f"{kubeconfig} has no context {context!r}.")
    return str(chosen["context"].get("namespace") or "default")


def _anybody() -> None:
    """Hold no write up."""


class Cluster:
    """Objects of Petiole in one cluster. ``fence`` raises when nothing may be written any more."""

    def __init__(self, found: client.Configuration, fence: Callable[[], None] = _anybody) -> None:
        self._found, self._fence = found, fence
        self._resumes = 0.0  # when the API server may be asked again (monotonic)
        self._client = httpx.AsyncClient(
            base_url=found.host, verify=_tls(found), timeout=_TIMEOUT, trust_env=False
        )

    @classmethod
    def connect(
        cls,
        kubeconfig: Path | None,
        context: str = "",
        fence: Callable[[], None] = _anybody,
    ) -> Self:
        return cls(load(kubeconfig, context), fence)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def get(self, plural: str, namespace: str, name: str) -> Object | None:
        """Return the object as it is now, or None."""
        answer = await self._send("GET", _path(plural, namespace, name), missing_ok=True)
        return None if answer is None else dict(answer.json())

    async def all(
        self, plural: str, namespaces: tuple[str, ...] = (), where: str = ""
    ) -> list[Object]:
        """Return all objects of a kind, of some namespaces or, without any, of the cluster.

        ``where`` is a field selector, such as ``spec.model.name=digits``.
        """
        asked = f"?{urlencode({'fieldSelector': where})}" if where else ""
        answers = [await self._send("GET", _path(plural, n) + asked) for n in namespaces or ("",)]
        return [item for answer in answers if answer is not None for item in answer.json()["items"]]

    async def delete(self, plural: str, namespace: str, name: str) -> None:
        """Delete the object, if there is one."""
        await self._send("DELETE", _path(plural, namespace, name), missing_ok=True)

    async def secret(self, namespace: str, name: str) -> dict[str, str]:
        """Return the values of a Secret by key. Raises Problem when there is none."""
        path = f"/api/v1/namespaces/{namespace}/secrets/{name}"
        answer = await self._send("GET", path, missing_ok=True)
        if answer is None:
            raise Problem(f"There is no Secret {name} in the namespace {namespace}. Make it there.")
        data: dict[str, str] = answer.json().get("data") or {}
        return {
            key: base64.b64decode(value).decode(errors="replace") for key, value in data.items()
        }

    async def read(self, path: str) -> Object:
        """Return the JSON that the API server has at a path."""
        answer = await self._send("GET", path)
        return dict(answer.json()) if answer is not None else {}

    async def text(self, path: str) -> str:
        """Return the text that the API server has at a path, such as a log."""
        answer = await self._send("GET", path)
        return answer.text if answer is not None else ""

    async def patch_status(self, body: Object, patch: Mapping[str, Any], plural: str) -> Object:
        """Merge ``patch`` into the status; ConflictError when ``body`` is not the newest."""
        meta = body["metadata"]
        answer = await self._send(
            "PATCH",
            _path(plural, meta["namespace"], meta["name"]) + "/status",
            json={
                "metadata": {"resourceVersion": meta["resourceVersion"]},
                "status": patch,
            },
            content_type="application/merge-patch+json",
        )
        return dict(answer.json()) if answer is not None else {}

    async def annotate(
        self, plural: str, namespace: str, name: str, annotations: Mapping[str, str]
    ) -> Object | None:
        """Merge ``annotations`` into the object's; return it, or None when there is none."""
        answer = await self._send(
            "PATCH",
            _path(plural, namespace, name),
            json={"metadata": {"annotations": dict(annotations)}},
            content_type="application/merge-patch+json",
            missing_ok=True,
        )
        return None if answer is None else dict(answer.json())

    async def job(self, namespace: str, name: str) -> Object | None:
        """Return the Job, or None."""
        answer = await self._send("GET", _job_path(namespace, name), missing_ok=True)
        return None if answer is None else dict(answer.json())

    async def create_job(self, namespace: str, body: Object) -> None:
        """Make the Job; one of that name stays as it is."""
        await self._send("POST", _job_path(namespace), json=body, exists_ok=True)

    async def delete_job(self, namespace: str, name: str) -> None:
        """Delete the Job, if there is one; its Pods follow."""
        options = {"propagationPolicy": "Background"}
        path = _job_path(namespace, name)
        await self._send("DELETE", path, json=options, missing_ok=True)

    async def lease(self, namespace: str, name: str) -> Object | None:
        """Return the Lease, or None."""
        answer = await self._send("GET", _lease_path(namespace, name), missing_ok=True)
        return None if answer is None else dict(answer.json())

    async def put_lease(self, body: Object) -> Object:
        """Make a Lease, or replace the one that was read; ConflictError when it has changed."""
        meta = body["metadata"]
        if "resourceVersion" in meta:
            path = _lease_path(meta["namespace"], meta["name"])
            answer = await self._send("PUT", path, json=body)
        else:
            answer = await self._send("POST", _lease_path(meta["namespace"]), json=body)
        return dict(answer.json()) if answer is not None else {}

    async def event(self, body: Object, plural: str, kind: str, reason: str, message: str) -> None:
        """Write an Event about an object; the same one is not written twice while it is kept.

        Raises RefusedError, for one in a namespace that is being deleted, say, or ClusterError.
        """
        meta = body["metadata"]
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        identity = hashlib.sha256(f"{meta['uid']}/{reason}/{message}".encode()).hexdigest()[:16]
        await self._send(
            "POST",
            f"/api/v1/namespaces/{meta['namespace']}/events",
            json={
                "metadata": {"name": f"{meta['name']}.{identity}", "namespace": meta["namespace"]},
                "involvedObject": {
                    "apiVersion": f"{GROUP}/{VERSION}",
                    "kind": KINDS[plural],
                    "name": meta["name"],
                    "namespace": meta["namespace"],
                    "uid": meta["uid"],
                },
                "type": kind,
                "reason": reason,
                "message": message[:_EVENT_MESSAGE],
                "source": {"component": "petiole-operator"},
                "firstTimestamp": now,
                "lastTimestamp": now,
                "count": 1,
            },
            exists_ok=True,
        )

    async def _send(
        self,
        method: str,
        path: str,
        *,
        json: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
        missing_ok: bool = False,
        exists_ok: bool = False,
    ) -> httpx.Response | None:
        await asyncio.sleep(self._resumes - time.monotonic())
        if method != "GET":
            self._fence()
        headers = {"Content-Type": content_type} | self._authorization()
        try:
            answer = await self._client.request(method, path, json=json, headers=headers)
        except httpx.HTTPError as error:
            metrics.REQUESTS.labels("api-server", method, "none").inc()
            raise ClusterError(
                f"The API server {self._found.host} does not answer: {type(error).__name__}."
            ) from error
        metrics.REQUESTS.labels("api-server", method, answer.status_code).inc()
        self._resumes = max(self._resumes, time.monotonic() + _pause(answer))
        if answer.status_code == httpx.codes.NOT_FOUND and missing_ok:
            return None
        if answer.status_code == httpx.codes.CONFLICT:
            if exists_ok:
                return None
            raise ConflictError(f"{path} has changed since it was read.")
        if answer.is_error:
            later = answer.is_server_error or answer.status_code == httpx.codes.TOO_MANY_REQUESTS
            raise (ClusterError if later else RefusedError)(
                f"The API server answered {answer.status_code} to {method} {path}: {_said(answer)}"
            )
        return answer

    def _authorization(self) -> dict[str, str]:
        # A service account's token is renewed on disk; the loader's hook reads it again.
        token = self._found.get_api_key_with_prefix("authorization")
        return {"Authorization": token} if token else {}


def _path(plural: str, namespace: str = "", name: str = "") -> str:
    place = f"/namespaces/{namespace}" if namespace else ""
    return f"/apis/{GROUP}/{VERSION}{place}/{plural}" + (f"/{name}" if name else "")


def _job_path(namespace: str, name: str = "") -> str:
    return f"/apis/batch/v1/namespaces/{namespace}/jobs" + (f"/{name}" if name else "")


def _lease_path(namespace: str, name: str = "") -> str:
    place = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
    return place + (f"/{name}" if name else "")


def _tls(found: client.Configuration) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=found.ssl_ca_cert)
    if not found.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if found.cert_file:
        context.load_cert_chain(found.cert_file, found.key_file)
    return context


def _pause(answer: httpx.Response) -> float:
    """Return for how many seconds the API server asks to be left alone (RFC 9110, 10.2.3)."""
    asked = answer.headers.get("Retry-After", "")
    return min(float(asked), _LONGEST_PAUSE) if asked.isdigit() else 0.0


def _said(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:300]
