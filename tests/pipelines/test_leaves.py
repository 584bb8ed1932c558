"""The leaf example on the real photos, where they are at hand."""

import itertools

import numpy as np
import pytest
import yaml

from hack.testbed import datasets
from hack.testbed.processes import ROOT
from petiole.api.tinymodel import TinyModelSpec
from petiole_pipelines import dataset, images, split
from petiole_pipelines.dataset import Task

LEAVES = datasets.folder("plantvillage-apple")
EXAMPLE = ROOT / "examples" / "leaf-disease" / "tinymodel.yaml"

pytestmark = pytest.mark.skipif(not LEAVES.is_dir(), reason=f"no photos of leaves at {LEAVES}")


@pytest.fixture(scope="module")
def paths():
    found = [path.relative_to(LEAVES).as_posix() for path in LEAVES.rglob("*.jpg")]
    return [path for path in found if images.is_photo(path)]


def test_neighbours_are_in_one_set_but_at_the_ends_of_long_runs(paths):
    shares = {"pool": 0.55, "evaluation": 0.25, "field": 0.2}
    chosen = split.by_blocks(paths, shares, size=20, seed=0)
    shots = sorted((split.shot(path) for path in paths), key=lambda s: (s.series, s.number))
    pairs = [
        chosen[a.path] == chosen[b.path]
        for a, b in itertools.pairwise(shots)
        if a.series == b.series and b.number - a.number <= 1
    ]
    assert len(pairs) > 1000
    assert np.mean(pairs) > 0.97  # dealt one by one it would be 0.4


def test_the_example_reads_them(paths, tmp_path):
    spec = TinyModelSpec.model_validate(yaml.safe_load(EXAMPLE.read_text())["spec"])
    task = Task.parse(spec.task.model_dump_json(by_alias=True))
    some = sorted(paths)[:: len(paths) // 40]
    for path in some:
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).symlink_to(LEAVES / path)
    found = dataset.read_evaluation(tmp_path.as_uri(), task)
    assert found.ids == tuple(some)
    assert (found.x.shape[1:], found.unreadable) == ((48, 48, 3), ())
    named = [images.spelled(path.partition("/")[0]) for path in some]
    assert [task.labels[y] for y in found.y] == named
    assert set(named) == set(task.labels)
