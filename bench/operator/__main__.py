"""``python -m bench.operator``: tables, and figures in ``build/bench/operator.json``.

Exit status 1 when a part misses what it must show.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from rich.console import Console

from . import figures, scale, schema

Part = Callable[[argparse.Namespace, Console], bool]


def _schema(_: argparse.Namespace, console: Console) -> bool:
    found = schema.measure(console)
    console.print(schema.table(found))
    figures.keep({"schema": found.figures()})
    return found.good


def _scale(options: argparse.Namespace, console: Console) -> bool:
    found = scale.measure(options.objects // 2, options.rest_seconds, console)
    console.print(scale.table(found), scale.requests(found))
    figures.keep({"scale": found.figures()})
    return found.good


PARTS: dict[str, Part] = {"schema": _schema, "scale": _scale}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.operator", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=sorted(PARTS), default=list(PARTS))
    parser.add_argument("--objects", type=int, default=2000, help="scale: of both kinds")
    parser.add_argument(
        "--rest-seconds", type=float, default=scale.REST_SECONDS, help="scale: at rest"
    )
    options = parser.parse_args()
    console = Console()
    good = [PARTS[name](options, console) for name in options.only]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
