"""``petiole pipelines`` and ``petiole data``; also ``python -m petiole_pipelines.cli``."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from . import images, runs, split
from .errors import StepError
from .workbench import Done, Workbench, read_model

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
pipelines = typer.Typer(no_args_is_help=True, help="Run steps of a learning round by hand.")
data = typer.Typer(no_args_is_help=True, help="Prepare data sets.")
app.add_typer(pipelines, name="pipelines")
app.add_typer(data, name="data")
console, errors = Console(), Console(stderr=True)


class Part(StrEnum):
    """What can be run: the phases, and their steps."""

    QUERY = "query"
    TRAIN = "train"
    EMBED = "embed"
    TEACHER = "teacher"
    SELECT = "select"
    STUDENT = "student"
    COMPRESS = "compress"
    JUDGE = "judge"
    DETECT = "detect"


@pipelines.callback()
def _pipelines() -> None:
    """Keep ``run`` a subcommand though it is the only one."""


@data.callback()
def _data() -> None:
    """Keep ``split`` a subcommand though it is the only one."""


@pipelines.command()
def run(
    *,
    step: Annotated[Part, typer.Option(help="A step, or a phase: query, train or detect.")],
    model: Annotated[Path, typer.Option(help="Manifest of the TinyModel.")],
    work: Annotated[Path, typer.Option(help="Folder for what goes between steps.")],
    labels: Annotated[Path | None, typer.Option(help="Answers, a table of id,label.")] = None,
    target: Annotated[str, typer.Option(help="Only this one; default: all.")] = "",
    round_: Annotated[int, typer.Option("--round", help="Decides with the seed.", min=1)] = 1,
) -> None:
    """Run one step, or all of a phase, on files; the results lie in WORK/out."""
    try:
        bench = Workbench(read_model(model), work, round_)
        if labels is not None:
            console.print(f"{bench.answer(labels)} labels", highlight=False)
        bench.run(step.value, target, _tell)
    except (StepError, ValueError, OSError) as error:
        _fail(str(error))


def _tell(done: Done) -> None:
    what = " ".join(part for part in (done.step, done.target) if part)
    if done.accuracy is not None:
        what += f", accuracy {done.accuracy:.2%}"
    if done.f1 is not None:
        what += f", F1 {done.f1:.2%} at {done.false_alarms:.2%} false alarms"
    console.print(f"{what}: {done.file}", highlight=False, soft_wrap=True)


@data.command("split")
def split_(
    folder: Annotated[Path, typer.Argument(help="Photos, a folder a class; or runs, CSV files.")],
    out: Annotated[Path, typer.Argument(help="A new folder for the sets.")],
    *,
    evaluation: Annotated[float, typer.Option(help="Percent of each class.", min=0, max=100)] = 25,
    field: Annotated[float, typer.Option(help="Percent kept back for devices.", min=0)] = 0,
    block: Annotated[int, typer.Option(help="Photos that stay together, at least.", min=1)] = 20,
    seed: Annotated[int, typer.Option(help="Another one, another split.", min=0)] = 0,
) -> None:
    """Cut photos into pool, evaluation set and field by blocks of photo numbers.

    Neighbours in the order of shooting show the same leaf and stay in one set. Runs of machines,
    where there are no photos, are dealt out whole.
    """
    shares = {"pool": 100 - evaluation - field, "evaluation": evaluation, "field": field}
    if shares["pool"] <= 0:
        _fail("--evaluation and --field leave nothing for the pool")
    if not folder.is_dir() or (out.exists() and any(out.iterdir())):
        _fail(f"{folder} must be a folder of photos, and {out} new or empty")
    paths = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    photos = [path for path in paths if images.is_photo(path) and "/" in path]
    whole = [path for path in paths if runs.is_run(path)]
    if not photos and not whole:
        _fail(f"{folder} holds neither photos in class folders nor runs ({runs.SUFFIX} files)")
    wanted = {name: share / 100 for name, share in shares.items() if share}
    try:
        if photos:
            chosen = split.by_blocks(photos, wanted, size=block, seed=seed)
        else:
            chosen = split.whole(whole, wanted, seed=seed)
        _write(folder, out, chosen)
        if photos:
            _write_labels(out, chosen)
    except (split.UnnumberedError, OSError) as error:
        _fail(str(error))
    counts = {"photos" if photos else "runs": _counts(chosen)}
    record = {"shares": shares, "seed": seed} | ({"block": block} if photos else {}) | counts
    (out / "split.json").write_text(json.dumps(record, indent=1) + "\n")
    for name, classes in _counts(chosen).items():
        listed = ", ".join(f"{label} {count}" for label, count in sorted(classes.items()))
        console.print(f"{out / name}: {listed}", highlight=False, soft_wrap=True)


def _write(folder: Path, out: Path, chosen: Mapping[str, str]) -> None:
    """Link the files into their sets, or copy them to another disk."""
    for path, name in chosen.items():
        target = out / name / path
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            target.hardlink_to(folder / path)
        except OSError:
            shutil.copyfile(folder / path, target)


def _write_labels(out: Path, chosen: Mapping[str, str]) -> None:
    """Write the labels of the pool, as its folders tell them."""
    with (out / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["id", "label"])
        for path in sorted(path for path, name in chosen.items() if name == "pool"):
            rows.writerow([path, images.spelled(path.partition("/")[0])])


def _counts(chosen: Mapping[str, str]) -> dict[str, dict[str, int]]:
    sets = sorted(set(chosen.values()))
    return {
        name: dict(Counter(_group(path) for path in chosen if chosen[path] == name))
        for name in sets
    }


def _group(path: str) -> str:
    """Name the folder that a photo or run lies in, spelled as labels are; "." of none."""
    folder, _, inside = path.partition("/")
    return images.spelled(folder) if inside else "."


def _fail(message: str) -> NoReturn:
    errors.print(f"petiole: {message}", style="red", markup=False, soft_wrap=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    app(prog_name="petiole")
