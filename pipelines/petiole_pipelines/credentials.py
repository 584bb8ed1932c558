"""What opens the object store, where an installation gives it to KFP's Pods as mounted files."""

from __future__ import annotations

import os
from pathlib import Path

from petiole.learning.runs import STORE_KEYS, STORE_MOUNT


def adopt() -> None:
    """Make variables of the files that are there; what is set already stays."""
    for key in STORE_KEYS:
        file = Path(STORE_MOUNT, key)
        if file.is_file():
            os.environ.setdefault(key, file.read_text(encoding="utf-8").strip())
