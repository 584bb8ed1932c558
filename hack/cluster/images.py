"""The images of an installation, and of the version after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hack.image.control import control
from hack.image.mosquitto import mosquitto
from hack.image.oci import Image
from hack.image.pipelines import pipelines

NEXT = "0.1.1"  # what the next version's images are called; their content is the same


def images(say: Callable[[str], None]) -> list[Image]:
    """All that the chart names. Raises ``BuildError``."""
    own = [*control(say), pipelines(say)]
    return [*(replace(image, also=(_next(image.name),)) for image in own), mosquitto(say)]


def _next(name: str) -> str:
    return f"{name.rpartition(':')[0]}:{NEXT}"
