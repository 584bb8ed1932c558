"""What the decisions know about a pipeline run. The runners produce it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

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
