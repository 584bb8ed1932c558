"""Folders of photos as samples: ``<class>/<anything>.jpg``, brought to the size of the input.

A class folder is named as its label, in any spelling that has the same letters and digits in the
same order: ``Apple_scab`` is ``apple-scab``. Photos outside of folders have no label.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from .errors import StepError
from .source import Source

SUFFIXES = (".jpg", ".jpeg", ".png")
MODES = {1: "L", 3: "RGB", 4: "RGBA"}  # by channels
_READERS = 8  # objects fetched at a time: a store far away answers slowly, and many at once
_NAMED = 5  # names that a message gives before it counts


@dataclass(frozen=True, slots=True)
class Photos:
    """Photos x uint8 [n,h,w,c], their paths as ids [n], labels [n] ("": none), and what failed."""

    x: NDArray[np.uint8]
    ids: tuple[str, ...]
    labels: tuple[str, ...]
    unreadable: tuple[str, ...]


class UnreadableError(Exception):
    """A file is no photo that can be read; the text says why."""


def read(source: Source, labels: Sequence[str], shape: tuple[int, int, int], what: str) -> Photos:
    """Read every photo below a source, in order of paths; one that is broken is left out and named.

    ``labels`` are the task's, ``shape`` is (height, width, channels). StepError without photos.
    """
    if shape[2] not in MODES:
        raise StepError(
            "DataInvalid",
            f"spec.task.input.channels is {shape[2]}; photos have 1 (grey), 3 (RGB) or 4 (RGBA)",
        )
    paths = [path for path in source.names() if is_photo(path)]
    classes = _classes(paths, labels, f"the {what} set at {source.uri}")
    with ThreadPoolExecutor(_READERS) as readers:
        read = list(readers.map(lambda path: _photo(source, path, shape), paths))
    kept = [row for row, photo in enumerate(read) if not isinstance(photo, UnreadableError)]
    if not kept:
        broken = f"; {len(paths)} files cannot be read as images" if paths else ""
        raise source.missing(
            f"the {what} set at {source.uri} holds neither samples.npz nor a photo "
            f"({', '.join(SUFFIXES)}){broken}"
        )
    return Photos(
        x=np.stack([np.asarray(read[row]) for row in kept]),
        ids=tuple(paths[row] for row in kept),
        labels=tuple(classes[row] for row in kept),
        unreadable=tuple(
            f"{path}: {photo}"
            for path, photo in zip(paths, read, strict=True)
            if isinstance(photo, UnreadableError)
        ),
    )


def is_photo(path: str) -> bool:
    """Tell photos from what else lies about: other files, hidden files and folders."""
    pure = PurePosixPath(path)
    return pure.suffix.lower() in SUFFIXES and not any(p.startswith(".") for p in pure.parts)


def spelled(name: str) -> str:
    """Spell a folder's name as labels are: ``Black rot`` -> ``black-rot``."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def decode(content: bytes, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Decode a photo, upright, averaged over areas to (height, width, channels)."""
    height, width, channels = shape
    try:
        with Image.open(io.BytesIO(content)) as opened:
            if opened.mode.startswith(("I", "F")):
                raise UnreadableError(f"its pixels are {opened.mode}; 8 bits a channel are read")
            image = ImageOps.exif_transpose(opened).convert(MODES[channels])
            small = image.resize((width, height), Image.Resampling.BOX)
    except UnidentifiedImageError:
        raise UnreadableError("is no image") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UnreadableError(str(error)) from error
    return np.asarray(small, dtype=np.uint8).reshape(shape)


def _photo(
    source: Source, path: str, shape: tuple[int, int, int]
) -> NDArray[np.uint8] | UnreadableError:
    content = source.get(path)
    if content is None:
        return UnreadableError("was removed while it was read")
    try:
        return decode(content, shape)
    except UnreadableError as error:
        return error


def _classes(paths: Sequence[str], labels: Sequence[str], where: str) -> list[str]:
    """Return the label of each path, "" for one outside of folders."""
    folders = [path.partition("/")[0] if "/" in path else "" for path in paths]
    strange = sorted({name for name in folders if name and spelled(name) not in labels})
    if strange:
        more = f" and {len(strange) - _NAMED} more" if len(strange) > _NAMED else ""
        raise StepError(
            "DataInvalid",
            f"{where} has folders that no label of spec.task.labels names: "
            f"{', '.join(strange[:_NAMED])}{more}; labels are {', '.join(labels)}. Rename or move "
            "them, or make a TinyModel with those labels",
        )
    return [spelled(name) for name in folders]
