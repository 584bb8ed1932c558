"""Certificate requests that are granted or not, and what a certificate says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hack.testbed.pki import csr, new_key
from petiole.identity.authority import (
    AuthorityError,
    fresh,
    key_pem,
    load_authority,
    new_authority,
    pem,
)
from petiole.identity.request import PrivateKey, RequestError, read

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
AUTHORITY = new_authority("test", NOW)
ID = "dev-1"


@pytest.mark.parametrize("key", [new_key(), Ed25519PrivateKey.generate()], ids=["p256", "ed25519"])
def test_a_good_request_becomes_a_certificate_for_clients(key: PrivateKey) -> None:
    wish = x509.SubjectAlternativeName([x509.DNSName("broker.example")])
    asked = read(csr(key, ID, wish), ID)
    made = AUTHORITY.issue(ID, asked.key, NOW)
    made.verify_directly_issued_by(AUTHORITY.certificate)
    assert made.subject.rfc4514_string() == f"CN={ID}"
    assert made.public_key() == key.public_key()
    assert made.not_valid_before_utc == NOW - timedelta(hours=1)
    assert made.not_valid_after_utc == NOW + timedelta(days=30)
    usage = made.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert not any((usage.key_cert_sign, usage.crl_sign, usage.key_encipherment))
    purposes = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [x509.ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert len(made.extensions) == 3  # nothing that the request asked for


def test_serials_do_not_repeat() -> None:
    key = new_key().public_key()
    assert len({AUTHORITY.issue(ID, key, NOW).serial_number for _ in range(20)}) == 20


def broken_signature() -> bytes:
    good = bytearray(csr(new_key(), ID))
    good[-1] ^= 1
    return bytes(good)


def swapped_key() -> bytes:
    """A request whose key is another's: the sender cannot sign for that."""
    mine, theirs = new_key(), new_key()
    raw = [
        k.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        for k in (mine, theirs)
    ]
    return csr(mine, ID).replace(raw[0], raw[1])


def two_names() -> bytes:
    subject = x509.Name(
        [
            x509.NameAttribute(x509.NameOID.COMMON_NAME, ID),
            x509.NameAttribute(x509.NameOID.COMMON_NAME, "_gateway"),
        ]
    )
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return builder.sign(new_key(), SHA256()).public_bytes(Encoding.DER)


def of_key(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, ID)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        (broken_signature(), "signature"),
        (swapped_key(), "signature does not fit its key"),
        (csr(new_key(), "dev-2"), "send the device's id alone, 'CN=dev-1'"),
        (csr(new_key(), f"{ID}\n"), "send the device's id alone"),
        (two_names(), "send the device's id alone"),
        (csr(new_key(), ID, x509.BasicConstraints(ca=True, path_length=None)), "authority's"),
        (of_key(rsa.generate_private_key(65537, 2048)), "use ECDSA on the curve P-256"),
        (of_key(ec.generate_private_key(ec.SECP384R1())), "use ECDSA on the curve P-256"),
        (b"nonsense", "not a certificate request"),
        (b"", "not a certificate request"),
        (b"-----BEGIN CERTIFICATE REQUEST-----\n", "not a certificate request"),
        (pem(AUTHORITY.certificate).encode(), "not a certificate request"),
    ],
)
def test_a_bad_request_says_what_is_wrong(request_: bytes, problem: str) -> None:
    with pytest.raises(RequestError, match=problem):
        read(request_, ID)


def test_a_certificate_ends_with_its_authority_at_the_latest() -> None:
    end = AUTHORITY.certificate.not_valid_after_utc
    key = new_key().public_key()
    assert AUTHORITY.issue(ID, key, end - timedelta(days=1)).not_valid_after_utc == end
    with pytest.raises(AuthorityError, match="ended at"):
        AUTHORITY.issue(ID, key, end)


def test_a_new_certificate_is_due_after_half_a_life() -> None:
    made = AUTHORITY.issue(ID, new_key().public_key(), NOW)
    assert fresh(made, NOW + timedelta(days=14))
    assert not fresh(made, NOW + timedelta(days=16))


def test_an_authority_is_read_as_it_was_written() -> None:
    former = new_authority("former", NOW)
    both = pem(AUTHORITY.certificate, former.certificate).encode()
    loaded = load_authority(both, key_pem(AUTHORITY.key))
    assert loaded.certificate == AUTHORITY.certificate
    assert loaded.trusted[1] == former.certificate
    with pytest.raises(AuthorityError, match="does not belong"):
        load_authority(both, key_pem(former.key))
    leaf_key = new_key()
    leaf = AUTHORITY.issue(ID, leaf_key.public_key(), NOW)
    with pytest.raises(AuthorityError, match="not an authority's"):
        load_authority(pem(leaf).encode(), key_pem(leaf_key))


def test_a_revocation_list_names_what_was_taken_back() -> None:
    made = AUTHORITY.issue(ID, new_key().public_key(), NOW)
    held = AUTHORITY.revocations([(made.serial_number, NOW)], NOW)
    public = AUTHORITY.key.public_key()
    assert held.is_signature_valid(public)
    assert [r.serial_number for r in held] == [made.serial_number]
