"""``python -m hack.controlplane``: have the programs ready and say where they are."""

from __future__ import annotations

import sys

from .gobuild import BuildError
from .programs import ensure


def main() -> int:
    try:
        found = ensure(lambda text: print(f"control plane: {text}", file=sys.stderr, flush=True))
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for program, path in found.items():
        print(f"{program:24} {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
