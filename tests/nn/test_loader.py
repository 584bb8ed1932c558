"""No byte string makes the loader or a run touch memory outside of the blob and the arena."""

import struct
import subprocess
from collections.abc import Iterator, Mapping

import numpy as np
import pytest

from hack.testbed.exactness import ROOT, Server, ServerError
from petiole_pipelines.planner import plan
from petiole_pipelines.planner.format import HEADER, OP, Header
from tests.nn.mutants import run_mutants

SHORT, MAGIC, ABI, OPERATOR, SHAPE, RANGE, VALUE = range(-1, -8, -1)  # nn_error
MUTANTS = 400  # of each network
EDGES = [0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]


def mutants(blob: bytes, random: np.random.Generator) -> Iterator[bytes]:
    """Change a few places, most of them in the header and the table, where the offsets are."""
    table = Header.parse(blob).table
    for _ in range(MUTANTS):
        changed = bytearray(blob)
        for _ in range(random.integers(1, 5)):
            start, end = _stretch(table, len(blob), random)
            width = int(random.choice([1, 2, 4]))
            at = int(random.integers(start, end - width + 1)) // width * width
            if random.random() < 0.5:
                value = int(random.choice(EDGES)) % (1 << 8 * width)
            else:
                old = int.from_bytes(changed[at : at + width], "little")
                value = (old + int(random.integers(-3, 4))) % (1 << 8 * width)
            changed[at : at + width] = value.to_bytes(width, "little")
        yield bytes(changed)


def _stretch(table: int, size: int, random: np.random.Generator) -> tuple[int, int]:
    chance = random.random()
    if chance < 0.2:
        return 0, HEADER.size
    return (table, size) if chance < 0.8 else (HEADER.size, table)


def at_op(blob: bytes, index: int, offset: int = 0) -> int:
    """Where in the blob a field of an operator is."""
    return Header.parse(blob).table + index * OP.size + offset


def test_mutated_models_never_leave_their_memory(models: Mapping[str, bytes]):
    random = np.random.default_rng(7)
    blobs = [m for tflite in models.values() for m in mutants(plan(tflite).blob, random)]
    verdicts = run_mutants(blobs)
    loads = {load for load, _ in verdicts}
    # The mutants must reach every check, and also get past all of them.
    assert loads >= {0, SHORT, MAGIC, ABI, OPERATOR, SHAPE, RANGE, VALUE}
    assert sum(run == "0" for _, run in verdicts) > 300


def test_every_truncation_is_refused(models: Mapping[str, bytes]):
    blob = plan(models["odd_conv"]).blob
    verdicts = run_mutants([blob[:size] for size in range(len(blob))])
    assert {load for load, _ in verdicts} == {SHORT}


def test_bytes_behind_a_model_do_not_matter(models: Mapping[str, bytes]):
    blob = plan(models["odd_conv"]).blob
    assert run_mutants([blob, blob + bytes(16)]) == [(0, "0"), (0, "0")]


def test_noise_is_no_model():
    random = np.random.default_rng(3)
    blobs = [random.bytes(int(random.integers(0, 300))) for _ in range(500)]
    assert {load for load, _ in run_mutants(blobs)} == {SHORT, MAGIC}


def patched(blob: bytes, offset: int, form: str, value: int) -> bytes:
    changed = bytearray(blob)
    struct.pack_into(form, changed, offset, value)
    return bytes(changed)


@pytest.mark.parametrize(
    ("offset", "form", "value", "error"),
    [
        (0, "<I", 0x314E4E50, MAGIC),  # of version 1
        (4, "<I", 1, ABI),
        (8, "<I", 1 << 20, SHORT),  # size
        (12, "<I", 4, RANGE),  # arena
        (16, "<I", 1 << 31, OPERATOR),  # mask
        (20, "<I", 1 << 30, SHORT),  # operator count
        (24, "<I", 0xFFFFFFF0, SHORT),  # table
        (28, "<I", 0xFFFFFFFF, RANGE),  # input offset
        (32, "<I", 0, SHAPE),  # input length
        (40, "<I", 0, SHAPE),  # output length
        (40, "<I", 1 << 20, RANGE),
    ],
)
def test_each_field_of_the_header_is_checked(
    models: Mapping[str, bytes], offset: int, form: str, value: int, error: int
):
    blob = patched(plan(models["odd_conv"]).blob, offset, form, value)
    assert run_mutants([blob]) == [(error, "-")]


@pytest.mark.parametrize(
    ("offset", "form", "value", "error"),
    [
        (0, "<B", 13, OPERATOR),  # kind
        (0, "<B", 255, OPERATOR),
        (1, "<B", 1, OPERATOR),  # packed weights of a convolution
        (2, "<H", 1, SHAPE),  # a ring of another height
        (4, "<I", 0xFFFFFFF0, RANGE),  # input
        (8, "<I", 0xFFFFFFF0, RANGE),  # scratch
        (16, "<H", 0, SHAPE),  # input height
        (32, "<H", 0, SHAPE),  # stride
        (40, "<I", 0xFFFFFFF0, RANGE),  # weights
        (40, "<I", HEADER.size + 2, RANGE),  # not at a multiple of 4
        (44, "<I", 0xFFFFFFF0, RANGE),  # scales
        (44, "<I", HEADER.size + 1, RANGE),
    ],
)
def test_each_field_of_an_operator_is_checked(
    models: Mapping[str, bytes], offset: int, form: str, value: int, error: int
):
    blob = plan(models["odd_conv"]).blob
    assert run_mutants([patched(blob, at_op(blob, 0, offset), form, value)]) == [(error, "-")]


@pytest.mark.parametrize(
    ("name", "index", "offset", "value", "error"),
    [
        ("pools", 0, 20, 1, SHAPE),  # fewer input channels than output channels
        ("pools", 0, 36, 3, SHAPE),  # a pad as large as the filter
        ("pools", 1, 16, 6, SHAPE),  # a pointwise filter that changes the height
        ("global_mean", 1, 22, 2, SHAPE),  # a mean that keeps a height
        ("global_mean", 1, 26, 3, SHAPE),  # a mean that loses channels
        ("multiplied", 0, 26, 8, SHAPE),  # no multiple of the input channels
        ("residual", 3, 18, 7, SHAPE),  # operands of another shape than the sum
        ("dense", 0, 28, 2, SHAPE),  # a filter in a fully connected layer
    ],
)
def test_each_kind_is_checked(
    models: Mapping[str, bytes], name: str, index: int, offset: int, value: int, error: int
):
    blob = plan(models[name]).blob
    assert run_mutants([patched(blob, at_op(blob, index, offset), "<H", value)]) == [(error, "-")]


@pytest.mark.parametrize(
    ("name", "index", "count", "field", "value"),
    [
        ("probabilities", 0, 1, 0, 1),  # a difference above zero
        ("probabilities", 0, 1, 0, -(1 << 31)),  # one that overflows when shifted
        ("probabilities", 0, 1, 2, -1),  # shift
        ("residual", 3, 3, 0, 129),  # offset of an operand
        ("residual", 3, 3, 2, 1),  # shift of an operand
        ("dense", 0, 21, 0, (5 << 28) + 1),  # bias
        ("dense", 0, 21, 1, -1),  # multiplier
        ("dense", 0, 21, 2, 31),  # shift
        ("dense", 0, 21, 2, -32),
    ],
)
def test_each_scale_is_checked(
    models: Mapping[str, bytes], name: str, index: int, count: int, field: int, value: int
):
    blob = plan(models[name]).blob
    scales = OP.unpack_from(blob, at_op(blob, index))[19]
    changed = patched(blob, scales + 4 * count * field, "<b" if field == 2 else "<i", value)
    assert run_mutants([changed]) == [(VALUE, "-")]


@pytest.mark.parametrize(("classes", "verdict"), [(511, (0, "0")), (512, (SHAPE, "-"))])
def test_a_softmax_has_at_most_511_classes(
    models: Mapping[str, bytes], classes: int, verdict: tuple[int, str]
):
    """All equal, more of them would need a shift by 32 bits."""
    blob = patched(plan(models["probabilities"]).blob, 12, "<I", 2048)  # arena
    blob = patched(blob, at_op(blob, 0, 4), "<I", 0)  # input
    blob = patched(blob, at_op(blob, 0, 12), "<I", 1024)  # output
    for channels in (20, 26):
        blob = patched(blob, at_op(blob, 0, channels), "<H", classes)
    assert run_mutants([blob]) == [verdict]


def test_overlapping_regions_are_refused(models: Mapping[str, bytes]):
    blob = plan(models["odd_conv"]).blob
    in_offset = struct.unpack_from("<I", blob, at_op(blob, 0, 4))[0]
    changed = patched(blob, at_op(blob, 0, 12), "<I", in_offset)
    assert run_mutants([patched(changed, at_op(blob, 0, 2), "<H", 0)]) == [(RANGE, "-")]


def test_the_server_passes_the_refusal_on(models: Mapping[str, bytes]):
    with pytest.raises(ServerError, match="status -1"):
        Server("posix", plan(models["odd_conv"]).blob[:-1])


def test_the_runtime_has_no_mutable_globals(tmp_path):
    sources = sorted((ROOT / "firmware" / "core").glob("nn_*.c"))
    assert len(sources) >= 8
    for source in sources:
        objects = tmp_path / f"{source.stem}.o"
        subprocess.run(["gcc", "-std=c11", "-O2", "-c", source, "-o", objects], check=True)
        symbols = subprocess.run(["nm", objects], check=True, capture_output=True, text=True).stdout
        kinds = {line.split()[-2] for line in symbols.splitlines()}
        assert not kinds & set("BbDdCGgSs"), f"{source.name}: {symbols}"
        assert not {"malloc", "free"} & {line.split()[-1] for line in symbols.splitlines()}
