"""Where figures are kept: ``build/bench/operator.json``, each part written by itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

OUTPUT = Path("build/bench")


def keep(found: Mapping[str, Any]) -> None:
    """Put these parts beside what is in the file already."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    file = OUTPUT / "operator.json"
    before = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps(before | dict(found), indent=1) + "\n")
