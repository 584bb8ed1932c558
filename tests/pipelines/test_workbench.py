"""Steps by hand: the command in a shell, the class in a notebook, on files alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from typer.testing import CliRunner

from petiole_pipelines.cli import app
from petiole_pipelines.errors import StepError
from petiole_pipelines.workbench import Workbench, read_model
from tests.api.examples import TINY_MODEL


@pytest.fixture
def manifest(tmp_path):
    """A model of bars that lie and bars that stand, 8x8, with 60 photos to learn from."""
    random = np.random.default_rng(0)
    for part, count in (("pool", 30), ("evaluation", 10)):
        for label in ("lies", "stands"):
            folder = tmp_path / part / label
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = random.integers(0, 60, (8, 8), dtype=np.uint8)
                pixels[3:5] = 200
                turned = pixels if label == "lies" else pixels.T
                Image.fromarray(turned).save(folder / f"{number:02}.png")
    spec = json.loads(json.dumps(TINY_MODEL["spec"]))
    spec["task"]["labels"] = ["lies", "stands"]
    spec["data"] = {
        "pool": {"uri": (tmp_path / "pool").as_uri()},
        "evaluation": {"uri": (tmp_path / "evaluation").as_uri()},
    }
    spec["learning"] |= {"batchSize": 6, "labelBudget": 12}
    spec["targets"] = [
        {"name": "small", "flash": "16Ki", "arena": "4Ki"},
        {"name": "large", "flash": "64Ki", "arena": "16Ki"},
    ]
    file = tmp_path / "model.yaml"
    file.write_text(yaml.safe_dump(TINY_MODEL | {"spec": spec}))
    return file


def answers(folder, ids):
    file = folder / "labels.csv"
    rows = [f"{name},{name.partition('/')[0]}" for name in ids]
    file.write_text("\n".join(["id,label", *rows]) + "\n")
    return file


def petiole(*words):
    return subprocess.run(
        [sys.executable, "-m", "petiole.cli.main", "pipelines", "run", *map(str, words)],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


def test_a_shell_asks_for_labels(manifest, tmp_path):
    work = tmp_path / "work"
    given = ("--model", manifest, "--work", work)
    said = petiole("--step", "query", *given)
    assert said.returncode == 0, said.stderr
    assert [line.split(":")[0].split(",")[0] for line in said.stdout.splitlines()] == [
        "embed",
        "teacher",
        "select",
    ]
    document = json.loads((work / "out" / "query.json").read_text())
    assert len(document["queries"]) == 6
    assert document["data"]["pool"]["samples"] == 60


def test_a_shell_is_told_what_to_do_first(manifest, tmp_path):
    given = ["--model", str(manifest), "--work", str(tmp_path / "work")]
    said = CliRunner().invoke(app, ["pipelines", "run", "--step", "select", *given])
    assert said.exit_code == 1
    assert "run the step embed first" in said.stderr


def test_a_notebook_runs_step_by_step_with_the_answers_so_far(manifest, tmp_path):
    bench = Workbench(read_model(manifest), tmp_path / "work")
    bench.run("query")
    asked = json.loads((tmp_path / "work" / "out" / "query.json").read_text())["queries"]
    assert bench.answer(answers(tmp_path, [query["id"] for query in asked])) == 6
    bench.run("embed")
    (taught,) = bench.run("teacher")
    assert taught.accuracy > 0.9
    bench.run("select")
    again = json.loads((tmp_path / "work" / "out" / "query.json").read_text())["queries"]
    assert not {query["id"] for query in again} & {query["id"] for query in asked}


@pytest.mark.long
def test_a_whole_training_delivers_each_target(manifest, tmp_path):
    bench = Workbench(read_model(manifest), tmp_path / "work")
    bench.answer(
        answers(tmp_path, [f"{c}/{n:02}.png" for c in ("lies", "stands") for n in range(9)])
    )
    told = []
    done = bench.run("train", tell=told.append)
    assert told == done
    assert [(d.step, d.target) for d in done] == [
        ("embed", ""),
        ("teacher", ""),
        ("student", "small"),
        ("student", "large"),
        ("compress", "small"),
        ("compress", "large"),
        ("judge", "large"),
        ("judge", "small"),
    ]
    assert all(d.accuracy > 0.9 for d in done if d.step == "judge")
    candidate = json.loads((tmp_path / "work" / "out" / "candidate.json").read_text())
    for variant in candidate["variants"]:
        assert variant["choice"].startswith(f"{variant['network']} answers ")
        assert variant["network"] in [point["network"] for point in variant["front"]]
        assert variant["instructions"] > 1000
    assert [d.target for d in bench.run("student", "large")] == ["large"]


def test_what_cannot_be_done_says_what_to_do(manifest, tmp_path):
    bench = Workbench(read_model(manifest), tmp_path / "work")
    for step, words in {
        "teacher": "run the step embed first",
        "judge": "run the step compress first",
        "compress": "run the step embed first",
        "dance": "choose of embed",
    }.items():
        with pytest.raises(StepError, match=words):
            bench.run(step)
    with pytest.raises(StepError, match="no target 'huge'; it has small, large"):
        bench.run("student", "huge")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "DeviceFleet"}, "not the manifest of one TinyModel"),
        ({"spec": {"task": {}}}, "spec.task.input: Field required"),
    ],
)
def test_a_manifest_that_is_none_is_refused(tmp_path, change, words):
    file = tmp_path / "model.yaml"
    file.write_text(yaml.safe_dump(TINY_MODEL | change))
    with pytest.raises(ValueError, match=words):
        read_model(file)
