"""The network sector as provisioning writes it; boards read it in tests/firmware/test_lan.py."""

from __future__ import annotations

import zlib
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Interface

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509 import load_der_x509_certificate

from hack.testbed.pki import new_key
from petiole.artifact.network import Network, Secure, provision
from petiole.identity.authority import Authority, new_authority

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SEED = bytes(range(32))


def plain() -> Network:
    return Network(
        mac=bytes.fromhex("525400123456"),
        address=IPv4Interface("192.168.7.9/24"),
        router=IPv4Address("192.168.7.1"),
        broker=IPv4Address("10.1.2.3"),
        port=8883,
    )


@pytest.fixture(scope="module")
def authority() -> Authority:
    return new_authority("an authority", NOW)


def secure(authority: Authority) -> Secure:
    key = new_key()
    chain = (authority.issue("leaf-0", key.public_key(), NOW),)
    return Secure("broker.example", (authority.certificate,), NOW, key, chain)


def items(sector: bytes) -> list[tuple[int, bytes]]:
    """Types and values, read by the words of network.h."""
    magic, version = sector[:4], int.from_bytes(sector[4:6], "little")
    length = int.from_bytes(sector[6:8], "little")
    assert (magic, version) == (b"PTNW", 1)
    assert int.from_bytes(sector[length : length + 4], "little") == zlib.crc32(sector[:length])
    found, at = [], 8
    while at < length:
        kind, size = (int.from_bytes(sector[i : i + 2], "little") for i in (at, at + 2))
        found.append((kind, sector[at + 4 : at + 4 + size]))
        at += 4 + size
    assert at == length
    return found


def test_a_plain_connection_has_addresses_only() -> None:
    assert items(plain().to_bytes()) == [
        (1, bytes.fromhex("525400123456")),
        (2, bytes([192, 168, 7, 9, 255, 255, 255, 0, 192, 168, 7, 1])),
        (3, bytes([10, 1, 2, 3]) + (8883).to_bytes(2, "big")),
    ]


def test_tls_has_name_time_authority_key_and_certificate(authority: Authority) -> None:
    material = secure(authority)
    found = items(replace(plain(), secure=material).to_bytes())[3:]
    assert [kind for kind, _ in found] == [4, 8, 9, 5, 6, 7]
    values = [value for _, value in found]
    assert values[0] == b"broker.example"
    assert int.from_bytes(values[1], "little") == NOW.timestamp()
    assert int.from_bytes(values[2], "little") == 86_400
    assert load_der_x509_certificate(values[3]) == authority.certificate
    assert load_der_x509_certificate(values[5]) == material.chain[0]
    assert material.key is not None
    assert int.from_bytes(values[4], "big") == material.key.private_numbers().private_value


def test_four_sectors_at_the_end_of_the_flash_are_taken() -> None:
    """Those that the device renews its certificates in are erased: what was there is forgotten."""
    flash = bytearray(b"\x11" * 7 * 4096)
    provision(flash, plain(), SEED)
    sectors = [bytes(flash[at : at + 4096]) for at in range(0, len(flash), 4096)]
    assert sectors[:3] == [b"\x11" * 4096] * 3
    assert sectors[3:5] == [b"\xff" * 4096] * 2
    assert sectors[5] == plain().to_bytes().ljust(4096, b"\xff")
    assert sectors[6] == SEED.ljust(4096, b"\xff")


@pytest.mark.parametrize("seed", [b"", bytes(31), b"\xff" * 32])
def test_a_seed_is_32_bytes_that_somebody_wrote(seed: bytes) -> None:
    with pytest.raises(ValueError, match="a seed of 32 random bytes"):
        provision(bytearray(5 * 4096), plain(), seed)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"mac": bytes(5)}, "want 6 bytes"),
        ({"mac": b"\x01" + bytes(5)}, "not those of a group"),
        ({"port": 0}, "want 1 to 65535"),
        ({"port": 65536}, "want 1 to 65535"),
    ],
)
def test_addresses_that_cannot_be_are_refused(changed: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        replace(plain(), **changed)


def test_material_that_does_not_fit_together_is_refused(authority: Authority) -> None:
    good = secure(authority)
    for changed, why in (
        ({"name": ""}, "broker's name"),
        ({"name": "x" * 64}, "broker's name"),
        ({"authorities": ()}, "1 to 4 authorities"),
        ({"authorities": good.authorities * 5}, "1 to 4 authorities"),
        ({"renew_seconds": 0}, "want 1 to 1000000"),
        ({"key": None}, "a key and up to 3 certificates"),
        ({"chain": ()}, "a key and up to 3 certificates"),
        ({"chain": good.chain * 4}, "a key and up to 3 certificates"),
        ({"key": generate_private_key(SECP384R1())}, "P-256 only"),
    ):
        with pytest.raises(ValueError, match=why):
            replace(good, **changed)


def test_an_authority_on_another_curve_is_refused(authority: Authority) -> None:
    own = Ed25519PrivateKey.generate()
    certificate = replace(authority, key=own).issue("an authority", own.public_key(), NOW)
    with pytest.raises(ValueError, match="P-256 only"):
        replace(secure(authority), authorities=(certificate,))


def test_what_does_not_fit_a_sector_is_refused(authority: Authority) -> None:
    material = secure(authority)
    hosts = [f"host-{number}.example" for number in range(200)]
    assert material.key is not None
    large = authority.issue_server(hosts, material.key.public_key(), NOW)
    with pytest.raises(ValueError, match="do not fit a sector"):
        replace(plain(), secure=replace(material, chain=(large,))).to_bytes()
