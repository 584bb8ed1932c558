"""The examples that the demo can play, by the name of their folder below ``examples/``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from hack.demo.example import Example

from . import digits, leaves, pumps

EXAMPLES: Mapping[str, Callable[..., Example]] = MappingProxyType(
    {
        "digits": digits.example,
        "leaf-disease": leaves.example,
        "pump-anomaly": pumps.example,
    }
)
