"""What one row costs in a commit: ``python -m bench.store [--rows 4000] [--commits 20]``.

CPU of this process (and, for PostgreSQL, of its server's children) in microseconds a row.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from hack.testbed.postgres import Postgres
from petiole.gateway import schema
from petiole.gateway.settings import Settings
from petiole.gateway.store import Changes, Store


def device(n: int, commit: int) -> dict[str, Any]:
    return {
        "id": f"device-{n:06}", "registered": True, "labels": {"site": f"s{n % 40}", "kind": "m"},
        "state": bytes(90), "seen_at": float(commit), "fleet": "default.meters", "grant": bytes(90),
    }  # fmt: skip


async def measure(url: str, rows: int, commits: int) -> tuple[float, float]:
    """Return microseconds of CPU and of wall time a row."""
    store = Store(url)
    await store.open()
    cpu = wall = 0.0
    for commit in range(commits + 1):
        changes = Changes()
        for n in range(rows):
            changes.put(schema.devices, device(n, commit))
        before, start = time.process_time(), time.perf_counter()
        await store.commit(changes)
        if commit:  # the first one inserts and is the warm-up
            cpu += time.process_time() - before
            wall += time.perf_counter() - start
    await store.close()
    return 1e6 * cpu / rows / commits, 1e6 * wall / rows / commits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=4000, help="rows a commit")
    parser.add_argument("--commits", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Postgres(folder) as server:
            urls = {
                "SQLite": Settings.sqlite(folder / "fleet.db"),
                "PostgreSQL": asyncio.run(server.database("fleet")),
            }
            for kind, url in urls.items():
                cpu, wall = asyncio.run(measure(url, given.rows, given.commits))
                print(f"{kind:11} {cpu:6.1f} us CPU a row here, {wall:6.1f} us wall")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"peak memory {peak} MiB")


if __name__ == "__main__":
    main()
