"""The whole loop once, small and real.

``python -m hack.demo [--example NAME] [--data FOLDER] [--quick] [--keep] [--out FOLDER]``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
from rich.console import Console

from hack.testbed.processes import ROOT, ProcessError
from hack.testbed.waits import DeadlineError
from petiole.api.base import seconds

from . import report, summary
from .acts import SCENES
from .children import agent_sizes
from .example import Example, ExampleError
from .examples import EXAMPLES
from .folder import run_folder
from .show import Show, final_table
from .stage import Stage, raised
from .summary import Measured
from .watch import ActFailedError

FAILURES = (ActFailedError, ExampleError, ProcessError, DeadlineError, httpx.HTTPError, OSError)
STOPS = (KeyboardInterrupt, asyncio.CancelledError)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m hack.demo", description=__doc__)
    parser.add_argument("--example", choices=sorted(EXAMPLES), default="digits")
    parser.add_argument("--data", type=Path, help="the example's data, where it has none with it")
    parser.add_argument("--quick", action="store_true", help="to try the acts, not for figures")
    parser.add_argument("--keep", action="store_true", help="leave everything running at the end")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "demo", help="run folder")
    options = parser.parse_args()
    console = Console()
    try:
        example = EXAMPLES[options.example](options.data, quick=options.quick)
    except ExampleError as error:
        return _farewell(console, error)
    with run_folder(options.out) as folder:
        try:
            asyncio.run(play(example, folder, Show(console), keep=options.keep))
        except (*FAILURES, BaseExceptionGroup, *STOPS) as error:
            return _farewell(console, error)
    return 0


def _farewell(console: Console, error: BaseException) -> int:
    """Say why it ended, in words for what is foreseen; return the exit status."""
    causes = list(_leaves(error))
    for cause in causes:
        if isinstance(cause, FAILURES):
            console.print(f"The demo stopped: {cause}", style="red", markup=False, soft_wrap=True)
            return 1
    if all(isinstance(cause, STOPS) for cause in causes):
        console.print("Stopped; everything was taken down.")
        return 130
    raise error


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _leaves(part)
    else:
        yield error


async def play(example: Example, folder: Path, show: Show, *, keep: bool) -> None:
    """Raise the stage, play all acts, write what was measured."""
    _end_on_signals()
    with show.live():
        async with raised(example, folder, show) as stage:
            for scene in (SCENES[act] for act in example.story):
                with show.act(scene.title):
                    await scene.play(stage)
            with show.act("everything is counted"):
                measured = await measure(stage)
            result = summary.summarise(measured)
            summary.save(result, folder / "summary.json")
            report.save(report.page(result, measured), folder / "report.html")
            if keep:
                show.console.print(final_table(result))
                show.console.print(try_these(stage), soft_wrap=True, highlight=False)
                await asyncio.Event().wait()
    show.console.print(final_table(result))
    show.console.print(f"{folder / 'summary.json'}\n{folder / 'report.html'}", soft_wrap=True)


async def measure(stage: Stage) -> Measured:
    """Collect what the children found, and what the servers know."""
    reference, exactness = await stage.children.results(stage.example.model_seconds)
    versions = summary.versions(stage.record)
    stage.record.windows = await stage.gateway.windows(
        [digest for version in versions for digest in summary.digests(version)]
    )
    cluster = stage.testbed.cluster
    return Measured(
        example=stage.example,
        changes=stage.manifests.changes(),
        interval=seconds(stage.manifests.fleet["spec"]["monitoring"]["interval"]),
        record=stage.record,
        tally=stage.field_.tally,
        posix=len(stage.posix),
        qemu=len(stage.boards),
        reference=reference,
        field_began=stage.field_began,
        exactness=exactness,
        detectors=stage.children.detectors,
        agent=agent_sizes(),
        version=await asyncio.to_thread(cluster.version),
        writes=await asyncio.to_thread(cluster.writes),
        setup_seconds=_setup_seconds(),
        run_seconds=stage.record.second,
    )


def _setup_seconds() -> float:
    """What the last set-up took, as it wrote down itself; 0 when there was none."""
    file = ROOT / "build" / "setup-demo.json"
    return float(json.loads(file.read_text())["seconds"]) if file.exists() else 0.0


def try_these(stage: Stage) -> str:
    """Lines for a terminal beside this one."""
    cluster = stage.testbed.cluster
    kubectl = f"{cluster.kubectl_path} --kubeconfig {cluster.kubeconfig}"
    fleet = stage.cluster.fleet.name
    return "\n".join(
        [
            "Everything keeps running until Ctrl-C. Try:",
            f"  {kubectl} get tinymodels,devicefleets",
            f"  {kubectl} describe devicefleet {fleet}",
            f"  {kubectl} get devicefleet {fleet} -o yaml",
            f"  {kubectl} get events",
        ]
    )


def _end_on_signals() -> None:
    """SIGTERM ends the demo as Ctrl-C does: in order, leaving no process behind."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


if __name__ == "__main__":
    sys.exit(main())
