"""A small planned model of its own for each seed, and artefacts made of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from petiole.artifact.pack import pack
from petiole.artifact.policy import Golden, Policy
from petiole_pipelines.planner.fixedpoint import scale, softmax
from petiole_pipelines.planner.format import (
    ABI,
    HEADER,
    Header,
    Kind,
    Op,
    Places,
    Shape,
    pack_op,
    pack_scales,
    padded,
)

from .exactness import Server

INPUTS, CLASSES = 64, 10
TARGET = "cortex-m4"
_LOGITS_AT, _OUTPUT_AT, _PATCH_AT = 64, 80, 96
_ARENA = _PATCH_AT + 2 * INPUTS
_POLICY = Policy(target=TARGET, abi=ABI, arena=_ARENA, ops=0, security_counter=1, revision=1)


@dataclass(frozen=True)
class Model:
    """A planned model of one dense layer and a softmax, with golden vectors by the runtime."""

    blob: bytes
    inputs: np.ndarray  # uint8 [n, INPUTS]: raw sensor bytes
    outputs: np.ndarray  # int8 [n, CLASSES]

    @property
    def golden(self) -> Golden:
        inputs = (self.inputs ^ 0x80).tobytes()
        return Golden(inputs, self.outputs.tobytes(), len(self.inputs))

    @property
    def margins(self) -> dict[bytes, int]:
        """Margin of each input, 0..255."""
        tops = np.sort(self.outputs.astype(int), axis=1)[:, -2:]
        return {
            x.tobytes(): int(top - second)
            for x, (second, top) in zip(self.inputs, tops, strict=True)
        }

    @property
    def labels(self) -> list[int]:
        return [int(y.argmax()) for y in self.outputs]


def _blob(random: np.random.Generator, padding: int) -> bytes:
    weights = random.integers(-90, 91, (CLASSES, INPUTS), dtype=np.int8)
    sums = 128 * weights.astype(np.int64).sum(axis=1)
    dense = Op(
        kind=Kind.FULLY_CONNECTED,
        name="dense",
        in_tensor=0,
        out_tensor=1,
        in_shape=Shape(1, 1, INPUTS),
        out_shape=Shape(1, 1, CLASSES),
        weights=weights.tobytes(),
        scales=tuple(scale(int(s), 1 / 1200) for s in sums),
        in_zero_point=-128,
    )
    top = Op(
        kind=Kind.SOFTMAX,
        name="softmax",
        in_tensor=1,
        out_tensor=2,
        in_shape=Shape(1, 1, CLASSES),
        out_shape=Shape(1, 1, CLASSES),
        scales=(softmax(1.0, 0.05),),
    )
    dense_scales, top_scales = (padded(pack_scales(op.scales)) for op in (dense, top))
    constants = dense.weights + dense_scales + top_scales + padded(random.bytes(padding))
    dense_at = HEADER.size + len(dense.weights)
    top_at = dense_at + len(dense_scales)
    table = pack_op(dense, Places(0, _PATCH_AT, _LOGITS_AT, HEADER.size, dense_at))
    table += pack_op(top, Places(_LOGITS_AT, 0, _OUTPUT_AT, 0, top_at))
    body = constants + table
    header = Header(
        size=HEADER.size + len(body),
        arena=_ARENA,
        ops=1 << Kind.FULLY_CONNECTED | 1 << Kind.SOFTMAX,
        op_count=2,
        table=HEADER.size + len(constants),
        in_offset=0,
        in_len=INPUTS,
        out_offset=_OUTPUT_AT,
        out_len=CLASSES,
    )
    return header.pack() + body


def make(seed: int, *, vectors: int = 4, padding: int = 0) -> Model:
    """Make a model; ``padding`` bytes behind its constants make it a longer download."""
    random = np.random.default_rng(seed)
    blob = _blob(random, padding)
    inputs = random.integers(0, 256, (vectors, INPUTS), dtype=np.uint8)
    return Model(blob, inputs, outputs(blob, inputs))


def layer(weights: np.ndarray, ratio: float, zero: int, *, vectors: int = 4) -> Model:
    """Make a model of one dense layer: ``ratio`` times weights [n, INPUTS] times raw bytes + zero.

    For tasks without classes: its outputs are no probabilities.
    """
    out_at, patch_at, arena = INPUTS, 2 * INPUTS, 4 * INPUTS
    dense = Op(
        kind=Kind.FULLY_CONNECTED,
        name="dense",
        in_tensor=0,
        out_tensor=1,
        in_shape=Shape(1, 1, INPUTS),
        out_shape=Shape(1, 1, len(weights)),
        weights=weights.astype(np.int8).tobytes(),
        scales=tuple(scale(128 * int(row.sum()), ratio) for row in weights.astype(np.int64)),
        in_zero_point=-128,
        out_zero_point=zero,
    )
    constants = padded(dense.weights) + padded(pack_scales(dense.scales))
    scales_at = HEADER.size + len(padded(dense.weights))
    body = constants + pack_op(dense, Places(0, patch_at, out_at, HEADER.size, scales_at))
    header = Header(
        size=HEADER.size + len(body),
        arena=arena,
        ops=1 << Kind.FULLY_CONNECTED,
        op_count=1,
        table=HEADER.size + len(constants),
        in_offset=0,
        in_len=INPUTS,
        out_offset=out_at,
        out_len=len(weights),
    )
    blob = header.pack() + body
    inputs = np.random.default_rng(0).integers(0, 256, (vectors, INPUTS), dtype=np.uint8)
    return Model(blob, inputs, outputs(blob, inputs))


def outputs(blob: bytes, inputs: np.ndarray) -> np.ndarray:
    """Run a planned model here on raw sensor bytes [n, in]; int8 [n, out]."""
    with Server("posix", blob) as server:
        return np.stack([server.run((x ^ 0x80).view(np.int8)).output for x in inputs])


def sign(
    model: Model,
    key: Ed25519PrivateKey,
    *,
    golden: Golden | None = None,
    **policy: Any,  # noqa: ANN401 - any field of Policy
) -> bytes:
    """Pack the model; ``policy`` overrides fields of its policy."""
    fields = replace(_POLICY, **({"ops": Header.parse(model.blob).ops} | policy))
    return pack(
        model.blob,
        model.golden if golden is None else golden,
        reference_count=0,
        reference_confidence=(0,) * 16,
        policy=fields,
        key=key,
    )


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
