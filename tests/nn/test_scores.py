"""Scores of tasks without classes: the same bits on every core, and the numbers of scikit-learn."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.covariance import EmpiricalCovariance

from hack.testbed.boards import BOARDS
from hack.testbed.exactness import BUILD, COUNTED, ServerError, Talk, build

DISTANCE, DIFFERENCE = 1, 2  # commands of firmware/tests/score_server.c
MOST = 16
PLACES = ("posix", "an385", "an386")
Vectors = npt.NDArray[np.int8]


def command(where: str) -> tuple[str, ...]:
    if where == "posix":
        return (str(BUILD / "host" / "score_server"),)
    board = BOARDS[where]
    return (*board.command, *COUNTED, str(board.built / "score_server.elf"))


@pytest.fixture(scope="module", params=PLACES)
def server(request: pytest.FixtureRequest) -> Iterator[Talk]:
    build("scores")
    with Talk(command(request.param)) as running:
        yield running


def learned(seed: int, features: int, n: int, m: int) -> tuple[Vectors, Vectors]:
    """Vectors to learn from, correlated and of other scales; and vectors to score."""
    rng = np.random.default_rng(seed)
    mix = rng.normal(size=(features, features)) * rng.uniform(1.0, 12.0, features)
    centre = rng.uniform(-30.0, 30.0, features)
    normal = rng.normal(size=(n + m // 2, features)) @ mix + centre
    odd = rng.uniform(-128.0, 127.0, (m - m // 2, features))
    vectors = np.clip(np.round(np.concatenate([normal, odd])), -128, 127).astype(np.int8)
    return vectors[:n], vectors[n:]


def ask(server: Talk, learn: Vectors, score: Vectors) -> tuple[npt.NDArray[np.uint32], bytes]:
    head = struct.pack("<3I", learn.shape[1], len(learn), len(score))
    answer = server.ask(DISTANCE, head + learn.tobytes() + score.tobytes())
    at = 4 * len(score)
    return np.frombuffer(answer[:at], np.uint32), answer[at:]


CASES = [(seed, features, n) for seed, features in enumerate((1, 2, 5, 9, 16)) for n in (40, 400)]


@pytest.mark.parametrize(("seed", "features", "n"), CASES)
def test_distance_is_that_of_mahalanobis(server: Talk, seed: int, features: int, n: int) -> None:
    learn, score = learned(seed, features, n, 40)
    said, _ = ask(server, learn, score)
    found = EmpiricalCovariance().fit(learn.astype(float))
    # Sample covariance, and the variance of rounding to whole numbers.
    covariance = found.covariance_ * n / (n - 1) + np.eye(features) / 12.0
    apart = score.astype(float) - found.location_
    wanted = np.einsum("ij,jk,ik->i", apart, np.linalg.inv(covariance), apart)
    np.testing.assert_allclose(said / 256.0, wanted, rtol=2e-3, atol=0.01)


def test_all_cores_give_the_same_bits() -> None:
    build("scores")
    answers = []
    for where in PLACES:
        with Talk(command(where)) as running:
            answers.append([ask(running, *learned(seed, f, n, 40)) for seed, f, n in CASES])
    for one, two in zip(answers[1:], answers[:-1], strict=True):
        for (scores, state), (others, other_state) in zip(one, two, strict=True):
            assert np.array_equal(scores, others)
            assert state == other_state


def test_features_that_never_move_count_as_rounded_ones(server: Talk) -> None:
    learn = np.zeros((50, 4), np.int8)
    score = np.eye(4, dtype=np.int8)[:1] * 3
    said, _ = ask(server, learn, np.concatenate([score, learn[:1]]))
    assert said.tolist() == [pytest.approx(9 * 12 * 256, rel=1e-5), 0]


def test_the_longest_distance_does_not_wrap(server: Talk) -> None:
    learn = np.full((2, MOST), -128, np.int8)
    said, _ = ask(server, learn, np.full((1, MOST), 127, np.int8))
    assert said[0] == pytest.approx(MOST * 255**2 * 12 * 256, rel=1e-5)


def tlv(step: float, zero: int, task: int = 1, threshold: int = 1, release: int = 1) -> bytes:
    return struct.pack("<4IiI", task, threshold, release, round(step * 65536), zero, 0)


@pytest.mark.parametrize(("step", "zero", "n"), [(1.0, -128, 640), (0.37, 5, 7), (15.9, 127, 9)])
def test_difference_is_the_mean_square(server: Talk, step: float, zero: int, n: int) -> None:
    rng = np.random.default_rng(n)
    given = rng.integers(0, 256, n, dtype=np.uint8)
    output = rng.integers(-128, 128, n, dtype=np.int8)
    answer = server.ask(DIFFERENCE, tlv(step, zero) + given.tobytes() + output.tobytes())
    score, level = struct.unpack("<IB", answer)
    restored = round(step * 65536) / 65536 * (output.astype(float) - zero)
    wanted = float(np.mean((given - restored) ** 2))
    assert score / 256.0 == pytest.approx(wanted, rel=1e-3, abs=0.5)
    assert level == min(255, int(16 * np.log2(score + 1) + 1e-9))


def test_an_equal_output_is_no_difference(server: Talk) -> None:
    given = np.arange(256, dtype=np.uint8)
    same = (given.astype(int) - 128).astype(np.int8)
    answer = server.ask(DIFFERENCE, tlv(1.0, -128) + given.tobytes() + same.tobytes())
    assert struct.unpack("<IB", answer) == (0, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        tlv(1.0, -128, task=0),
        tlv(1.0, -128, task=2),  # learns from nothing
        tlv(1.0, -128, task=3),
        tlv(1.0, -128, threshold=0, release=0),
        tlv(1.0, -128, threshold=5, release=6),
        tlv(0.0, -128),
        tlv(16.1, -128),
        tlv(1.0, 128),
        tlv(1.0, -129),
    ],
)
def test_what_makes_no_sense_is_refused(server: Talk, wrong: bytes) -> None:
    with pytest.raises(ServerError, match="refused"):
        server.ask(DIFFERENCE, wrong + bytes(2))
