"""What a run says about the data sets that it read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SETS = ("pool", "evaluation")  # of what a run read; samples and labels are the store's
_NAMED = 3  # photos that a message names
_LONGEST = 400  # characters of what is said about one set; conditions are not endless


def left_out(document: Mapping[str, Any]) -> str:
    """Say which photos a run could not read; empty when it read all."""
    said = []
    read = document.get("data") or {}
    for name in _SETS:
        record = read.get(name) or {}
        count = int(record.get("unreadable", 0))
        if not count:
            continue
        named = [str(photo) for photo in record.get("unreadableNames", ())][:_NAMED]
        more = f" and {count - len(named)} more" if count > len(named) else ""
        text = f"{count} photos of the {name} set at {record['uri']}: {'; '.join(named)}{more}"
        said.append(text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "...")
    if not said:
        return ""
    return f"Left out, because they cannot be read: {'. '.join(said)}. Replace or remove them."
