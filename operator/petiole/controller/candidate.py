"""From a pipeline's candidate to a version: pure, bytes in and bytes out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import Field, TypeAdapter, ValidationError

from petiole.api.base import ApiModel, octets
from petiole.api.student import Target
from petiole.api.tinymodel import TinyModelSpec, VariantStatus
from petiole.artifact.pack import pack
from petiole.artifact.policy import Anomaly, ArtifactError, Golden, Policy, TaskKind
from petiole.learning.judge import percent
from petiole.rollout.observed import Reference

from .problem import Problem

MODEL_ABI = 2  # of the planned model format, where a candidate does not say


class Histogram(ApiModel):
    """Reference histograms of one target, in the integer units of the wire's ``stats``."""

    count: int
    confidence: tuple[int, ...]
    classes: tuple[int, ...]
    confidence_sum: int
    confidence_squares: int
    input_sum: int

    def reference(self) -> Reference:
        return Reference(**self.model_dump())


class Detector(ApiModel):
    """How the outputs of a model without classes become a score, as ``Anomaly`` of an artefact."""

    kind: Literal["Reconstruction", "Distance"]
    outputs: Annotated[int, Field(ge=1, description="Bytes that the network puts out.")]
    threshold: float
    release: float
    step: float = 0.0
    zero: int = 0
    inputs: int = 0

    def policy(self) -> Anomaly:
        """Return what a device is told. Raises ArtifactError for what it would refuse."""
        given = self.model_dump(exclude={"kind", "outputs"})
        return Anomaly(TaskKind[self.kind.upper()], **given)


class CandidateVariant(ApiModel):
    """The model made for one target. ``model`` and ``golden`` are paths in the store.

    Figures are 0..1: accuracy of classes, F1 and false alarms of a detector.
    """

    target: str
    model: str
    golden: str
    bytes: int
    arena: int
    ops: int
    accuracy: float = 0.0
    f1: float = 0.0
    false_alarms: float = 0.0
    detector: Detector | None = None
    abi: int = MODEL_ABI
    network: str = ""
    instructions: int = 0


class Candidate(ApiModel):
    """``candidate.json`` of a Train run."""

    labelled: int
    variants: tuple[CandidateVariant, ...]
    reference: str

    def variant(self, target: str) -> CandidateVariant:
        found = next((v for v in self.variants if v.target == target), None)
        if found is None:
            raise Problem(
                f"The candidate has no variant for target {target!r}. It was trained before the "
                "target was added; start a new round."
            )
        return found


_HISTOGRAMS = TypeAdapter(dict[str, Histogram])


def read_candidate(document: Mapping[str, Any], where: str) -> Candidate:
    try:
        return Candidate.model_validate(document)
    except ValidationError as error:
        raise Problem(f"{where} is no candidate: {error}") from error


def read_histograms(document: Mapping[str, Any], where: str) -> dict[str, Histogram]:
    try:
        return _HISTOGRAMS.validate_python(document)
    except ValidationError as error:
        raise Problem(f"{where} holds no reference histograms: {error}") from error


def sign_variant(
    spec: TinyModelSpec,
    target: Target,
    variant: CandidateVariant,
    *,
    version: int,
    model: bytes,
    golden: bytes,
    histogram: Histogram,
    key: Ed25519PrivateKey,
) -> bytes:
    """Check a variant against its target's limits and return the signed artefact."""
    if variant.arena > octets(target.arena):
        raise Problem(
            f"The model for {target.name} needs {variant.arena} bytes of arena, but the target "
            f"allows {target.arena}. Raise spec.targets[{target.name}].arena or train anew."
        )
    try:
        artefact = pack(
            model,
            _golden(spec, variant, golden),
            reference_count=histogram.count,
            reference_confidence=histogram.confidence,
            policy=Policy(
                target=target.name,
                abi=variant.abi,
                arena=variant.arena,
                ops=variant.ops,
                security_counter=spec.security_counter,
                revision=version,
                anomaly=variant.detector.policy() if variant.detector else None,
            ),
            key=key,
        )
    except ArtifactError as error:
        raise Problem(f"The model for {target.name} cannot be packed: {error}.") from error
    if len(artefact) > octets(target.flash):
        raise Problem(
            f"The artefact for {target.name} has {len(artefact)} bytes, but the target allows "
            f"{target.flash} of flash. Raise spec.targets[{target.name}].flash or train anew."
        )
    return artefact


def _golden(spec: TinyModelSpec, variant: CandidateVariant, golden: bytes) -> Golden:
    shape = spec.task.input
    outputs = variant.detector.outputs if variant.detector else len(spec.task.labels)
    return Golden.split(golden, shape.height * shape.width * shape.channels, outputs)


def describe(target: Target, variant: CandidateVariant, artefact: bytes) -> VariantStatus:
    """Return what ``status.versions`` says about a signed variant."""
    return VariantStatus(
        target=target.name,
        digest=hashlib.sha256(artefact).hexdigest(),
        size=len(artefact),
        arena=variant.arena,
        network=variant.network,
        instructions=variant.instructions,
        **figures((variant,)),
    )


def figures(variants: Sequence[CandidateVariant]) -> dict[str, str]:
    """Return what status says of how good variants are: of the worst of them."""
    if any(v.detector is None for v in variants):
        return {"accuracy": percent(min(v.accuracy for v in variants))}
    return {
        "f1": percent(min(v.f1 for v in variants)),
        "false_alarms": percent(max(v.false_alarms for v in variants)),
    }


def stamp(now: datetime) -> datetime:
    """Cut a time to what the API server shows."""
    return now.replace(microsecond=0)
