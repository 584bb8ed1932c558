"""Pack a planned model into a signed MCUboot image.

Ed25519 is deterministic and so is the layout: the same input gives the same bytes, and therefore
the same digest, whoever packs it and however often.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from .container import Form, sign
from .policy import ArtifactError, Golden, Policy, encode_reference, encode_tlvs, lay_out


def pack(
    model: bytes,
    golden: Golden,
    *,
    reference_count: int,
    reference_confidence: tuple[int, ...],
    policy: Policy,
    key: Ed25519PrivateKey,
) -> bytes:
    """Return the bytes of the signed artefact.

    Raises ArtifactError when a part cannot be what a device expects.
    """
    _check(model, policy)
    reference = encode_reference(reference_count, reference_confidence)
    layout = lay_out(model, golden, reference)
    tlvs = encode_tlvs(policy, layout, golden.count)
    form = Form(version=f"0.0.0+{policy.revision}")
    return sign(layout.payload, form, policy.security_counter, tlvs, key)


def _check(model: bytes, policy: Policy) -> None:
    if not model:
        raise ArtifactError("the planned model is empty")
    if not policy.target.isascii() or not policy.target:
        raise ArtifactError(f"target {policy.target!r} is not an ASCII name")
