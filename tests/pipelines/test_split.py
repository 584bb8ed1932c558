"""Splits by blocks: neighbours stay together, each class keeps its shares."""

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from petiole_pipelines import split
from petiole_pipelines.cli import app

SHARES = {"pool": 0.6, "evaluation": 0.25, "field": 0.15}
UID = "00075aa8-d81a-4184-8541-b692b78d398a"


def test_a_number_is_read_beside_uids_and_whatever_stands_around_it():
    found = split.shot(f"scab/{UID}___FREC_Scab 3335_final_masked.jpg")
    assert (found.folder, found.number) == ("scab", 3335)
    assert found.series == split.shot("scab/___FREC_Scab 12_final_masked.jpg").series
    assert found.series != split.shot("scab/___JR_Scab 12_final_masked.jpg").series
    with pytest.raises(split.UnnumberedError, match=r"leaf\.jpg"):
        split.shot(f"scab/{UID} leaf.jpg")


def test_blocks_end_where_the_numbers_have_a_gap():
    numbers = [*range(1, 8), *range(10, 13), *range(20, 45)]
    shots = [split.shot(f"a/IMG_{number}.jpg") for number in numbers]
    cut = [[one.number for one in block] for block in split.blocks(reversed(shots), 8)]
    assert cut == [[*range(1, 8), 10, 11, 12], [*range(20, 36)], [*range(36, 45)]]


@settings(max_examples=60, deadline=None)
@given(
    numbers=st.lists(st.sets(st.integers(0, 3000), min_size=1, max_size=300), max_size=3),
    size=st.integers(1, 30),
    seed=st.integers(0, 9),
)
def test_whole_blocks_go_to_one_set_and_shares_hold(numbers, size, seed):
    classes = {f"c{index}": sorted(found) for index, found in enumerate(numbers)}
    paths = [f"{name}/IMG_{n:04}.jpg" for name, found in classes.items() for n in found]
    chosen = split.by_blocks(paths, SHARES, size=size, seed=seed)
    assert set(chosen) == set(paths)
    assert chosen == split.by_blocks(reversed(paths), SHARES, size=size, seed=seed)
    for name, found in classes.items():
        mine = [path for path in paths if path.startswith(f"{name}/")]
        for block in split.blocks(map(split.shot, mine), size):
            assert len({chosen[one.path] for one in block}) == 1
            assert len(block) <= 2 * size
        counts = Counter(chosen[path] for path in mine)
        for part, share in SHARES.items():
            assert abs(counts[part] - share * len(found)) <= 2 * size


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "all"
    for label in ("Apple_scab", "healthy"):
        (folder / label).mkdir(parents=True)
        for number in range(100):
            (folder / label / f"IMG_{number:04}.jpg").write_bytes(f"{label}{number}".encode())
    (folder / "healthy" / "notes.txt").write_text("no photo")
    return folder


def petiole(*words):
    return CliRunner().invoke(app, ["data", "split", *map(str, words)])


def test_the_command_makes_the_sets_and_the_labels_of_the_pool(photos, tmp_path):
    out = tmp_path / "out"
    said = petiole(photos, out, "--field", 20, "--block", 5)
    assert said.exit_code == 0, said.output
    sets = {name: list((out / name).rglob("*.jpg")) for name in ("pool", "evaluation", "field")}
    assert sum(map(len, sets.values())) == 200
    assert 40 <= len(sets["evaluation"]) <= 60
    for files in sets.values():
        assert all((photos / f.parent.name / f.name).read_bytes() == f.read_bytes() for f in files)
    rows = (out / "labels.csv").read_text().splitlines()
    assert rows[0] == "id,label"
    assert len(rows) == 1 + len(sets["pool"])
    assert all((out / "pool" / row.rpartition(",")[0]).exists() for row in rows[1:])
    assert {row.rpartition(",")[2] for row in rows[1:]} == {"apple-scab", "healthy"}


def test_nothing_is_written_over_and_nothing_is_made_of_nothing(photos, tmp_path):
    before = sorted(photos.rglob("*"))
    assert petiole(photos, photos).exit_code == 1
    assert petiole(tmp_path / "gone", tmp_path / "out").exit_code == 1
    assert petiole(photos, tmp_path / "out", "--field", 80, "--evaluation", 20).exit_code == 1
    assert not (tmp_path / "out").exists()
    assert sorted(photos.rglob("*")) == before
    (photos / "healthy" / "leaf.jpg").write_bytes(b"x")
    said = petiole(photos, tmp_path / "out")
    assert said.exit_code == 1
    assert "healthy/leaf.jpg holds no number" in said.stderr


def test_runs_of_machines_are_dealt_out_whole(tmp_path):
    for bed, count in (("other", 12), ("valve1", 16)):
        (tmp_path / "all" / bed).mkdir(parents=True)
        for number in range(count):
            (tmp_path / "all" / bed / f"{number}.csv").write_text(f"a\n{number}\n")
    out = tmp_path / "out"
    said = petiole(tmp_path / "all", out, "--field", 25)
    assert said.exit_code == 0, said.output
    sets = {name: sorted((out / name).rglob("*.csv")) for name in SHARES}
    assert {name: len(files) for name, files in sets.items()} == {
        "pool": 14,
        "evaluation": 7,
        "field": 7,
    }
    for files in sets.values():
        assert {file.parent.name for file in files} == {"other", "valve1"}
    assert len({f"{f.parent.name}/{f.name}" for files in sets.values() for f in files}) == 28
    assert not (out / "labels.csv").exists()
    assert json.loads((out / "split.json").read_text())["runs"]["pool"] == {"other": 6, "valve1": 8}


def test_runs_outside_of_folders_are_counted_together(tmp_path):
    (tmp_path / "all").mkdir()
    for number in range(8):
        (tmp_path / "all" / f"{number}.csv").write_text(f"a\n{number}\n")
    said = petiole(tmp_path / "all", tmp_path / "out")
    assert said.exit_code == 0, said.output
    found = json.loads((tmp_path / "out" / "split.json").read_text())["runs"]
    assert found == {"pool": {".": 6}, "evaluation": {".": 2}}
