"""The Kubernetes Job of a run: pure, a template and a run in, an object for the API server out."""

from __future__ import annotations

import copy
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from petiole.api.base import GROUP, VERSION
from petiole.learning.runs import CLAIMS_MOUNT, CREDENTIAL_PREFIX

from .base import Credentials, RunKey
from .record import claims

CONTAINER = "pipeline"
RUN_VARIABLE = "PETIOLE_RUN"  # read by petiole_pipelines.run_job
NAME_ANNOTATION, UID_LABEL = f"{GROUP}/run", f"{GROUP}/model-uid"
_COMMAND = ("python", "-m", "petiole_pipelines.run_job")
_NAME = 63  # characters: the name of a Job is also the value of a label of its Pods
_DIGEST = 10
# The child ends itself at its deadline and can say at which step; the Job's own, which counts from
# before the Pod is scheduled, is the net below.
_GRACE = 60.0  # seconds
_KEPT = 86_400  # seconds that a finished Job and its log stay


@dataclass(frozen=True, slots=True)
class JobTemplate:
    """What every run's Pod has in common.

    ``pod`` is a PodTemplateSpec; its container ``pipeline``, where it has one, says resources,
    mounts and environment.
    """

    image: str
    pod: Mapping[str, Any] = field(default_factory=dict)


def job_name(run: str) -> str:
    """Return the Job's name: the run's, cut and with a digest behind it where it does not fit."""
    plain = run.replace(".", "-")
    if plain == run and len(run) <= _NAME:
        return run
    digest = hashlib.sha256(run.encode()).hexdigest()[:_DIGEST]
    return f"{plain[: _NAME - _DIGEST - 1].rstrip('-')}-{digest}"


def job_body(
    key: RunKey,
    document: Mapping[str, Any],
    template: JobTemplate,
    credentials: Credentials | None = None,
    variables: Mapping[str, str] = {},
) -> dict[str, Any]:
    """Return the Job that runs ``document`` (run.json) once; it names the Secret, no value.

    The template's environment goes before ``variables``.
    """
    marks = {
        "labels": {
            "app.kubernetes.io/name": "petiole-pipelines",
            "app.kubernetes.io/managed-by": "petiole",
            UID_LABEL: key.uid,
        },
        "annotations": {NAME_ANNOTATION: key.name},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job_name(key.name),
            "namespace": key.namespace,
            "ownerReferences": [
                {
                    "apiVersion": f"{GROUP}/{VERSION}",
                    "kind": "TinyModel",
                    "name": key.model,
                    "uid": key.uid,
                    "controller": True,
                    "blockOwnerDeletion": False,
                }
            ],
        }
        | marks,
        "spec": {
            "backoffLimit": 0,  # attempts are counted in TinyModel.status, by the run's name
            "activeDeadlineSeconds": math.ceil(document["deadlineSeconds"] + _GRACE),
            "ttlSecondsAfterFinished": _KEPT,
            "template": _pod(marks, document, template, credentials, variables),
        },
    }


def _pod(
    marks: Mapping[str, Any],
    document: Mapping[str, Any],
    template: JobTemplate,
    credentials: Credentials | None,
    variables: Mapping[str, str],
) -> dict[str, Any]:
    pod: dict[str, Any] = copy.deepcopy(dict(template.pod))
    meta = pod.setdefault("metadata", {})
    for kind, ours in marks.items():
        meta[kind] = {**meta.get(kind, {}), **ours}
    spec = pod.setdefault("spec", {})
    spec["restartPolicy"] = "Never"
    spec.setdefault("automountServiceAccountToken", False)  # a run asks nothing of the API server
    spec.setdefault("securityContext", {"seccompProfile": {"type": "RuntimeDefault"}})
    named = claims(document["parameters"])
    spec["volumes"] = [*spec.get("volumes", ()), *map(_volume, named)]
    given = {container["name"]: container for container in spec.get("containers", ())}
    pipeline = given.pop(CONTAINER, {})
    spec["containers"] = [
        {
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
            },
            **pipeline,
            "name": CONTAINER,
            "image": template.image,
            "command": list(_COMMAND),
            # Of two of a name the last one counts.
            "env": [
                *({"name": name, "value": value} for name, value in variables.items()),
                *pipeline.get("env", ()),
                *_variables(document, credentials),
            ],
            "volumeMounts": [*pipeline.get("volumeMounts", ()), *map(_mount, named)],
        },
        *given.values(),
    ]
    return pod


def _variables(
    document: Mapping[str, Any], credentials: Credentials | None
) -> list[dict[str, Any]]:
    run = {"name": RUN_VARIABLE, "value": json.dumps(document, sort_keys=True)}
    if credentials is None:
        return [run]
    secrets = [
        {
            "name": CREDENTIAL_PREFIX + key,
            "valueFrom": {"secretKeyRef": {"name": credentials.secret, "key": key}},
        }
        for key in sorted(credentials.values)
    ]
    return [run, *secrets]


def _volume(claim: str) -> dict[str, Any]:
    return {"name": _volume_name(claim), "persistentVolumeClaim": {"claimName": claim}}


def _mount(claim: str) -> dict[str, Any]:
    path = f"{CLAIMS_MOUNT}/{claim}"
    return {"name": _volume_name(claim), "mountPath": path, "readOnly": True}


def _volume_name(claim: str) -> str:
    """Return a volume's name, which is shorter than a claim's may be and has no dots."""
    return "claim-" + hashlib.sha256(claim.encode()).hexdigest()[:_DIGEST]
