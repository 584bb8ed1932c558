"""Compare a version's variants with tflite-micro.

``python -m hack.demo.exact OUT VERSION INPUTS TARGET=FILE...``; a process of its own, because
interpreting models would hold up the loop that feeds the field.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hack.testbed.exactness import Where, compare

PLACES: tuple[Where, ...] = ("posix", "an386")


def compare_all(version: int, variants: Sequence[str], inputs: int) -> list[dict[str, Any]]:
    """Variants are ``target=file.tflite``; one result a variant and place."""
    results = []
    for variant in variants:
        target, _, file = variant.partition("=")
        for where in PLACES:
            found = compare(Path(file).read_bytes(), inputs=inputs, where=where)
            results.append(
                {
                    "version": version,
                    "target": target,
                    "where": where,
                    "inputs": found.inputs,
                    "mismatches": found.mismatches,
                    "instructions": found.instructions,
                }
            )
    return results


if __name__ == "__main__":
    out, number, count, *rest = sys.argv[1:]
    Path(out).write_text(json.dumps(compare_all(int(number), rest, int(count))))
