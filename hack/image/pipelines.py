"""The pipelines image without Docker: what ``docker build --target pipelines`` makes, on Debian 12.

Its lower layer has 1.6 GB.
"""

from __future__ import annotations

from collections.abc import Callable

from .oci import Image
from .python import base, code, image

NAME = "localhost/petiole-pipelines:0.1.0"
_FOLDERS = ("operator", "pipelines")


def pipelines(say: Callable[[str], None]) -> Image:
    """Have the image's lower layer in the user's cache and lay this checkout's code over it.

    Raises ``BuildError``.
    """
    layers = (base("pipelines", say), code(_FOLDERS))
    return image(NAME, layers, _FOLDERS, ("python", "-m", "petiole_pipelines.run_local"))
