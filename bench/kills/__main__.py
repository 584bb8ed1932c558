"""``python -m bench.kills --runs 100 --database sqlite``: kills at random change no end.

Each seed is a rollout to 1,000 C device cores, good or bad, while gateway, operator, broker and
database are killed with -9. Judged by the devices' own events: the end is the one without kills, no
count is lost or doubled, no device began outside its stage. Exit status 1 when one seed fails.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from hack.testbed.crowd import sites
from hack.testbed.waits import DeadlineError
from petiole.rollout.cohort import order

from .plan import FAILING, Scenario, scenario
from .truth import Event, early
from .world import ROLLOUT, Database, World

OUT = Path("build/bench")
END_SECONDS = 180.0  # a rollout without kills takes a few
SETTLE_SECONDS = 30.0
FLUSH = 0.5  # seconds in which devices' events are in the file
SLACK = 0.05  # between the clocks


@dataclass(slots=True)
class Outcome:
    """One seed: what went wrong, and figures for the table."""

    seed: int
    bad: bool
    kills: str
    seconds: float = 0.0
    result: str = ""
    exposed: int = 0
    problems: list[str] = field(default_factory=list)


def run(world: World, plan: Scenario) -> Outcome:
    """Roll one version out under the seed's kills and look at the end."""
    outcome = Outcome(plan.seed, plan.bad, plan.words)
    world.events.new()
    stable = int(world.crowd.status().get("revision", {}).get("stable", 0))
    began = time.monotonic()
    number = _publish(world, plan)
    for kill in plan.kills:
        world.kill(kill)
    try:
        status = world.crowd.wait(lambda s: _over(s, number), END_SECONDS, f"revision {number}")
    except DeadlineError as error:
        outcome.problems.append(str(error))
        return outcome
    outcome.seconds = time.monotonic() - began
    entry = next(e for e in reversed(status["history"]) if e["revision"] == number)
    outcome.result, outcome.exposed = entry["result"], entry["exposed"]
    wanted = number if not plan.bad else stable
    outcome.problems += _wrong_end(world, plan, status, entry, wanted)
    outcome.problems += _settled(world, wanted)
    time.sleep(FLUSH)
    events = world.events.new()
    world.limits.read()
    outcome.problems += _wrong_counts(world, plan, number, entry, events)
    return outcome


def _publish(world: World, plan: Scenario) -> int:
    number = world.crowd.publish()
    if plan.bad:
        digest = world.crowd.digest(number)
        world.faults(f"{FAILING}%@{digest[:16]}:trial-crash")
    return number


def _over(status: Mapping[str, Any], number: int) -> bool:
    if status.get("mode") != "Idle" or status["revision"]["target"] != number:
        return False
    return any(e["revision"] == number for e in status.get("history", ()))


def _wrong_end(
    world: World,
    plan: Scenario,
    status: Mapping[str, Any],
    entry: Mapping[str, Any],
    wanted: int,
) -> list[str]:
    problems = []
    result = "Reverted" if plan.bad else "Promoted"
    if entry["result"] != result:
        problems.append(f"ended {entry['result']}, not {result}: {entry['message']}")
    if status["revision"]["stable"] != wanted:
        problems.append(f"stable is {status['revision']['stable']}, not {wanted}")
    total = len(world.crowd.devices)
    if not plan.bad and entry["updated"] != total:
        problems.append(f"updated {entry['updated']} of {total}")
    if plan.bad and entry["reverted"] != entry["exposed"]:
        problems.append(f"reverted {entry['reverted']} of {entry['exposed']} exposed")
    return problems


def _settled(world: World, wanted: int) -> list[str]:
    """Every device runs the right artefact, as the gateway knows it; within a deadline."""
    digest = world.crowd.digest(wanted)
    end = time.monotonic() + SETTLE_SECONDS
    while True:
        with world.crowd.testbed.http() as http:
            devices = http.get("/v1/devices").raise_for_status().json()
        wrong = [d["id"] for d in devices if (d["state"] or {}).get("active") != digest]
        if not wrong:
            return []
        if time.monotonic() > end:
            return [f"{len(wrong)} devices do not run revision {wanted}, such as {wrong[:3]}"]
        time.sleep(0.2)


def _wrong_counts(
    world: World,
    plan: Scenario,
    number: int,
    entry: Mapping[str, Any],
    events: Sequence[Event],
) -> list[str]:
    digest = world.crowd.digest(number)
    ran = {e.device for e in events if e.phase == "trial" and digest.startswith(e.digest)}
    problems = []
    if entry["exposed"] != len(ran):
        problems.append(f"{entry['exposed']} counted as exposed, {len(ran)} were")
    ids = [device.id for device in world.crowd.devices]
    ranks = order(number, ids, sites(world.crowd.devices))
    allowed = world.limits.allowed_at(number)
    problems += early(events, digest, ranks, allowed, slack=SLACK)
    if not plan.bad and [limit for _, limit in allowed] != _limits(len(ids)):
        problems.append(f"stages were {allowed}")
    problems += world.limits.odd
    world.limits.odd.clear()
    return problems


def _limits(devices: int) -> list[int]:
    return [100, -(-devices // 2), devices]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.kills", description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--first", type=int, default=1, help="first seed")
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    options = parser.parse_args()
    outcomes = sweep(
        range(options.first, options.first + options.runs), options.devices, options.database
    )
    OUT.mkdir(parents=True, exist_ok=True)
    report = OUT / f"kills-{options.database}.json"
    report.write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=1))
    return 1 if any(outcome.problems for outcome in outcomes) else 0


def sweep(seeds: Sequence[int], devices: int, database: Database) -> list[Outcome]:
    """Run the seeds one after another in one world; prints a line each."""
    console = Console()
    outcomes: list[Outcome] = []
    with (
        tempfile.TemporaryDirectory(prefix="petiole-kills-") as folder,
        World(Path(folder), devices, database) as world,
    ):
        world.crowd.publish()
        world.crowd.apply(ROLLOUT)
        world.crowd.wait(lambda s: _over(s, 1), END_SECONDS, "the first revision")
        for seed in seeds:
            outcome = run(world, scenario(seed, database=database == "postgresql"))
            outcomes.append(outcome)
            console.print(_line(outcome), highlight=False)
            if outcome.problems:
                _keep(world, seed, database)
            if outcome.problems and not outcome.result:
                break  # the world is stuck; what comes after says nothing
    console.print(_table(outcomes, database))
    return outcomes


def _keep(world: World, seed: int, database: str) -> None:
    """Keep what tells how a seed went wrong: logs, the API server's audit, devices' events."""
    kept = OUT / f"kills-{database}-{seed}"
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(world.folder / "crowd" / "logs", kept / "logs")
    shutil.copy(world.folder / "crowd" / "controlplane" / "audit.log", kept)
    shutil.copy(world.folder / "events", kept)


def _line(outcome: Outcome) -> str:
    word = "[red]WRONG[/]" if outcome.problems else "ok"
    kind = "bad" if outcome.bad else "good"
    text = f"seed {outcome.seed:3d} {kind:4s} {outcome.seconds:5.1f} s {word}: {outcome.kills}"
    return "\n    ".join([text, *outcome.problems])


def _table(outcomes: Sequence[Outcome], database: str) -> Table:
    table = Table(title=f"Kills at random, fleet store on {database}")
    for name in (
        "build",
        "rollouts",
        "kills",
        "ended as without",
        "exposed, mean",
        "seconds, mean",
    ):
        table.add_column(name, justify="right")
    for bad in (False, True):
        rows = [o for o in outcomes if o.bad is bad]
        if not rows:
            continue
        table.add_row(
            "bad" if bad else "good",
            str(len(rows)),
            str(sum(o.kills.count("+") for o in rows)),
            str(sum(not o.problems for o in rows)),
            f"{sum(o.exposed for o in rows) / len(rows):.0f}",
            f"{sum(o.seconds for o in rows) / len(rows):.1f}",
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
