"""``petiole must-gather``: all that a helper needs to see, in one archive, without secrets."""

from __future__ import annotations

import asyncio
import io
import os
import tarfile
import time
from collections.abc import Awaitable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml

from petiole.api.base import GROUP

from . import reasons
from .gateway_api import Bearer, GatewayError, OptionalGateway, call, data
from .scrub import clean, clean_text
from .settings import console, fail
from .where import FLEETS, MODELS, Context, Kubeconfig, ask

if TYPE_CHECKING:
    from petiole.controller.cluster import Cluster

_PODS = "app.kubernetes.io/name in (petiole,petiole-pipelines)"
_LINES = 5000  # of a container's log
_SECRET_VARIABLES = ("TOKEN", "PASSWORD", "SECRET", "ACCESS_KEY", "DATABASE_URL")
_KINDS = {FLEETS: "DeviceFleet", MODELS: "TinyModel"}


@dataclass(slots=True)
class Bundle:
    """Files by name, and what could not be had. What is added is cleaned first."""

    known: tuple[str, ...] = ()
    files: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, found: object) -> None:
        """Keep text as it is, anything else as YAML."""
        if isinstance(found, str):
            self.files[name] = clean_text(found, self.known)
        else:
            cleaned = clean(found, self.known)
            self.files[name] = yaml.safe_dump(cleaned, sort_keys=False, width=120)

    async def take(self, name: str, asked: Awaitable[object]) -> Any:  # noqa: ANN401 - JSON
        """Add what is asked for and return it; note the reason, and return None, when it fails."""
        from petiole.controller.cluster import ClusterError  # noqa: PLC0415 - takes a second

        try:
            found = await asked
        except (ClusterError, GatewayError) as error:
            self.missing[name] = clean_text(str(error), self.known)
            return None
        self.add(name, found)
        return found

    def archive(self, folder: str) -> bytes:
        """Return all of it as a gzipped tar."""
        self.files["missing.yaml"] = yaml.safe_dump(self.missing, width=120)
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            for name, text in sorted(self.files.items()):
                entry = tarfile.TarInfo(f"{folder}/{name}")
                entry.size, entry.mtime = len(text.encode()), int(time.time())
                tar.addfile(entry, io.BytesIO(text.encode()))
        return packed.getvalue()


def must_gather(
    kubeconfig: Kubeconfig = None,
    context: Context = "",
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", help="Only this one; default: all.")
    ] = "",
    file: Annotated[Path | None, typer.Option("--file", "-f", help="The archive.")] = None,
    gateway: OptionalGateway = "",
    token: Bearer = "",
    operator: Annotated[
        str,
        typer.Option(envvar="PETIOLE_OPERATOR_URL", help="Address of the operator's --listen."),
    ] = "",
) -> None:
    """Put objects, events, logs and metrics into one archive for whoever helps; no secrets.

    Secrets are not read. Environments and arguments of Pods, tokens, passwords and keys are left
    out; look through it all the same before it leaves the house.
    """
    now = datetime.now(UTC)
    name = f"petiole-must-gather-{now:%Y%m%dT%H%M%SZ}"
    bundle = Bundle(known=_known(token))

    async def gather(cluster: Cluster) -> None:
        await _cluster(bundle, cluster, namespace, now)
        await _gateway(bundle, gateway, token)
        await _operator(bundle, operator)

    ask(kubeconfig, context, gather)
    path = file or Path(f"{name}.tar.gz")
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(bundle.archive(name))
    except OSError as error:
        fail(f"cannot write {path}: {error.strerror}")
    console.print(f"{path}: {len(bundle.files)} files", highlight=False)
    for part, why in bundle.missing.items():
        console.print(f"  without {part}: {why}", highlight=False, soft_wrap=True)


def _known(token: str) -> tuple[str, ...]:
    """Values that this process was given as secrets."""
    given = (v for k, v in os.environ.items() if k.upper().endswith(_SECRET_VARIABLES))
    return tuple({token, *given} - {""})


# --- the cluster ----------------------------------------------------------------------------------


async def _cluster(bundle: Bundle, cluster: Cluster, namespace: str, now: datetime) -> None:
    scope = f"/namespaces/{namespace}" if namespace else ""
    await bundle.take("cluster/version.yaml", cluster.read("/version"))
    for plural in _KINDS:
        path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural}.{GROUP}"
        await bundle.take(f"crds/{plural}.yaml", cluster.read(path))
        found = await bundle.take(
            f"objects/{plural}.yaml", cluster.all(plural, (namespace,) if namespace else ())
        )
        for name, text in _told(plural, found or (), now):
            bundle.add(name, text)
    for kind in _KINDS.values():
        path = f"/api/v1{scope}/events?fieldSelector=involvedObject.kind={kind}"
        await bundle.take(f"events/{kind}.yaml", cluster.read(path))
    marked = f"/apis/batch/v1{scope}/jobs?labelSelector={GROUP}/model-uid"
    await bundle.take("jobs.yaml", cluster.read(marked))
    pods = await bundle.take(
        "pods.yaml", cluster.read(f"/api/v1{scope}/pods?labelSelector={_PODS}")
    )
    for pod in (pods or {}).get("items", ()):
        await _logs(bundle, cluster, pod)


def _told(plural: str, bodies: Any, now: datetime) -> Iterator[tuple[str, str]]:  # noqa: ANN401
    """Say of each object what it waits for, as `petiole why` does."""
    for body in bodies:
        name = f"why/{plural}/{body['metadata']['namespace']}.{body['metadata']['name']}.txt"
        yield name, f"{reasons.of_body(body, now)}\n"


async def _logs(bundle: Bundle, cluster: Cluster, pod: Mapping[str, Any]) -> None:
    meta = pod["metadata"]
    path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/log"
    for container in pod["spec"]["containers"]:
        name = f"logs/{meta['namespace']}/{meta['name']}/{container['name']}.txt"
        query = f"container={container['name']}&tailLines={_LINES}"
        await bundle.take(name, cluster.text(f"{path}?{query}"))


# --- the processes --------------------------------------------------------------------------------


async def _gateway(bundle: Bundle, url: str, token: str) -> None:
    if not url:
        bundle.missing["gateway"] = "its address was not given: --gateway"
        return

    async def get(name: str, path: str) -> Any:  # noqa: ANN401 - JSON
        return await bundle.take(f"gateway/{name}", _fetched(url, token, path))

    await get("metrics.txt", "/metrics")
    await get("readyz.yaml", "/readyz")
    for fleet in await get("fleets.yaml", "/v1/fleets") or ():
        await get(f"summaries/{fleet}.yaml", f"/v1/fleets/{fleet}/summary")


async def _operator(bundle: Bundle, url: str) -> None:
    if not url:
        bundle.missing["operator"] = "its address was not given: --operator"
        return
    for name in ("metrics", "readyz"):
        asked = _fetched(url, "", f"/{name}", server="operator")
        await bundle.take(f"operator/{name}.txt", asked)


async def _fetched(url: str, token: str, path: str, server: str = "gateway") -> object:
    """Return JSON as data, anything else as text."""
    answer = await asyncio.to_thread(call, url, token, "GET", path, path, server=server)
    is_json = "json" in answer.headers.get("content-type", "")
    return data(answer) if is_json else answer.text
