"""What the demo plays: the examples, their overrides, their data."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from hack.demo.example import CALM, SHIFTED, Act, ExampleError
from hack.demo.examples import EXAMPLES
from hack.demo.manifests import Manifests
from hack.demo.stage import fleet_of
from hack.testbed.light import darker_and_warmer
from petiole.api.devicefleet import DeviceFleetSpec
from petiole.api.tinymodel import TinyModelSpec
from petiole_pipelines.dataset import Task, read_evaluation, read_set
from petiole_pipelines.runs import parse, read

APPLES = ("Apple_scab", "black rot", "cedar-apple-rust", "healthy")
BLOCKS, BLOCK = 4, 20  # of a class, and photos of one; between blocks is a gap


def photographed(folder, classes, blocks=BLOCKS):
    """Photos of one colour a class, which differ a little."""
    random = np.random.default_rng(0)
    for number, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for shot in range(blocks * BLOCK):
            colour = np.array([60 + 40 * number, 120, 200 - 40 * number])
            noisy = np.clip(colour + random.normal(0, 9, (24, 24, 3)), 0, 255)
            Image.fromarray(noisy.astype(np.uint8)).save(
                folder / name / f"leaf {shot + shot // BLOCK}.png"
            )
    return folder


@pytest.fixture
def photos(tmp_path):
    return photographed(tmp_path / "photos", APPLES)


SENSORS = tuple(f"sensor {number}" for number in range(8))
BASELINE, READINGS = 400, 700
FAULT = slice(500, 600)


def recorded(folder, count=10, *, faults=True, fault=FAULT):
    """Runs of a machine whose sensors all shake in ``fault``; one has no faults told."""
    random = np.random.default_rng(0)
    folder.mkdir()
    for number in range(count):
        readings = 5 + random.normal(0, 1, (READINGS, len(SENSORS)))
        readings[fault] *= 2
        told = faults and number > 0
        lines = [";".join([*SENSORS, "anomaly"] if told else SENSORS)]
        for second, row in enumerate(readings):
            truth = [str(int(fault.start <= second < fault.stop))] if told else []
            lines.append(";".join([*(f"{value:.4f}" for value in row), *truth]))
        (folder / f"{number}.csv").write_text("\n".join(lines))
    return folder


@pytest.fixture
def pumps(tmp_path):
    return recorded(tmp_path / "pumps")


@pytest.fixture(params=sorted(EXAMPLES))
def example(request, photos, pumps):
    source = {"leaf-disease": photos, "pump-anomaly": pumps}.get(request.param)
    return lambda **more: EXAMPLES[request.param](source, **more)


def parsed(manifests):
    return Task.parse(json.dumps(manifests.task))


@pytest.mark.parametrize("quick", [False, True])
def test_manifests_are_valid_and_scaled(example, tmp_path, quick):
    played = example(quick=quick)
    manifests = Manifests(played.manifests, tmp_path, played.overrides)
    DeviceFleetSpec.model_validate(manifests.fleet["spec"])
    right, wrong = (
        TinyModelSpec.model_validate(document["spec"])
        for document in (manifests.model, manifests.read(played.wrong))
    )
    assert right.task == wrong.task  # it is immutable
    assert right.data != wrong.data
    assert manifests.model["metadata"] == manifests.read(played.wrong)["metadata"]
    assert {target.name for target in right.targets} >= {played.board, *played.posix}
    # What a device has seen must fit a sample, else nothing of the field comes up.
    assert np.prod(list(manifests.task["input"].values())) <= 1024


def test_devices_are_selected_and_have_their_targets_limits(example, tmp_path):
    played = example()
    manifests = Manifests(played.manifests, tmp_path, played.overrides)
    posix, boards = fleet_of(played, manifests)
    assert len({device.id for device in [*posix, *boards]}) == len(posix) + played.boards
    assert sum(played.posix.values()) == len(posix)
    selected = manifests.fleet["spec"]["selector"]["matchLabels"].items()
    assert all(selected <= device.labels.items() for device in [*posix, *boards])
    assert {device.labels.get("site", "") for device in posix} == set(played.sites or ("",))
    assert boards[0].slot == 64 * 1024


def test_every_story_learns_shifts_answers_and_takes_a_bad_model_back(example):
    story = example().story
    assert story[:2] == (Act.LEARN, Act.PROMOTE)
    assert story.index(Act.CALM) + 1 == story.index(Act.SHIFT) < story.index(Act.ANSWER)
    assert Act.SPOIL in story
    # Wrong data must not be what a drift is answered from.
    if story.index(Act.SPOIL) < story.index(Act.SHIFT):
        assert story[story.index(Act.SPOIL) + 1] == Act.MEND


@pytest.mark.parametrize("name", ["absent", "empty", "one"])
def test_without_photos_it_says_how_to_get_them(tmp_path, name):
    (tmp_path / "empty").mkdir()
    photographed(tmp_path / "one", APPLES[:1])
    for source in (None, tmp_path / name):
        with pytest.raises(ExampleError, match=r"DATA=FOLDER.*README.md says how to get"):
            EXAMPLES["leaf-disease"](source)


def test_digits_takes_no_data(tmp_path):
    with pytest.raises(ExampleError, match="leave out DATA"):
        EXAMPLES["digits"](tmp_path)


def test_any_classes_may_be_brought(tmp_path, photos):
    apples = EXAMPLES["leaf-disease"](photos).overrides["tinymodel.yaml"]
    assert "spec.task.labels" not in apples
    pears = photographed(tmp_path / "pears", ("Pear rust", "Pear_fine"))
    overrides = EXAMPLES["leaf-disease"](pears).overrides
    for manifest in ("tinymodel.yaml", "leaf-disease-misnamed.yaml"):
        assert overrides[manifest]["spec.task.labels"] == ["pear-fine", "pear-rust"]


def test_the_field_is_kept_back_and_darkens(photos, tmp_path):
    played = EXAMPLES["leaf-disease"](photos)
    folder = tmp_path / "data"
    manifests = Manifests(played.manifests, folder, played.overrides)
    prepared = played.prepare(folder, manifests.task)
    calm, shifted = prepared.streams[CALM], prepared.streams[SHIFTED]
    counts = json.loads((folder / "split.json").read_text())["photos"]
    assert len(calm.y) == sum(counts["field"].values()) > 0
    assert calm.x.shape == shifted.x.shape == (len(calm.y), *parsed(manifests).shape)
    assert np.array_equal(calm.y, shifted.y)
    # Class 0 is the one with least red.
    red = [calm.x[calm.y == number, ..., 0].mean() for number in range(len(prepared.names))]
    assert prepared.names[int(np.argmin(red))] == "apple-scab"
    assert shifted.x.mean() < 0.8 * calm.x.mean()
    assert np.array_equal(shifted.x, darker_and_warmer(calm.x, 5))


def test_too_few_photos_are_said_to_be_too_few(tmp_path):
    few = photographed(tmp_path / "few", APPLES, blocks=1)
    played = EXAMPLES["leaf-disease"](few)
    task = Manifests(played.manifests, tmp_path, played.overrides).task
    with pytest.raises(ExampleError, match="too few photos of apple-scab, black-rot"):
        played.prepare(tmp_path / "data", task)


def test_misnamed_data_agree_with_themselves_and_with_nothing_else(photos, tmp_path):
    played = EXAMPLES["leaf-disease"](photos)
    folder = tmp_path / "data"
    manifests = Manifests(played.manifests, folder, played.overrides)
    task = parsed(manifests)
    prepared = played.prepare(folder, manifests.task)
    played.spoil(folder, manifests.task)
    with prepared.answers.open(newline="") as file:
        answers = dict(csv.reader(file))
    right, wrong = (
        read_set((folder / name).as_uri(), task, "pool") for name in ("pool", "pool-misnamed")
    )
    assert np.array_equal(right.x, wrong.x)
    pairs = {(answers[a], answers[b]) for a, b in zip(right.ids, wrong.ids, strict=True)}
    assert len(pairs) == len(task.labels)
    assert all(a != b for a, b in pairs)
    judged = read_evaluation((folder / "evaluation-misnamed").as_uri(), task)
    names = read_evaluation((folder / "evaluation").as_uri(), task)
    shown = {(task.labels[a], task.labels[b]) for a, b in zip(names.y, judged.y, strict=True)}
    assert shown == pairs


@pytest.mark.parametrize("name", ["absent", "empty", "silent"])
def test_without_runs_it_says_how_to_get_them(tmp_path, name):
    (tmp_path / "empty").mkdir()
    recorded(tmp_path / "silent", faults=False)
    for source in (None, tmp_path / name):
        with pytest.raises(ExampleError, match=r"DATA=FOLDER.*README.md says how to get"):
            EXAMPLES["pump-anomaly"](source)


def prepared(source, folder):
    played = EXAMPLES["pump-anomaly"](source)
    manifests = Manifests(played.manifests, folder, played.overrides)
    return played, manifests, played.prepare(folder, manifests.task)


def test_runs_that_judge_or_are_played_say_what_is_faulty(pumps, tmp_path):
    folder = tmp_path / "data"
    _, _, found = prepared(pumps, folder)
    sets = {
        name: sorted((folder / name).rglob("*.csv")) for name in ("pool", "evaluation", "field")
    }
    assert {name: len(files) for name, files in sets.items()} == {
        "pool": 5,
        "evaluation": 2,
        "field": 2,
    }
    assert all(
        parse(file.read_bytes(), file.name)[0].known for files in sets.values() for file in files
    )
    assert found.answers is None  # nobody is asked


def test_worn_sensors_show_less_of_the_same(pumps, tmp_path):
    played, _, found = prepared(pumps, tmp_path / "data")
    random = np.random.default_rng(0)
    for device in "abc":  # with two recordings, a and c stand at the same one
        found.machines.of(device)
    calm, worn = (
        np.stack([found.streams[phase].next(device, random)[0] for _ in range(100)])
        for phase, device in ((CALM, "a"), (SHIFTED, "c"))
    )
    assert calm.shape == worn.shape == (100, 1, 40, 8)
    apart = (calm.astype(float) - 128, worn.astype(float) - 128)
    assert apart[1].std() == pytest.approx(0.3 * apart[0].std(), rel=0.1)
    assert "30%" in played.shift


def test_runs_that_cannot_be_commissioned_are_not_played(tmp_path):
    early = recorded(tmp_path / "early", fault=slice(300, 360))
    with pytest.raises(ExampleError, match="behind its first 400"):
        prepared(early, tmp_path / "data")


def test_totals_agree_with_themselves_and_spare_the_last_sensor(pumps, tmp_path):
    folder = tmp_path / "data"
    played, manifests, _ = prepared(pumps, folder)
    played.spoil(folder, manifests.task)
    for name in ("pool", "evaluation"):
        right, wrong = (
            read((folder / part).as_uri(), name, sensors=8, longer_than=BASELINE)
            for part in (name, f"{name}-totals")
        )
        assert right.sensors == wrong.sensors
        assert [run.name for run in right.runs] == [run.name for run in wrong.runs]
        for one, other in zip(right.runs, wrong.runs, strict=True):
            assert np.array_equal(one.faulty, other.faulty)
            assert np.array_equal(one.readings[:, -1], other.readings[:, -1])
            assert np.allclose(one.readings[:, :-1].cumsum(axis=0), other.readings[:, :-1])
