"""The steps of a learning round: plain functions, paths and URIs in, files and values out.

Between steps samples travel as ``SampleFile`` and the teacher's answers as ``AnswerFile``; results
for the operator go to the store below ``output_path``.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from dataclasses import field as field_
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import dataset, record
from .agreement import kappa
from .augment import Lesson
from .dataset import Labels, Task
from .errors import StepError, step
from .features import extract
from .fielded import Fielded, chosen
from .learning import Learning
from .store import Store

Matrix = NDArray[np.float64]

FIELD_FACTOR = 5.0  # samples from the field count up to so much, as they are few and they are now
_TEACHER = "teacher.json"  # what the teacher of a query run says of unlabelled samples
REFERENCE_LEAST, REFERENCE_MOST = 100, 200  # field samples that a reference histogram is made of


@dataclass(frozen=True, slots=True)
class SampleFile:
    """Samples with features and labels, and the evaluation set, as one npz file."""

    x: NDArray[np.uint8]  # [n, h, w, c]
    ids: NDArray[np.str_]  # [n]
    y: Labels  # [n], -1 for "no label"
    field: NDArray[np.bool_]  # [n]
    chance: NDArray[np.bool_]  # [n]
    device: NDArray[np.str_]  # [n], who sent it; "" for nobody
    features: Matrix  # [n, d]
    evaluation_x: NDArray[np.uint8]  # [m, h, w, c]
    evaluation_y: Labels  # [m]
    evaluation_features: Matrix  # [m, d]
    data: NDArray[np.str_] = field_(default_factory=lambda: np.array("{}"))  # JSON: sets read
    labels: NDArray[np.str_] = field_(default_factory=lambda: np.array("{}"))  # JSON: all answers


@dataclass(frozen=True, slots=True)
class AnswerFile:
    """The teacher's class probabilities and its accuracy on the evaluation set, as one npz file."""

    soft: Matrix  # [n, k]
    accuracy: Matrix  # scalar, 0..1


@step
def embed(
    samples_file: str,
    *,
    pool_uri: str,
    evaluation_uri: str,
    store_uri: str,
    labels_path: str,
    samples_path: str,
    task: str,
    learning: str,
    seed: int,
) -> None:
    """Gather pool, field samples and answers; compute features fitted on them; write SampleFile."""
    described, store = Task.parse(task), Store(store_uri)
    pool = dataset.read_set(pool_uri, described, "pool")
    evaluation = dataset.read_evaluation(evaluation_uri, described)
    samples = dataset.read_pool(pool, store, samples_path, described)
    answers = dataset.read_labels(store, labels_path)
    sent = [name for name, field in zip(samples.ids, samples.field, strict=True) if field]
    read = {
        "pool": pool.record(pool_uri),
        "evaluation": evaluation.record(evaluation_uri),
        **record.inputs(answers, sent, samples_path, seed),
    }
    name = Learning.parse(learning).features
    features, evaluation_features = extract(name, samples.x, [evaluation.x], seed=seed, store=store)
    _save(
        samples_file,
        SampleFile(
            x=samples.x,
            ids=np.array(samples.ids),
            y=dataset.numbered(samples, answers, described),
            field=samples.field,
            chance=samples.chance,
            device=samples.device,
            features=features,
            evaluation_x=evaluation.x,
            evaluation_y=evaluation.y,
            evaluation_features=evaluation_features,
            data=np.array(json.dumps(read)),
            labels=np.array(json.dumps(answers)),
        ),
    )


@step
def teacher(samples_file: str, answers_file: str, *, task: str) -> float:
    """Learn from the labels there are; write AnswerFile; return accuracy on the evaluation set."""
    from .teacher import teach  # noqa: PLC0415 - SciPy loads slowly; other steps do without

    samples = _samples(samples_file)
    classes = len(Task.parse(task).labels)
    answers = teach(samples.features, samples.y, classes, samples.evaluation_features)
    accuracy = float((answers.others.argmax(1) == samples.evaluation_y).mean())
    if not (samples.y >= 0).any():
        accuracy = 0.0  # uniform answers know nothing; the first class is no guess
    _save(answers_file, AnswerFile(soft=answers.samples, accuracy=np.array(accuracy)))
    return accuracy


@step
def select(
    samples_file: str,
    answers_file: str,
    *,
    store_uri: str,
    output_path: str,
    task: str,
    learning: str,
    seed: int,
    round_number: int,
) -> str:
    """Choose the samples to ask labels for; write ``query.json`` and return its path.

    Their pictures lie beside it in ``pictures.zip``.
    """
    from petiole.learning import strategies  # noqa: PLC0415

    from . import pictures  # noqa: PLC0415

    samples, answers = _samples(samples_file), _answers(answers_file)
    labelled = samples.y >= 0
    generator = np.random.default_rng([seed, round_number, int(labelled.sum())])
    pool = strategies.Pool(samples.features, answers.soft, labelled, samples.device)
    given, store = Learning.parse(learning), Store(store_uri)
    queries = strategies.select(pool, given.choice(), generator)
    rows = [query.row for query in queries]
    labels = Task.parse(task).labels if labelled.any() else ()
    asked = {"round": round_number, "learning": json.loads(learning), "task": json.loads(task)}
    document = _summary(samples, answers) | {
        "agreement": _agreement(store, output_path, given.previous, samples, answers, labels),
        "asked": asked,
        "queries": [
            {"id": str(samples.ids[query.row]), "why": query.why, "score": round(query.score, 4)}
            | _guess(answers.soft[query.row], labels)
            for query in queries
        ],
    }
    drawn = pictures.pack(samples.x[rows], samples.ids[rows].tolist())
    store.put(f"{output_path}/pictures.zip", drawn)
    _keep_inputs(store, output_path, samples)
    return _put(store, f"{output_path}/query.json", document)


def _agreement(
    store: Store,
    output_path: str,
    previous: str,
    samples: SampleFile,
    answers: AnswerFile,
    labels: tuple[str, ...],
) -> float | None:
    """Keep what the teacher says of unlabelled samples; compare it with the run before it."""
    if not labels:
        return None
    rows = np.flatnonzero(samples.y < 0)
    said = {str(samples.ids[row]): labels[answers.soft[row].argmax()] for row in rows}
    store.put_json(f"{output_path}/{_TEACHER}", said)
    folder = PurePosixPath(output_path).parent
    before = store.get(str(folder / previous / _TEACHER)) if previous else None
    return None if before is None else kappa(said, json.loads(before))


def _keep_inputs(store: Store, output_path: str, samples: SampleFile) -> None:
    """Write what a replay needs beside a run's document."""
    document = {
        "labels": json.loads(str(samples.labels)),
        "samples": samples.ids[samples.field].tolist(),
    }
    store.put_json(f"{output_path}/{record.INPUTS}", document)


def _guess(chances: Matrix, labels: tuple[str, ...]) -> dict[str, Any]:
    """Return what the teacher would answer and how sure it is, 0..1; nothing before it learned."""
    if not labels:
        return {}
    return {"guess": labels[chances.argmax()], "confidence": round(float(chances.max()), 4)}


@step
def student(
    samples_file: str,
    answers_file: str,
    *,
    store_uri: str,
    output_path: str,
    target: dict[str, Any],
    learning: str,
    seed: int,
) -> str:
    """Train a student that fits the target; store it as int8; return the file's path.

    Why it is this network lies beside it in ``<target>.choice.json``.
    """
    from .making import make  # noqa: PLC0415

    samples, answers = _samples(samples_file), _answers(answers_file)
    if not (samples.y >= 0).any():
        raise StepError("NoLabels", "no sample has a label yet: answer queries before training")
    given, store = Learning.parse(learning), Store(store_uri)
    field = Fielded.find(store, given.fielded, output_path)
    made = make(lesson(samples, answers), target, given.student, field, seed)
    base = f"{output_path}/{target['name']}"
    store.put_json(f"{base}.choice.json", made.choice())
    store.put(f"{base}.tflite", made.tflite)
    return f"{base}.tflite"


@step
def compress(
    samples_file: str, tflite_path: str, *, store_uri: str, output_path: str, target: dict[str, Any]
) -> str:
    """Plan the model for the device, check its limits, make golden vectors; return a variant, JSON.

    The variant is an element of ``variants`` in ``candidate.json``, without what the judge adds.
    """
    from .fit import cost_of, golden_vectors, misfit  # noqa: PLC0415
    from .judge import quantised  # noqa: PLC0415
    from .planner import golden, plan  # noqa: PLC0415

    store, samples = Store(store_uri), _samples(samples_file)
    tflite = _stored(store, tflite_path)
    planned, shape = plan(tflite), samples.x.shape[1:]
    cost = cost_of(planned, shape, target)
    if problem := misfit(cost, target):
        raise StepError("DoesNotFit", problem)
    rows = _one_of_each(samples.evaluation_y, golden_vectors(shape, target))
    vectors = golden(tflite, quantised(samples.evaluation_x[rows]))
    base = f"{output_path}/{target['name']}"
    store.put(f"{base}.model", planned.blob)
    store.put(f"{base}.golden", vectors)
    return json.dumps(
        {
            "target": target["name"],
            "model": f"{base}.model",
            "golden": f"{base}.golden",
            "tflite": tflite_path,
            "bytes": len(planned.blob),
            "arena": planned.arena,
            "ops": planned.ops,
            "flash": cost.flash,
            "instructions": cost.instructions,
        }
        | chosen(store, base)
    )


@step
def judge(
    samples_file: str,
    answers_file: str,
    variants: list[str],
    *,
    store_uri: str,
    output_path: str,
    task: str,
    learning: str,
) -> str:
    """Judge every int8 variant on the evaluation set; write ``candidate.json``, return its path.

    The version in the field answers the same samples, as far as its models are in the store.
    """
    from . import judge as judging  # noqa: PLC0415

    store, samples = Store(store_uri), _samples(samples_file)
    labels = Task.parse(task).labels
    field = Fielded.find(store, Learning.parse(learning).fielded, output_path)
    judged, references = [], {}
    for variant in (json.loads(text) for text in variants):
        tflite = _stored(store, variant["tflite"])
        answers = judging.infer(tflite, samples.evaluation_x)
        verdict = judging.judge(answers, samples.evaluation_y, labels)
        before = None if field is None else field.tflite(variant["target"])
        if field is not None and before is not None:
            theirs = judging.infer(before, samples.evaluation_x)
            against = judging.compare(answers, theirs, samples.evaluation_y)
            variant["field"] = {"version": field.number, **against}
        judged.append(variant | asdict(verdict))
        x = _reference_inputs(samples)
        references[variant["target"]] = judging.reference(judging.infer(tflite, x), x)
    reference = _put(store, f"{output_path}/reference.json", references)
    _keep_inputs(store, output_path, samples)
    document = _summary(samples, _answers(answers_file)) | {
        "variants": sorted(judged, key=lambda variant: str(variant["target"])),
        "reference": reference,
    }
    return _put(store, f"{output_path}/candidate.json", document)


def lesson(samples: SampleFile, answers: AnswerFile) -> Lesson:
    """Compose what students learn: the pool and, weighted up to its mass, the field's samples."""
    field = int(samples.field.sum())
    factor = min(FIELD_FACTOR, max(1.0, (len(samples.field) - field) / max(field, 1)))
    return Lesson(samples.x, answers.soft, np.where(samples.field, factor, 1.0))


def _one_of_each(y: Labels, count: int) -> NDArray[np.int64]:
    """Rows of ``count`` samples with every class in turn, in a fixed order."""
    turn = np.array([np.count_nonzero(y[:row] == label) for row, label in enumerate(y)])
    return np.argsort(turn, kind="stable")[:count]


def _reference_inputs(samples: SampleFile) -> NDArray[np.uint8]:
    """Choose what stands for the field: the newest picked by chance, else the evaluation set."""
    rows = np.flatnonzero(samples.chance)[-REFERENCE_MOST:]
    return samples.x[rows] if len(rows) >= REFERENCE_LEAST else samples.evaluation_x


def _summary(samples: SampleFile, answers: AnswerFile) -> dict[str, Any]:
    return {
        "pool": len(samples.ids),
        "labelled": int((samples.y >= 0).sum()),
        "teacherAccuracy": float(answers.accuracy),
        "data": json.loads(str(samples.data)),
    }


def _put(store: Store, path: str, document: dict[str, Any]) -> str:
    store.put_json(path, document)
    return path


def _stored(store: Store, path: str) -> bytes:
    content = store.get(path)
    if content is None:
        raise StepError("StoreUnavailable", f"{path} is gone from {store.uri}: start the run anew")
    return content


def _save(path: str, content: SampleFile | AnswerFile) -> None:
    with Path(path).open("wb") as file:
        np.savez(file, **asdict(content))


def _samples(path: str) -> SampleFile:
    with np.load(path, allow_pickle=False) as arrays:
        return SampleFile(**arrays)


def _answers(path: str) -> AnswerFile:
    with np.load(path, allow_pickle=False) as arrays:
        return AnswerFile(**arrays)
