"""An authority of devices in a folder, and clients with certificates of it, right or wrong."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding

from petiole.cli.authority import make_authority, make_services, write
from petiole.identity.authority import Authority, key_pem, pem
from petiole.identity.request import PrivateKey, signed_with

SERVER = "localhost"  # boards compare names, not addresses


def new_key() -> EllipticCurvePrivateKey:
    return generate_private_key(SECP256R1())


def csr(key: PrivateKey, name: str, *extensions: x509.ExtensionType) -> bytes:
    """A certificate request as a device makes it, in DER."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key, signed_with(key)).public_bytes(Encoding.DER)


class Pki:
    """The files that broker and gateway need, below ``folder``, and clients' contexts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        long_ago = datetime.now(UTC) - timedelta(days=90)  # so that there can be old certificates
        self.authority: Authority = make_authority(self.folder, long_ago)
        make_services(self.folder, ["127.0.0.1", SERVER])

    def device(self, name: str, *, days_ago: float = 0.0) -> ssl.SSLContext:
        """A device with a certificate that was made ``days_ago``."""
        key = new_key()
        now = datetime.now(UTC) - timedelta(days=days_ago)
        return self.client(name, key, self.authority.issue(name, key.public_key(), now))

    def gateway(self) -> ssl.SSLContext:
        context = self.anybody()
        context.load_cert_chain(self.folder / "gateway.crt", self.folder / "gateway.key")
        return context

    def client(self, name: str, key: PrivateKey, *chain: x509.Certificate) -> ssl.SSLContext:
        """A client that shows ``chain``."""
        certificate, private = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        write(certificate, pem(*chain).encode())
        write(private, key_pem(key))
        context = self.anybody()
        context.load_cert_chain(certificate, private)
        return context

    def anybody(self) -> ssl.SSLContext:
        """A client without a certificate that believes the authority."""
        return ssl.create_default_context(cafile=str(self.folder / "ca.crt"))

    def revoke(self, *certificates: x509.Certificate) -> None:
        """Write the list with these and no others; the broker must reload it."""
        now = datetime.now(UTC)
        made = self.authority.revocations([(c.serial_number, now) for c in certificates], now)
        write(self.folder / "crl.pem", made.public_bytes(Encoding.PEM))
