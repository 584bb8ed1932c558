"""A query run is made again from its record, after labels, samples and pool have moved on."""

import json
from pathlib import Path

import cbor2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.metrics import cohen_kappa_score

from petiole_pipelines import replay, steps
from petiole_pipelines.agreement import kappa
from petiole_pipelines.errors import StepError
from petiole_pipelines.store import Store

LABELS = ["zero", "one", "two"]
TASK = {
    "type": "ImageClassification",
    "labels": LABELS,
    "input": {"height": 8, "width": 8, "channels": 1},
}
LEARNING = {
    "features": "Pixels",
    "strategy": "Badge",
    "batchSize": 8,
    "randomShare": 0.25,
    "quota": {"perClass": 0.5, "perDevice": 0.25},
    "nearDuplicates": "Drop",
}


class Round:
    """A pool of 60 digits of three classes, 20 to evaluate, and a store."""

    def __init__(self, root: Path) -> None:
        self.root = root
        scans = load_digits(n_class=3)
        self.x = (scans.images[:120, :, :, None] * 15).astype(np.uint8)
        self.truth = [LABELS[label] for label in scans.target[:120]]
        self.write("pool", slice(0, 60))
        self.write("evaluation", slice(60, 80))
        (root / "store").mkdir()
        self.store = Store((root / "store").as_uri())

    def write(self, name: str, part: slice) -> None:
        (self.root / name).mkdir(exist_ok=True)
        ids = [f"d{row}" for row in range(120)][part]
        y = [""] * len(ids) if name == "pool" else self.truth[part]
        np.savez(self.root / name / "samples.npz", x=self.x[part], id=ids, y=y)

    def label(self, *rows: int) -> None:
        known = json.loads(self.store.get("labels.json") or b"{}")
        self.store.put_json("labels.json", known | {f"d{r}": self.truth[r] for r in rows})

    def send(self, row: int, device: str) -> None:
        message = {2: self.x[row].tobytes(), 6: row % 2, "device": device}
        self.store.put(f"samples/u/f{row}.cbor", cbor2.dumps(message))

    def query(self, run: str, **learning) -> dict:
        samples, answers = str(self.root / "samples.npz"), str(self.root / "answers.npz")
        task, given = json.dumps(TASK), json.dumps(LEARNING | learning)
        steps.embed(
            samples,
            pool_uri=(self.root / "pool").as_uri(),
            evaluation_uri=(self.root / "evaluation").as_uri(),
            store_uri=self.store.uri,
            labels_path="labels.json",
            samples_path="samples/u",
            task=task,
            learning=given,
            seed=5,
        )
        steps.teacher(samples, answers, task=task)
        path = steps.select(
            samples,
            answers,
            store_uri=self.store.uri,
            output_path=f"rounds/{run}",
            task=task,
            learning=given,
            seed=5,
            round_number=2,
        )
        return json.loads(self.store.get(path))


@pytest.fixture
def moved(tmp_path) -> Round:
    """A round with one query run, after which labels were given and samples came."""
    made = Round(tmp_path)
    made.label(0, 1, 2, 3, 4)
    for row in range(80, 90):
        made.send(row, f"m{row % 3}")
    made.query("first")
    made.label(5, 6, 7, 8)
    made.send(90, "m1")
    return made


def test_a_replay_asks_the_same_as_the_run_did(moved, capsys):
    document = json.loads(moved.store.get("rounds/first/query.json"))
    assert len(document["queries"]) == 8
    assert replay.replay(moved.store.uri, "rounds/first/query.json") == document["queries"]
    assert replay.main(moved.store.uri, "rounds/first/query.json") == 0
    assert "8 queries, the same" in capsys.readouterr().out
    # What is there now gives other questions: it is the record that brought them back.
    assert moved.query("second")["queries"] != document["queries"]


def test_a_replay_names_what_is_not_as_it_was(moved, capsys):
    moved.write("pool", slice(0, 59))
    with pytest.raises(StepError, match="pool are not what the run of rounds/first/query"):
        replay.replay(moved.store.uri, "rounds/first/query.json")
    assert replay.main(moved.store.uri, "rounds/first/query.json") == 2
    assert "DataInvalid" in capsys.readouterr().err


def test_a_replay_that_misses_a_sample_says_which(moved):
    (moved.root / "store/samples/u/f84.cbor").unlink()
    with pytest.raises(StepError, match="sample f84 is gone from samples/u"):
        replay.replay(moved.store.uri, "rounds/first/query.json")


def test_devices_keep_their_share_of_a_batch(moved):
    found = moved.query("other", strategy="Random", randomShare=0, quota={"perDevice": 0.125})
    sent = [query["id"] for query in found["queries"] if query["id"].startswith("f")]
    devices = [int(name[1:]) % 3 for name in sent if name != "f90"]
    assert len(found["queries"]) == 8
    assert len(set(devices)) == len(devices)


def test_successive_teachers_are_compared_on_what_has_no_label(moved):
    first = json.loads(moved.store.get("rounds/first/query.json"))
    assert first["agreement"] is None
    second = moved.query("second", previous="first")
    before = json.loads(moved.store.get("rounds/first/teacher.json"))
    now = json.loads(moved.store.get("rounds/second/teacher.json"))
    assert not {f"d{row}" for row in range(9)} & set(now)
    common = sorted(set(now) & set(before))
    theirs = cohen_kappa_score([now[i] for i in common], [before[i] for i in common])
    assert second["agreement"] == pytest.approx(theirs)
    assert moved.query("third", previous="gone")["agreement"] is None


@pytest.mark.filterwarnings("ignore")  # scikit-learn on pairs that name one class only
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=2))
def test_kappa_is_that_of_scikit_learn(pairs):
    now, before = ({str(n): pair[side] for n, pair in enumerate(pairs)} for side in (0, 1))
    theirs = cohen_kappa_score(list(now.values()), list(before.values()))
    assert kappa(now, before) == pytest.approx(0.0 if np.isnan(theirs) else theirs)


def test_kappa_of_nothing_in_common_is_none():
    assert kappa({"a": "x"}, {"b": "x"}) is None
