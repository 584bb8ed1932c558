"""``python -m hack.chart``: have the programs ready and say where they are.

``python -m hack.chart helm``: Helm only.
"""

from __future__ import annotations

import sys

from .programs import FetchError, helm, prometheus, promtool


def main() -> int:
    try:
        print(f"helm     {helm()}")
    except FetchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if sys.argv[1:] == ["helm"]:
        return 0
    try:
        print(f"promtool {promtool()}")
        print(f"prometheus {prometheus()}")
    except FetchError as error:  # the tests that want them say so and are skipped
        print(f"chart: {error}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
