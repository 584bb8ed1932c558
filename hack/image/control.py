"""Operator and gateway without Docker: the Dockerfile's targets of these names, on Debian 12.

Without the pipeline that is compiled for KFP, and without the list of parts.
"""

from __future__ import annotations

from collections.abc import Callable

from .oci import Image
from .python import base, code, image

_FOLDERS = ("operator",)


def control(say: Callable[[str], None]) -> tuple[Image, Image]:
    """Operator and gateway, which share their layers. Raises ``BuildError``."""
    layers = (base("operator", say), code(_FOLDERS))
    operator, gateway = (
        image(
            f"localhost/petiole-{name}:0.1.0",
            layers,
            _FOLDERS,
            ("python", "-m", "petiole.cli.main", name),
        )
        for name in ("operator", "gateway")
    )
    return operator, gateway
