"""What a run keeps so that it can be replayed: the labels and field samples that it saw.

``inputs.json`` beside a run's document: ``{labels: {id: label}, samples: [hash]}``. The document
has the digests of both, those of the data sets, and the seed. Labels and samples grow between
runs, so a digest alone could not bring them back; samples stay in the store by their hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

INPUTS = "inputs.json"


def inputs(
    labels: Mapping[str, str], samples: Sequence[str], samples_path: str, seed: int
) -> dict[str, Any]:
    """Return what is recorded of labels ``{id: label}`` and field samples, oldest first."""
    return {
        "labels": {"digest": digest(dict(sorted(labels.items()))), "samples": len(labels)},
        "samples": {"path": samples_path, "digest": digest(samples), "samples": len(samples)},
        "seed": seed,
    }


def digest(content: object) -> str:
    """SHA-256 of a JSON document without spaces, hex."""
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()
