"""Frames of the sensor link, and the tally made from them."""

import asyncio
import csv
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hack.testbed.field import Field, Place, Stream, publish_answers
from hack.testbed.link import ANSWER, NO_MODEL, SensorLink, frame, parse_answer, split_frames
from petiole.wire.messages import input_hash

DIGEST = bytes(range(32))


@given(
    frames=st.lists(st.tuples(st.integers(0, 500), st.binary(min_size=0, max_size=80)), max_size=8),
    cut=st.integers(1, 40),
)
def test_frames_survive_any_cutting(frames, cut):
    stream = b"".join(frame(index, payload) for index, payload in frames)
    buffer, found = bytearray(), []
    for start in range(0, len(stream), cut):
        buffer += stream[start : start + cut]
        found += split_frames(buffer)
    assert found == frames
    assert not buffer


def test_noise_before_a_frame_is_dropped():
    buffer = bytearray(b"noise\xa5" + frame(3, b"abc"))
    assert split_frames(buffer) == [(3, b"abc")]


def test_an_answer_of_another_length_is_none():
    assert parse_answer(b"\0" * (ANSWER.size - 1)) is None
    assert parse_answer(ANSWER.pack(7, 3, 200, DIGEST)).digest == DIGEST.hex()


@pytest.fixture
async def echo(tmp_path):
    """Devices that answer with the first byte of what they see; device 1 has no model."""
    counts = [0, 0]

    async def serve(reader, writer):
        buffer = bytearray()
        while chunk := await reader.read(4096):
            buffer += chunk
            for index, payload in split_frames(buffer):
                counts[index] += 1
                label = NO_MODEL if index == 1 else payload[0]
                writer.write(frame(index, ANSWER.pack(counts[index], label, 255, DIGEST)))

    path = tmp_path / "sensor"
    server = await asyncio.start_unix_server(serve, path)
    link = SensorLink(path)
    await link.connect()
    yield link
    await link.close()
    server.close()


async def answers(field, phase):
    while field.tally.over(phase).answers < 20:  # noqa: ASYNC110 - a tally has no event
        await asyncio.sleep(0.01)


async def test_the_tally_counts_by_phase_and_device(echo):
    right = Stream(np.full((5, 4), 2, np.uint8), np.full(5, 2))
    wrong = Stream(np.full((5, 4), 3, np.uint8), np.full(5, 2))
    streams = {"calm": right, "shifted": wrong}
    field = Field(streams, phase="calm", per_second=50.0, seed=1)
    field.reach([Place("a", echo, 0), Place("b", echo, 1)])
    async with asyncio.timeout(20):
        running = asyncio.create_task(field.run())
        await answers(field, "calm")
        field.switch("shifted")
        await answers(field, "shifted")
        running.cancel()
    assert field.tally.over("calm").accuracy == 1.0
    assert field.tally.over("shifted", [DIGEST.hex()]).accuracy == 0.0
    assert field.tally.devices([DIGEST.hex()]) == {"a"}
    assert field.tally.without_model > 0
    assert field.tally.lost == 0


def test_switching_to_an_unknown_stream_says_which_there_are():
    field = Field({"calm": None}, phase="calm", per_second=1.0, seed=0)
    with pytest.raises(ValueError, match="calm"):
        field.switch("storm")


async def test_a_missing_sensor_link_is_named(tmp_path):
    with pytest.raises(ConnectionError, match="nowhere"):
        await SensorLink(tmp_path / "nowhere").connect(deadline=0.3)


def test_answers_are_added_once(tmp_path):
    oracle = tmp_path / "labels.csv"
    oracle.write_text("id,label\nscan-1,zero\n")
    stream = Stream(np.arange(8, dtype=np.uint8).reshape(2, 4), np.array([1, 0]))
    assert publish_answers(oracle, stream, ("zero", "one")) == 2
    assert publish_answers(oracle, stream, ("zero", "one")) == 0
    rows = dict(csv.reader(oracle.open()))
    assert rows["scan-1"] == "zero"
    assert rows[input_hash(struct.pack("4B", 0, 1, 2, 3)).hex()] == "one"
