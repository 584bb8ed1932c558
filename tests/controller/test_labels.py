"""Labels: an oracle answers at once, a folder when somebody has put a file there."""

import pytest

from petiole.controller.labels.source import Batch, Question
from petiole.controller.labels.tables import Folder, Oracle
from petiole.controller.problem import Problem

KNOWN = ("scab", "rust")


def asked(*ids, run="leaf-r1"):
    return Batch(run, "leaf", "rounds/leaf-r1", tuple(Question(id_) for id_ in ids))


def test_the_oracle_answers_what_it_knows(tmp_path):
    (tmp_path / "labels.csv").write_text("id,label\na,scab\nb,rust\nc,scab\n")
    oracle = Oracle(f"{tmp_path.as_uri()}/labels.csv", KNOWN)
    oracle.ask(asked("a"))
    found = oracle.answers(asked("a", "c", "unknown"))
    assert (found.labels, found.problem) == ({"a": "scab", "c": "scab"}, "")


def test_an_answer_that_is_no_label_is_told(tmp_path):
    (tmp_path / "labels.csv").write_text("id,label\na,scab\nb,scb\n")
    oracle = Oracle(f"{tmp_path.as_uri()}/labels.csv", KNOWN)
    found = oracle.answers(asked("a", "b"))
    assert found.labels == {"a": "scab"}
    assert "labels.csv line 3: 'scb'" in found.problem
    assert "Use one of scab, rust" in found.problem


def test_a_missing_file_of_labels_is_told(tmp_path):
    oracle = Oracle(f"{tmp_path.as_uri()}/labels.csv", KNOWN)
    with pytest.raises(Problem, match=r"labels\.csv.*spec\.learning\.labels\.uri"):
        oracle.answers(asked("a"))


def test_a_file_without_its_columns_is_told(tmp_path):
    (tmp_path / "labels.csv").write_text("name,class\na,scab\n")
    oracle = Oracle(f"{tmp_path.as_uri()}/labels.csv", KNOWN)
    with pytest.raises(Problem, match="columns id and label"):
        oracle.answers(asked("a"))


def test_the_honest_arm_shows_no_guess():
    query = {"id": "a", "why": "Margin", "score": 0.9, "guess": "rust", "confidence": 0.7}
    assert Question.read(query) == Question("a", "rust", 0.7)
    assert Question.read(query | {"why": "Random"}) == Question("a")
    assert Question.read({"id": "a", "why": "TypiClust", "score": 0.5}) == Question("a")


def test_a_folder_gets_requests_and_gives_answers(tmp_path):
    folder = Folder(tmp_path.as_uri(), KNOWN)
    folder.ask(asked("a", "b"))
    assert (tmp_path / "requests" / "leaf-r1.csv").read_text() == "id\na\nb\n"
    assert folder.answers(asked("a", "b")).labels == {}
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "one.csv").write_text("id,label\na,scab\nb,\n")
    assert folder.answers(asked("a", "b")).labels == {"a": "scab"}
    (tmp_path / "answers" / "two.csv").write_text("id,label\nb,rust\n")
    (tmp_path / "answers" / "notes.txt").write_text("not a table")
    assert folder.answers(asked("a", "b")).labels == {"a": "scab", "b": "rust"}


def test_asking_twice_leaves_the_request_alone(tmp_path):
    folder = Folder(tmp_path.as_uri(), KNOWN)
    folder.ask(asked("a"))
    request = tmp_path / "requests" / "leaf-r1.csv"
    before = request.stat().st_mtime_ns
    folder.ask(asked("a"))
    assert request.stat().st_mtime_ns == before
