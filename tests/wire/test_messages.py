"""The Python messages: round trips, strictness, and agreement with the CDDL."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources

import cbor2
import pytest
import zcbor
from hypothesis import given, settings
from hypothesis import strategies as st

from petiole.wire.messages import (
    Artefact,
    Caps,
    Cause,
    Crash,
    Firmware,
    FirmwareState,
    Grant,
    Patch,
    Phase,
    Reason,
    Sample,
    ShadowRun,
    State,
    Stats,
    Why,
    WireError,
    decode_ack,
    decode_halt,
    decode_online,
    encode_ack,
    encode_halt,
    encode_online,
)

CDDL = resources.files("petiole.wire").joinpath("messages.cddl").read_text()
TYPES = zcbor.DataTranslator.from_cddl(CDDL, default_max_qty=64).my_types

u16, u32, u64 = (st.integers(0, 2**bits - 1) for bits in (16, 32, 64))
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
names = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=24)
caps = st.builds(
    Caps, target=names, slot=u32, arena=u32, abi=u32, ops=u32, agent=names, firmware=u32, block=u16
)
firmware_states = st.builds(FirmwareState, active=digests, standby=st.none() | digests, floor=u32)
crashes = st.builds(
    Crash,
    boot=u32,
    cause=st.sampled_from(Cause),
    pc=u32,
    lr=u32,
    fault=u32,
    firmware=st.binary(min_size=8, max_size=8).map(bytes.hex),
)
states = st.builds(
    State,
    boot=u32,
    seq=u32,
    phase=st.sampled_from(Phase),
    reason=st.sampled_from(Reason),
    caps=caps,
    active=st.none() | digests,
    target=st.none() | digests,
    standby=st.none() | digests,
    got=u16,
    total=u16,
    floor=u32,
    attempt=u16,
    firmware=st.none() | firmware_states,
    crash=st.none() | crashes,
    score=u32,
)
bins = st.lists(u32, min_size=16, max_size=16).map(tuple)
stats = st.builds(
    Stats,
    boot=u32,
    seq=u32,
    digest=digests,
    count=u32,
    confidence=bins,
    margin=bins,
    classes=st.lists(u32, min_size=1, max_size=32).map(tuple),
    confidence_sum=u64,
    confidence_squares=u64,
    input_sum=u64,
    latency_sum=u64,
    inputs=st.none() | bins,
    latency=st.none() | bins,
    drift=st.none() | u32,
    shadow=st.none()
    | st.builds(ShadowRun, digest=digests, count=u32, disagreed=u32, confidence_sum=u64),
)
u8 = st.integers(0, 255)
samples = st.builds(
    Sample,
    digest=digests,
    input=st.binary(min_size=1, max_size=200),
    label=u8,
    confidence=u8,
    margin=u8,
    why=st.sampled_from(Why),
)
patches = st.builds(Patch, base=digests, digest=digests, size=u32)
artefacts = st.builds(Artefact, digest=digests, size=u32, block=u16, patch=st.none() | patches)
grants = st.builds(
    Grant,
    serial=u32,
    fleet=names,
    interval=u32,
    samples=u32,
    artefact=st.none() | artefacts,
    hold=st.booleans(),
    attempt=u16,
    shadow=u32,
    firmware=st.none()
    | st.builds(Firmware, a=artefacts, b=artefacts, hold=st.booleans(), attempt=u16),
)

Message = State | Stats | Sample | Grant
messages = st.one_of(states, stats, samples, grants)


def conforms(kind: str, payload: bytes) -> None:
    """Raise what zcbor raises unless ``payload`` is the CDDL's ``kind``."""
    TYPES[kind].validate_str(payload)


@given(messages)
def test_a_message_survives_the_wire(message: Message) -> None:
    assert type(message).decode(message.encode()) == message


@settings(max_examples=60)
@given(messages)
def test_what_python_writes_the_cddl_allows(message: Message) -> None:
    conforms(type(message).__name__.lower(), message.encode())


@given(st.lists(digests, max_size=8).map(tuple))
def test_halts(halted: tuple[str, ...]) -> None:
    payload = encode_halt(halted)
    conforms("halt", payload)
    assert decode_halt(payload) == halted


@given(st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=16).map(tuple))
def test_acks(hashes: tuple[bytes, ...]) -> None:
    payload = encode_ack(hashes)
    conforms("ack", payload)
    assert decode_ack(payload) == hashes


@pytest.mark.parametrize("online", [True, False])
def test_presence(online: bool) -> None:
    conforms("online", encode_online(online))
    assert decode_online(encode_online(online)) is online


@settings(max_examples=400)
@given(st.sampled_from([State, Stats, Sample, Grant]), st.binary(max_size=300))
def test_noise_is_refused_or_read_but_never_crashes(kind: type[Message], noise: bytes) -> None:
    with pytest.raises(WireError):
        kind.decode(noise)


@settings(max_examples=400)
@given(messages, st.data())
def test_a_damaged_message_raises_nothing_but_a_wire_error(
    message: Message, data: st.DataObject
) -> None:
    payload = bytearray(message.encode())
    at = data.draw(st.integers(0, len(payload) - 1))
    payload[at] ^= data.draw(st.integers(1, 255))
    try:
        read = type(message).decode(bytes(payload))
    except WireError:
        return
    assert type(message).decode(read.encode()) == read


A_STATE = State(1, 2, Phase.IDLE, Reason.NONE, Caps("m4", 1, 2, 3, 4, "a"))


def altered(key: int, value: object) -> bytes:
    fields = cbor2.loads(A_STATE.encode())
    fields[key] = value
    return cbor2.dumps(fields)


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (altered(1, -1), "state.boot: -1 is not an unsigned integer of 32 bits"),
        (altered(1, 2**32), "state.boot"),
        (altered(1, True), "state.boot: True"),
        (altered(3, 9), "state.phase: 9 is unknown"),
        (altered(4, 22), "state.reason: 22 is unknown"),
        (altered(5, b"short"), "state.active"),
        (altered(8, 65536), "state.got"),
        (altered(11, {}), "state.caps.target: missing"),
        (altered(16, 0), "state: unknown key 16"),
        (A_STATE.encode()[:-1], "state: not CBOR"),
        (A_STATE.encode() + b"\0", "state: bytes follow"),
        (cbor2.dumps([1, 2]), "state: [1, 2] is not a map"),
        (b"\x5a\x00\x01\x00\x00" + bytes(65536), "at most 8192"),
    ],
)
def test_the_error_names_the_field(payload: bytes, words: str) -> None:
    with pytest.raises(WireError) as error:
        State.decode(payload)
    assert words in str(error.value)


def test_the_cddl_refuses_what_python_refuses() -> None:
    with pytest.raises(Exception):  # noqa: B017, PT011 - zcbor has several
        conforms("state", altered(3, 9))


def test_words_are_those_of_the_cddl() -> None:
    for word in (*Phase, *Reason, *Why, *Cause):
        assert f"\n{word.word} = {word.value}\n" in CDDL
    for reason in Reason:
        assert bool(reason.sentence) is (reason is not Reason.NONE)
    for phase in Phase:
        assert phase.sentence


def test_too_many_halts_or_acks_are_not_written() -> None:
    with pytest.raises(WireError):
        encode_halt(("00" * 32,) * 9)
    with pytest.raises(WireError):
        encode_ack(())


def test_newer_is_a_later_boot_or_report() -> None:
    assert replace(A_STATE, boot=2, seq=0).order > replace(A_STATE, boot=1, seq=9).order
