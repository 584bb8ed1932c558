"""Steps as plain functions, on small slices; no TensorFlow here."""

import dataclasses
import hashlib
import json
import zipfile

import cbor2
import numpy as np
import pytest
import yaml
from sklearn.linear_model import LogisticRegression

from hack.demo import data
from petiole_pipelines import dataset, judge, regression, steps
from petiole_pipelines.compile import compile_to
from petiole_pipelines.dataset import Task
from petiole_pipelines.errors import StepError
from petiole_pipelines.features.kernel import KernelFeatures
from petiole_pipelines.store import Store
from petiole_pipelines.teacher import teach
from tests.pipelines.conftest import LEARNING, TASK, UID


def put_field_sample(store, x, why, uid=UID):
    folder = store / "samples" / uid
    folder.mkdir(parents=True, exist_ok=True)
    content = x.tobytes()
    name = hashlib.sha256(content).digest()[:16].hex()
    message = {1: bytes(32), 2: content, 3: 1, 4: 200, 5: 10, 6: why}
    (folder / f"{name}.cbor").write_bytes(cbor2.dumps(message))
    return name


def embed(orchard, tmp_path, **changes):
    names = (
        "pool_uri",
        "evaluation_uri",
        "store_uri",
        "labels_path",
        "samples_path",
        "task",
        "learning",
    )
    given = orchard.parameters("Query", "x", **changes)
    path = str(tmp_path / "samples.npz")
    steps.embed(path, seed=0, **{name: given[name] for name in names})
    return path


def test_the_split_is_disjoint_and_keeps_near_duplicates_together():
    x, y = data.scans()
    parts = data.split(x, y)
    together = np.concatenate([parts.pool, parts.evaluation, parts.field])
    assert sorted(together) == list(range(1797))
    sets = (parts.pool, parts.evaluation, parts.field)
    contents = [{x[row].tobytes() for row in part} for part in sets]
    assert not contents[0] & contents[1]
    assert not contents[0] & contents[2]
    assert not contents[1] & contents[2]
    for part in sets:
        assert np.bincount(y[part], minlength=10).min() > 0.15 * len(part) / 2


def test_the_field_shift_is_deterministic_and_grows():
    x, _ = data.scans()
    once, again = data.shift(x[:50], 1.0), data.shift(x[:50], 1.0)
    assert (once == again).all()
    assert (data.shift(x[:50], 0.0) == x[:50]).all()
    far = [np.abs(data.shift(x[:50], s).astype(int) - x[:50]).mean() for s in (0.25, 0.5, 1.0)]
    assert far == sorted(far)


def test_field_samples_join_the_pool_by_their_hash(orchard, tmp_path):
    x = data.shift(orchard.digits.field_x[:3])
    arms = zip(x, (0, 1, 1), strict=True)
    names = [put_field_sample(orchard.store, image, why) for image, why in arms]
    (orchard.store / "samples" / UID / "broken.cbor").write_bytes(b"\xff\x00")
    (orchard.store / f"models/{UID}").mkdir(parents=True)
    (orchard.store / f"models/{UID}/labels.json").write_text(json.dumps({names[0]: "seven"}))
    samples = steps._samples(embed(orchard, tmp_path))
    assert len(samples.ids) == 1053
    assert samples.field.sum() == 3
    assert samples.chance.sum() == 2
    row = list(samples.ids).index(names[0])
    assert samples.y[row] == 7
    assert (samples.x[row] == x[0]).all()


def test_a_teacher_of_few_labels_answers_for_all(orchard, tmp_path):
    orchard.answer(sorted(orchard.truth)[::10])
    samples, answers = embed(orchard, tmp_path), str(tmp_path / "answers.npz")
    assert steps.teacher(samples, answers, task=json.dumps(TASK)) > 0.93
    soft = steps._answers(answers).soft
    assert soft.shape == (1050, 10)
    assert soft.sum(1) == pytest.approx(np.ones(1050))


@pytest.mark.parametrize("labelled", [0, 5])
def test_a_question_has_a_picture_and_once_it_was_taught_the_teachers_guess(tmp_path, labelled):
    samples = samples_with(field=0, chance=0)
    count = len(samples.ids)
    y = np.where(np.arange(count) < labelled, 0, -1)
    soft = np.full((count, 10), 0.05)
    soft[:, 3] = 0.55
    files = [str(tmp_path / name) for name in ("samples.npz", "answers.npz")]
    steps._save(files[0], dataclasses.replace(samples, y=y))
    steps._save(files[1], steps.AnswerFile(soft, np.array(0.9)))
    learning = json.dumps(LEARNING | {"batchSize": 4})
    path = steps.select(
        *files,
        store_uri=tmp_path.as_uri(),
        output_path="round",
        task=json.dumps(TASK),
        learning=learning,
        seed=1,
        round_number=1,
    )
    queries = json.loads((tmp_path / path).read_text())["queries"]
    guesses = [(query.get("guess"), query.get("confidence")) for query in queries]
    assert guesses == [("three", 0.55) if labelled else (None, None)] * 4
    with zipfile.ZipFile(tmp_path / "round" / "pictures.zip") as archive:
        assert archive.namelist() == [f"{query['id']}.png" for query in queries]


def test_a_teacher_without_labels_knows_nothing():
    answers = teach(np.eye(5), np.full(5, -1), 4, np.eye(5)[:2])
    assert (answers.samples == 0.25).all()
    assert (answers.others == 0.25).all()


def test_regression_finds_the_optimum_of_scikit_learn():
    x, y = data.scans()
    features = KernelFeatures.fit(x[:300], 0).transform(x[:300])
    weights = np.linspace(0.2, 1, 300)
    theirs = LogisticRegression(C=10, max_iter=5000, tol=1e-8).fit(features, y[:300], weights)
    ours = regression.fit(features, y[:300], 10, weights, 10.0)
    assert ours.probabilities(features) == pytest.approx(theirs.predict_proba(features), abs=0.01)


def test_features_ignore_gain_and_forgive_what_hands_and_mountings_do():
    x, y = data.scans()
    features = KernelFeatures.fit(x[:400], 0)
    here, dim = (features.transform(part) for part in (x[:50], x[:50] // 2 + 20))
    assert np.linalg.norm(here - dim, axis=1).max() < 0.1
    tilted = features.transform(data.shift(x[400:600]))
    answers = teach(features.transform(x[:400]), y[:400], 10, tilted).others
    assert (answers.argmax(1) == y[400:600]).mean() > 0.85


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x": np.zeros((2, 9, 8, 1), np.uint8), "id": ["a", "b"]}, r"\(9, 8, 1\)"),
        ({"x": np.zeros((2, 8, 8, 1), np.float32), "id": ["a", "b"]}, "float32"),
        ({"x": np.zeros((2, 8, 8, 1), np.uint8), "id": ["a", "a"]}, "1 different ids"),
        ({"x": np.zeros((2, 8, 8, 1), np.uint8)}, "'x' and 'id'"),
        ({"x": np.zeros((1, 8, 8, 1), np.uint8), "id": ["a"], "y": ["ten"]}, "ten"),
    ],
)
def test_a_wrong_data_set_is_refused_in_words(tmp_path, arrays, words):
    np.savez(tmp_path / "samples.npz", **arrays)
    with pytest.raises(StepError, match=words) as caught:
        dataset.read_set(tmp_path.as_uri(), Task.parse(json.dumps(TASK)), "pool")
    assert caught.value.reason == "DataInvalid"


def test_an_unknown_answer_is_refused(orchard, tmp_path):
    (orchard.store / f"models/{UID}").mkdir(parents=True)
    (orchard.store / f"models/{UID}/labels.json").write_text(
        json.dumps({min(orchard.truth): "ten"})
    )
    with pytest.raises(StepError, match="ten"):
        embed(orchard, tmp_path)


def test_a_store_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "file").write_text("in the way")
    store = Store(tmp_path.as_uri())
    with pytest.raises(StepError, match="cannot write file/below"):
        store.put("file/below", b"x")


def test_histograms_have_the_units_of_the_wire():
    answers = np.array([[255, 0], [16, 240], [128, 127]], dtype=np.uint8)
    x = np.full((3, 2, 2, 1), 7, dtype=np.uint8)
    found = judge.reference(answers, x)
    assert found["count"] == 3
    assert (found["confidence"][15], found["confidence"][8]) == (2, 1)
    assert found["classes"] == [2, 1]
    assert found["confidenceSum"] == 255 + 240 + 128
    assert found["confidenceSquares"] == 255**2 + 240**2 + 128**2
    assert found["inputSum"] == 21


def test_the_pipeline_compiles_to_ir(tmp_path):
    compile_to(tmp_path / "round.yaml")
    spec = next(iter(yaml.safe_load_all((tmp_path / "round.yaml").read_text())))
    assert spec["pipelineInfo"]["name"] == "learning-round"
    assert {
        "exec-embed",
        "exec-teacher",
        "exec-select",
        "exec-student",
        "exec-compress",
        "exec-judge",
        "exec-detect",
    } == set(spec["deploymentSpec"]["executors"])
    parameters = spec["root"]["inputDefinitions"]["parameters"]
    expected = {"phase", "pool_uri", "labels_path", "targets", "learning", "round"}
    assert expected <= set(parameters)


def samples_with(field: int, chance: int) -> steps.SampleFile:
    """Return a pool of 50 and ``field`` samples behind it, the last ``chance`` picked by chance."""
    count = 50 + field
    rows = np.arange(count)
    return steps.SampleFile(
        x=(rows % 256).astype(np.uint8).reshape(-1, 1, 1, 1),
        ids=rows.astype(str),
        y=np.full(count, -1),
        field=rows >= 50,
        chance=rows >= count - chance,
        device=np.full(count, ""),
        features=np.zeros((count, 1)),
        evaluation_x=np.zeros((7, 1, 1, 1), np.uint8),
        evaluation_y=np.zeros(7, np.int64),
        evaluation_features=np.zeros((7, 1)),
    )


def test_field_samples_weigh_up_to_five_pool_samples():
    answers = steps.AnswerFile(np.zeros((1, 1)), np.array(0.0))
    assert steps.lesson(samples_with(0, 0), answers).weight.tolist() == [1.0] * 50
    assert steps.lesson(samples_with(5, 0), answers).weight[50:].tolist() == [5.0] * 5
    assert steps.lesson(samples_with(20, 0), answers).weight[50:].tolist() == [2.5] * 20
    assert steps.lesson(samples_with(100, 0), answers).weight[50:].tolist() == [1.0] * 100


def test_the_reference_is_the_newest_field_once_there_is_enough_of_it():
    assert len(steps._reference_inputs(samples_with(99, 99))) == 7
    assert len(steps._reference_inputs(samples_with(150, 120))) == 120
    newest = samples_with(250, 250)
    assert (steps._reference_inputs(newest) == newest.x[-200:]).all()


def test_golden_vectors_take_every_class_in_turn():
    y = np.array([0, 0, 0, 1, 2, 1, 2, 0])
    assert sorted(y[steps._one_of_each(y, 6)]) == [0, 0, 1, 1, 2, 2]
