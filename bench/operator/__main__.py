"""``python -m bench.operator``: tables, and figures in ``build/bench/operator.json``.

Exit status 1 when a part misses what it must show.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from rich.console import Console

from . import crashes, faults, figures, scale, schema, takeover
from .breaks import BREAKS

LIMIT = 20.0  # seconds until the other acts
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


def _crashes(options: argparse.Namespace, console: Console) -> bool:
    found = crashes.sweep(options.every, options.lanes, console, options.writes)
    console.print(crashes.table(found))
    figures.keep({"crashSweep": found.figures()})
    return found.good


def _faults(options: argparse.Namespace, console: Console) -> bool:
    found = faults.measure(options.faults, options.lanes, console)
    console.print(faults.table(found))
    figures.keep({"faults": found.figures()})
    return found.good


def _takeover(options: argparse.Namespace, console: Console) -> bool:
    found = takeover.measure(options.repeats, console)
    console.print(takeover.table(found))
    worst = max(one.seconds for one in found)
    both = sum(one.overlap for one in found)
    figures.keep({"takeoverSeconds": round(worst, 1), "takeoverOverlaps": both})
    return worst <= LIMIT and not both


PARTS: dict[str, Part] = {
    "schema": _schema,
    "scale": _scale,
    "takeover": _takeover,
    "crashes": _crashes,
    "faults": _faults,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.operator", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=sorted(PARTS), default=list(PARTS))
    parser.add_argument("--objects", type=int, default=2000, help="scale: of both kinds")
    parser.add_argument(
        "--rest-seconds", type=float, default=scale.REST_SECONDS, help="scale: at rest"
    )
    parser.add_argument("--every", type=int, default=1, help="crashes: only every k-th write")
    parser.add_argument("--writes", type=int, nargs="+", default=(), help="crashes: only these")
    parser.add_argument("--faults", nargs="+", choices=list(BREAKS), default=list(BREAKS))
    parser.add_argument("--lanes", type=int, default=3, help="crashes, faults: plays side by side")
    parser.add_argument("--repeats", type=int, default=5, help="takeover: of each kind")
    options = parser.parse_args()
    console = Console()
    good = [PARTS[name](options, console) for name in options.only]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
