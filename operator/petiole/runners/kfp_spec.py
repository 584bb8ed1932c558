"""The compiled pipeline as one run needs it: pure, IR documents in and out.

Image, environment, limits and secrets are the installation's, not the pipeline's; a run carries
its whole specification with it, so nothing has to be uploaded or versioned at KFP.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from petiole.learning.runs import CLAIMS_MOUNT, CREDENTIAL_PREFIX, STORE_MOUNT

from .base import Credentials, Parameters, RunKey
from .record import claims

Spec = dict[str, Any]
# Told to the steps, so that a failing one can leave its cause in the run's folder.
STORE_VARIABLE, OUTPUT_VARIABLE = "PETIOLE_RUN_STORE", "PETIOLE_RUN_OUTPUT"


@dataclass(frozen=True, slots=True)
class KfpTemplate:
    """What every run has in common. ``documents``: the compiled pipeline's YAML documents."""

    documents: tuple[Mapping[str, Any], ...]
    image: str = ""  # empty: the one it was compiled with
    secret: str = ""  # a Secret where KFP runs Pods, with some of ``STORE_KEYS``


def run_spec(
    template: KfpTemplate,
    key: RunKey,
    parameters: Parameters,
    deadline_seconds: float,
    credentials: Credentials | None = None,
    variables: Mapping[str, str] = {},
) -> Spec:
    """Return the ``pipeline_spec`` of a run: IR and platform specification."""
    spec: Spec = copy.deepcopy(dict(template.documents[0]))
    for task in _tasks(spec):
        # embed reads what may have changed under the same URI, and the others write to the store
        # beside their outputs: a cached step would lie.
        task["cachingOptions"] = {}
    executors = spec["deploymentSpec"]["executors"]
    told = [
        {"name": STORE_VARIABLE, "value": str(parameters["store_uri"])},
        {"name": OUTPUT_VARIABLE, "value": key.folder},
        *({"name": name, "value": value} for name, value in variables.items()),
    ]
    for executor in executors.values():
        container = executor["container"]
        container["env"] = [*container.get("env", ()), *told]
        if template.image:
            container["image"] = template.image
    ours = {
        # KFP ends no run by itself: no Pod outlives this.
        "activeDeadlineSeconds": str(math.ceil(deadline_seconds)),
        "secretAsVolume": [_store(template.secret)] if template.secret else [],
        "secretAsEnv": [] if credentials is None else [_data(credentials)],
        "pvcMount": [_mount(claim) for claim in claims(parameters)],
    }
    return {
        "pipeline_spec": spec,
        "platform_spec": _platform(template, list(executors), ours),
    }


def arguments(template: KfpTemplate, parameters: Parameters) -> dict[str, Any]:
    """Return the run's parameters as KFP wants them: lists and structures not as text."""
    inputs = template.documents[0]["root"]["inputDefinitions"]["parameters"]
    structured = {n for n, d in inputs.items() if d["parameterType"] in ("LIST", "STRUCT")}
    return {
        name: json.loads(value) if name in structured and isinstance(value, str) else value
        for name, value in parameters.items()
    }


def _tasks(spec: Spec) -> Iterator[Spec]:
    """Yield all tasks, also those within conditions and loops."""
    for part in (spec["root"], *spec.get("components", {}).values()):
        yield from part.get("dag", {}).get("tasks", {}).values()


def _platform(template: KfpTemplate, executors: list[str], ours: Mapping[str, Any]) -> Spec:
    """Return the compiled platform specification with ``ours`` for each executor.

    The fields are those of kfp-kubernetes (KubernetesExecutorConfig).
    """
    merged: Spec = {}
    for document in template.documents[1:]:
        merged |= copy.deepcopy(dict(document))
    platform = merged.setdefault("platforms", {}).setdefault("kubernetes", {})
    each = platform.setdefault("deploymentSpec", {}).setdefault("executors", {})
    for name in executors:
        each[name] = {**each.get(name, {}), **{key: value for key, value in ours.items() if value}}
    return merged


def _store(secret: str) -> Spec:
    """Mount the Secret that opens the object store.

    Older servers take every key of a variable for required, and no Pod starts without it.
    """
    return _secret(secret) | {"mountPath": STORE_MOUNT, "optional": True}


def _data(credentials: Credentials) -> Spec:
    """Give the keys that open the data sets as variables; their Secret lies where KFP runs Pods."""
    return _secret(credentials.secret) | {
        "keyToEnv": [
            {"secretKey": key, "envVar": CREDENTIAL_PREFIX + key}
            for key in sorted(credentials.values)
        ]
    }


def _secret(name: str) -> Spec:
    # The name's newer place, too: servers of either kind find it.
    return {
        "secretName": name,
        "secretNameParameter": {"runtimeValue": {"constant": name}},
    }


def _mount(claim: str) -> Spec:
    return {
        "constant": claim,
        "pvcNameParameter": {"runtimeValue": {"constant": claim}},
        "mountPath": f"{CLAIMS_MOUNT}/{claim}",
    }
