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

from .base import Parameters, RunKey

Spec = dict[str, Any]
# Told to the steps, so that a failing one can leave its cause in the run's folder.
STORE_VARIABLE, OUTPUT_VARIABLE = "PETIOLE_RUN_STORE", "PETIOLE_RUN_OUTPUT"
# What obstore reads; keys of the Secret that the steps are given.
SECRET_KEYS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ALLOW_HTTP",
)


@dataclass(frozen=True, slots=True)
class KfpTemplate:
    """What every run has in common. ``documents``: the compiled pipeline's YAML documents."""

    documents: tuple[Mapping[str, Any], ...]
    image: str = ""  # empty: the one it was compiled with
    secret: str = ""  # a Secret where KFP runs Pods, with ``SECRET_KEYS``


def run_spec(
    template: KfpTemplate, key: RunKey, parameters: Parameters, deadline_seconds: float
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
    ]
    for executor in executors.values():
        container = executor["container"]
        container["env"] = [*container.get("env", ()), *told]
        if template.image:
            container["image"] = template.image
    return {
        "pipeline_spec": spec,
        "platform_spec": _platform(template, list(executors), deadline_seconds),
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


def _platform(template: KfpTemplate, executors: list[str], deadline_seconds: float) -> Spec:
    """Return the kubernetes platform's part. KFP ends no run by itself: no Pod outlives this."""
    merged: Spec = {}
    for document in template.documents[1:]:
        merged |= copy.deepcopy(dict(document))
    platform = merged.setdefault("platforms", {}).setdefault("kubernetes", {})
    each = platform.setdefault("deploymentSpec", {}).setdefault("executors", {})
    for name in executors:
        settings = each.setdefault(name, {})
        settings["activeDeadlineSeconds"] = str(math.ceil(deadline_seconds))
        if template.secret:
            keys = [{"secretKey": key, "envVar": key} for key in SECRET_KEYS]
            given = {
                "secretName": template.secret,
                # The name's newer place: servers of either kind find it.
                "secretNameParameter": {"runtimeValue": {"constant": template.secret}},
                "keyToEnv": keys,
                "optional": True,
            }
            settings["secretAsEnv"] = [*settings.get("secretAsEnv", ()), given]
    return merged
