"""``petiole simulate``: what a policy would do, before it is applied."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml
from rich.progress import Progress

from petiole.simulation.assumptions import Assumptions
from petiole.simulation.policy import Policy, PolicyError, policy

from .settings import checked, console, errors, fail

if TYPE_CHECKING:  # the rest of the simulation takes half a second to import
    from petiole.simulation.run import Run
    from petiole.simulation.study import Study
    from petiole.simulation.world import Build

_AT_ONCE = 1_000_000  # devices in memory over all processes, to stay near a gigabyte


def command(
    *,
    file: Annotated[Path, typer.Option("--file", "-f", help="A DeviceFleet, YAML.")],
    runs: Annotated[int, typer.Option(min=1, help="Rollouts of each build.")] = 50,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same figures.")] = 1,
    jobs: Annotated[int, typer.Option(min=0, help="Processes; 0: one a core.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with every run.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Draw a figure: .png, .svg or .pdf.")] = None,
    **assumptions: str | None,
) -> None:
    """Play a DeviceFleet's rollout in virtual time and print what its policy would do.

    The operator's and the gateway's own decisions, with invented devices; no cluster is needed.
    A share is given as 2%, a time as 30s, a size as 32Ki.
    """
    from petiole.simulation.study import study  # noqa: PLC0415
    from petiole.simulation.world import BUILDS  # noqa: PLC0415

    from . import simulation_table  # noqa: PLC0415

    assumed = checked(Assumptions, **{k: v for k, v in assumptions.items() if v is not None})
    played = _read(file)
    done = _play(played, assumed, runs, seed, jobs or os.cpu_count() or 1)
    stages = played.stages(assumed.devices)
    studies = [study([r for r in done if r.build == build], stages) for build in BUILDS]
    if as_json:
        console.print_json(json.dumps(_json(played, assumed, studies, done)))
    else:
        simulation_table.show(console, played, assumed, studies)
    if plot is not None:
        _draw(plot, played, assumed, done)


def _options() -> list[inspect.Parameter]:
    """Return an option for each assumption, named and documented by the model."""
    return [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[
                str | None,
                typer.Option(
                    help=f"{field.description}",
                    show_default=str(field.default),
                    metavar="",
                    rich_help_panel="What is assumed",
                ),
            ],
        )
        for name, field in Assumptions.model_fields.items()
    ]


def _read(file: Path) -> Policy:
    try:
        bodies = list(yaml.safe_load_all(file.read_text()))
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror}", code=2)
    except yaml.YAMLError as error:
        fail(f"{file} is no YAML: {error}", code=2)
    found = [b for b in bodies if isinstance(b, dict) and b.get("kind") == "DeviceFleet"]
    if len(found) != 1:
        fail(f"{file} has {len(found)} DeviceFleets, one is needed", code=2)
    try:
        return policy(found[0])
    except PolicyError as error:
        fail(f"{file} is refused:\n{error}", code=2)


# --- runs -----------------------------------------------------------------------------------------


def _play(played: Policy, assumed: Assumptions, runs: int, seed: int, jobs: int) -> list[Run]:
    """Play all runs of both builds, spread over processes; in the order of their seeds."""
    from petiole.simulation.world import BUILDS  # noqa: PLC0415

    work = [(build, seed + n) for n in range(runs) for build in BUILDS]
    jobs = max(1, min(jobs, len(work), _AT_ONCE // assumed.devices))
    done: list[Run] = []
    with Progress(console=errors, transient=True) as progress:
        task = progress.add_task(f"{runs} rollouts of each build", total=len(work))
        try:
            for run in _runs(played, assumed, work, jobs):
                done.append(run)
                progress.advance(task)
        except PolicyError as error:
            fail(f"the policy cannot be carried out: {error}")
        except BrokenProcessPool:
            fail("a process was killed, most likely for want of memory; give fewer --jobs")
    return sorted(done, key=lambda run: (run.seed, run.build))


def _runs(
    played: Policy, assumed: Assumptions, work: list[tuple[Build, int]], jobs: int
) -> Iterator[Run]:
    from petiole.simulation.run import simulate  # noqa: PLC0415

    if jobs == 1:
        for build, seed in work:
            yield simulate(played, assumed, build, seed)
        return
    with ProcessPoolExecutor(jobs) as pool:
        futures = [pool.submit(simulate, played, assumed, build, seed) for build, seed in work]
        for future in as_completed(futures):
            yield future.result()


# --- what is printed ------------------------------------------------------------------------------


def _json(
    played: Policy, assumed: Assumptions, studies: list[Study], done: list[Run]
) -> dict[str, Any]:
    """Return everything, with times in seconds and shares from 0 to 1."""
    return {
        "fleet": f"{played.namespace}/{played.name}",
        "assumptions": assumed.model_dump(mode="json"),
        "builds": {s.build: asdict(s) for s in studies},
        "runs": [asdict(run) for run in done],
    }


def _draw(file: Path, played: Policy, assumed: Assumptions, done: list[Run]) -> None:
    try:
        from . import simulation_plot  # noqa: PLC0415 - matplotlib is large and not always there
    except ImportError:
        fail("--plot needs matplotlib: pip install matplotlib")
    try:
        simulation_plot.draw(file, f"{played.namespace}/{played.name}", assumed, done)
    except (OSError, ValueError) as error:
        fail(f"cannot write {file}: {error}")


_given = inspect.signature(command, eval_str=True)
_named = [p for p in _given.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
command.__signature__ = _given.replace(parameters=[*_named, *_options()])  # type: ignore[attr-defined]
