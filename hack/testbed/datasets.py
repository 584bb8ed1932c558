"""Data sets that are not part of the project: what needs them says so and passes by without."""

from __future__ import annotations

import os
from pathlib import Path

from .processes import ROOT


def folder(name: str) -> Path:
    """Where a data set is, if it is: below ``PETIOLE_DATASETS``, else ``../shared/datasets``."""
    return Path(os.environ.get("PETIOLE_DATASETS") or ROOT.parent / "shared" / "datasets") / name
