"""The certificate authority of devices: short-lived client certificates, and what it took back.

Certificates and revocation lists as in RFC 5280, made by ``cryptography``.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .request import DeviceKey, PrivateKey, signed_with

BACKDATED = timedelta(hours=1)  # for clocks of brokers and devices that are behind
LIFE = timedelta(days=30)  # of a device's certificate
LIFE_OF_SERVICES = timedelta(days=365)
LIFE_OF_AUTHORITY = timedelta(days=3650)
GATEWAY = "_gateway"  # no device id begins like this, so no device can become the gateway


class AuthorityError(ValueError):
    """The files are no authority, or one that has expired; the text says which and what to do."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs for devices. ``trusted`` are all authorities that devices should believe in.

    Its own certificate comes first; the others are there while one authority follows another.
    """

    key: PrivateKey
    trusted: tuple[x509.Certificate, ...]

    @property
    def certificate(self) -> x509.Certificate:
        return self.trusted[0]

    def issue(
        self, device: str, key: DeviceKey, now: datetime, life: timedelta = LIFE
    ) -> x509.Certificate:
        """Certify that ``key`` is ``device``'s: as a TLS client, from a little before ``now``.

        It ends with the authority's own at the latest. AuthorityError when that has ended.
        """
        builder = self._builder(device, key, now, life)
        return self._sign(builder, [ExtendedKeyUsageOID.CLIENT_AUTH])

    def issue_gateway(self, key: DeviceKey, now: datetime) -> x509.Certificate:
        """Certify the gateways' key, for the listener of the broker that is theirs alone."""
        return self.issue(GATEWAY, key, now, LIFE_OF_SERVICES)

    def issue_server(self, hosts: Sequence[str], key: DeviceKey, now: datetime) -> x509.Certificate:
        """Certify a broker that is reached under ``hosts``, names or addresses."""
        names = x509.SubjectAlternativeName([_host(h) for h in hosts])
        builder = self._builder(hosts[0], key, now, LIFE_OF_SERVICES).add_extension(names, False)
        return self._sign(builder, [ExtendedKeyUsageOID.SERVER_AUTH])

    def revocations(
        self, serials: Iterable[tuple[int, datetime]], now: datetime
    ) -> x509.CertificateRevocationList:
        """List what was taken back, and when.

        It is good for as long as the authority: a broker refuses everybody once a list is over.
        """
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(now)
            .next_update(self.certificate.not_valid_after_utc)
        )
        for serial, at in serials:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.key, signed_with(self.key))

    def _builder(
        self, name: str, key: DeviceKey, now: datetime, life: timedelta
    ) -> x509.CertificateBuilder:
        own = self.certificate
        if now >= own.not_valid_after_utc:
            raise AuthorityError(
                f"the authority's certificate ended at {own.not_valid_after_utc:%Y-%m-%d %H:%M}Z:"
                " give the gateway a new authority (docs/security.md, 'A new authority')"
            )
        return (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(own.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(max(now - BACKDATED, own.not_valid_before_utc))
            .not_valid_after(min(now + life, own.not_valid_after_utc))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(sign=True), critical=True)
        )

    def _sign(
        self, builder: x509.CertificateBuilder, purposes: list[x509.ObjectIdentifier]
    ) -> x509.Certificate:
        return builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False).sign(
            self.key, signed_with(self.key)
        )


def new_authority(name: str, now: datetime) -> Authority:
    """Make an authority with an ECDSA P-256 key and a certificate signed by itself."""
    key = generate_private_key(SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + LIFE_OF_AUTHORITY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign=False), critical=True)
        .sign(key, signed_with(key))
    )
    return Authority(key, (certificate,))


def load_authority(certificates: bytes, key: bytes) -> Authority:
    """Read an authority from PEM: its certificate first, behind it others that devices trust."""
    try:
        trusted = x509.load_pem_x509_certificates(certificates)
    except ValueError as error:
        raise AuthorityError("its certificate file is not PEM; see `petiole key ca`") from error
    try:
        private = serialization.load_pem_private_key(key, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise AuthorityError("its key file is not an unencrypted private key in PEM") from error
    if not isinstance(private, (EllipticCurvePrivateKey, Ed25519PrivateKey)):
        raise AuthorityError(f"its key is a {type(private).__name__}: use ECDSA or Ed25519")
    if private.public_key() != trusted[0].public_key():
        raise AuthorityError("its key does not belong to the first certificate of its file")
    for certificate in trusted:
        if not _is_authority(certificate):
            raise AuthorityError(
                f"{certificate.subject.rfc4514_string()} is not an authority's certificate"
            )
    return Authority(private, tuple(trusted))


def fresh(certificate: x509.Certificate, now: datetime) -> bool:
    """Whether more than half of its life is left, so that no new one is due."""
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return now < start + (end - start) / 2


def pem(*certificates: x509.Certificate) -> str:
    """One PEM text, in this order."""
    return "".join(c.public_bytes(serialization.Encoding.PEM).decode() for c in certificates)


def der(*certificates: x509.Certificate) -> bytes:
    """One DER after the other; each states its length."""
    return b"".join(c.public_bytes(serialization.Encoding.DER) for c in certificates)


def key_pem(key: PrivateKey) -> bytes:
    """PKCS #8 in PEM, without a password."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(*, sign: bool) -> x509.KeyUsage:
    """For a holder that signs its handshakes, else for an authority."""
    return x509.KeyUsage(
        digital_signature=sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not sign,
        crl_sign=not sign,
        encipher_only=False,
        decipher_only=False,
    )
