"""What a device may ask for: a certificate for its own id and a key that it proves to hold.

A request is PKCS #10 (RFC 2986). Only its key is taken over; what else it asks for is never copied.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.x509.oid import NameOID

DeviceKey = EllipticCurvePublicKey | Ed25519PublicKey
PrivateKey = EllipticCurvePrivateKey | Ed25519PrivateKey


class RequestError(ValueError):
    """A request that is not granted; the text says what is wrong and what to send instead."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request that was checked: the key is the sender's, the id is the one it may have."""

    device: str
    key: DeviceKey

    @property
    def key_id(self) -> str:
        """SHA-256 of the key's SubjectPublicKeyInfo, in hex."""
        return key_id(self.key)


def request(key: PrivateKey, device: str) -> str:
    """Make what a device sends, in PEM: its id alone, signed by its key."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    made = builder.sign(key, signed_with(key))
    return made.public_bytes(serialization.Encoding.PEM).decode()


def signed_with(key: PrivateKey) -> hashes.SHA256 | None:
    """Return the hash of a key's signatures; Ed25519 has its own."""
    return None if isinstance(key, Ed25519PrivateKey) else hashes.SHA256()


def key_id(key: DeviceKey) -> str:
    """SHA-256 of SubjectPublicKeyInfo in DER, in hex."""
    encoded = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(encoded).hexdigest()


def read(data: bytes, device: str) -> Request:
    """Check a request, DER or PEM, of ``device``. RequestError when it is not granted."""
    try:
        return _checked(_parse(data), device)
    except RequestError:
        raise
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
        raise RequestError(f"it is not a certificate request (PKCS #10): {error}") from error


def _checked(csr: x509.CertificateSigningRequest, device: str) -> Request:
    if not csr.is_signature_valid:
        raise RequestError(
            "its signature does not fit its key: sign the request with the key's private half"
        )
    _check_subject(csr.subject, device)
    _check_extensions(csr.extensions)
    return Request(device, _checked_key(csr))


def _parse(data: bytes) -> x509.CertificateSigningRequest:
    if data.lstrip().startswith(b"-----BEGIN"):
        return x509.load_pem_x509_csr(data)
    return x509.load_der_x509_csr(data)


def _check_subject(subject: x509.Name, device: str) -> None:
    names = list(subject)
    if [n.oid for n in names] != [NameOID.COMMON_NAME] or names[0].value != device:
        raise RequestError(
            f"its subject is {subject.rfc4514_string()!r}:"
            f" send the device's id alone, 'CN={device}'"
        )


def _check_extensions(extensions: x509.Extensions) -> None:
    for extension in extensions:
        value = extension.value
        if (isinstance(value, x509.BasicConstraints) and value.ca) or (
            isinstance(value, x509.KeyUsage) and (value.key_cert_sign or value.crl_sign)
        ):
            raise RequestError("it asks for an authority's certificate: leave its extensions out")


def _checked_key(csr: x509.CertificateSigningRequest) -> DeviceKey:
    key = csr.public_key()
    if isinstance(key, Ed25519PublicKey):
        return key
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return key
    raise RequestError(
        f"its key is a {type(key).__name__}: use ECDSA on the curve P-256, or Ed25519"
    )
