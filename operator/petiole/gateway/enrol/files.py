"""The file that the broker reads revocations from."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

_END = b"-----END X509 CRL-----\n"


class RevocationFile:
    """PEM: the list of our authority, and the last ones of authorities before it.

    A broker that checks revocations wants a list of every authority it trusts, so those stay.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, revocations: x509.CertificateRevocationList) -> None:
        """Replace the file at once. OSError when it cannot be written."""
        lists = [revocations, *(o for o in self._held() if o.issuer != revocations.issuer)]
        whole = self._path.with_name(f".{self._path.name}.new")
        whole.write_bytes(b"".join(o.public_bytes(Encoding.PEM) for o in lists))
        whole.replace(self._path)

    def _held(self) -> list[x509.CertificateRevocationList]:
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return []
        return [x509.load_pem_x509_crl(part + _END) for part in data.split(_END)[:-1]]
