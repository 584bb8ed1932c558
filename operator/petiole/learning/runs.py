"""What the decisions know about a pipeline run. The runners produce it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

# Keys of the Secret that ``spec.data.credentials`` names. A run has them as variables behind the
# prefix, so that nobody takes them for the credentials of the object store.
CREDENTIAL_KEYS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_ENDPOINT_URL",
)
CREDENTIAL_PREFIX = "PETIOLE_DATA_"
# What opens the object store: files of these names, where an installation mounts them.
STORE_KEYS = (*CREDENTIAL_KEYS, "AWS_ALLOW_HTTP")
STORE_MOUNT = "/var/run/petiole/store"
CLAIMS_MOUNT = "/var/run/petiole/claims"  # the folder below which volume claims are mounted by name

RunState = Literal["Running", "Succeeded", "Failed"]


@dataclass(frozen=True, slots=True)
class Run:
    """One pipeline run. ``reason`` is CamelCase, ``message`` says what failed and what to do."""

    name: str
    state: RunState
    outputs: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    step: str = ""
    message: str = ""
