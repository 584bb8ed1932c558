"""The runtime gives the answers of tflite-micro, bit for bit."""

from collections.abc import Mapping

import numpy as np
import pytest

from hack.testbed.boards import BOARDS, BoardName
from hack.testbed.exactness import Server, ServerError, compare
from petiole_pipelines.planner import Reference, golden, plan
from petiole_pipelines.planner.format import OP, Header
from tests.nn import nets

NAMES = sorted(nets.NETS)


def random_inputs(count: int, length: int) -> np.ndarray:
    return np.random.default_rng(1).integers(-128, 128, (count, length), dtype=np.int8)


@pytest.mark.parametrize("name", NAMES)
def test_plain_kernels_on_this_machine(models: Mapping[str, bytes], name: str):
    found = compare(models[name], inputs=500, where="posix")
    assert (found.inputs, found.mismatches) == (500, 0)


@pytest.mark.parametrize("board", BOARDS)
def test_the_kernels_of_a_board(models: Mapping[str, bytes], board: BoardName):
    with Server(board, plan(models[NAMES[0]]).blob, counted=False) as server:
        for name, tflite in models.items():
            found = compare(tflite, inputs=3, where=server)
            assert (name, found.inputs, found.mismatches) == (name, 3, 0)


@pytest.mark.parametrize("name", NAMES)
def test_the_networks_tell_inputs_apart(models: Mapping[str, bytes], name: str):
    """Else equality would mean little."""
    outputs = Reference(models[name]).run(random_inputs(200, plan(models[name]).in_len))
    assert len(np.unique(outputs, axis=0)) > 150
    assert len(np.unique(outputs)) > 100


def test_a_changed_weight_is_seen(models: Mapping[str, bytes]):
    planned = plan(models["dense"])
    inputs = random_inputs(50, planned.in_len)
    wanted = Reference(models["dense"]).run(inputs)
    changed = bytearray(planned.blob)
    weights = OP.unpack_from(planned.blob, Header.parse(planned.blob).table + OP.size)[18]
    changed[weights + 7 * 21 - 1] ^= 0x40
    with Server("posix", bytes(changed)) as server:
        got = np.stack([server.run(x).output for x in inputs])
    assert (got != wanted).any()
    # The last weight belongs to the last neuron: all others stay the same.
    np.testing.assert_array_equal(got[:, :-1], wanted[:, :-1])


def test_instructions_are_the_same_in_each_run(models: Mapping[str, bytes]):
    planned = plan(models["digits"])
    values = random_inputs(1, planned.in_len)[0]
    with Server("an386", planned.blob) as server:
        counts = [server.run(values).instructions for _ in range(5)]
    # The timer counts every 1.6th part of an instruction, so rounding may show.
    assert max(counts) - min(counts) <= 2


def test_golden_vectors_are_inputs_and_then_outputs(models: Mapping[str, bytes]):
    planned = plan(models["digits"])
    inputs = random_inputs(3, planned.in_len)
    vectors = np.frombuffer(golden(models["digits"], inputs), np.int8)
    np.testing.assert_array_equal(vectors[: inputs.size], inputs.reshape(-1))
    outputs = vectors[inputs.size :].reshape(3, -1)
    with Server("posix", planned.blob) as server:
        for given, wanted in zip(inputs, outputs, strict=True):
            np.testing.assert_array_equal(server.run(given).output, wanted)


def test_golden_refuses_raw_bytes(models: Mapping[str, bytes]):
    with pytest.raises(ValueError, match="must be int8, not uint8"):
        golden(models["digits"], np.zeros((1, 64), np.uint8))


def test_an_input_of_another_length_is_refused(models: Mapping[str, bytes]):
    with Server("posix", plan(models["digits"]).blob) as server:
        with pytest.raises(ServerError, match="status -101"):
            server.run(np.zeros(63, np.int8))
        # The next request is served as if nothing had been.
        assert server.run(np.zeros(64, np.int8)).output.shape == (10,)
