"""One-time tokens and certificates, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from hack.testbed.pki import csr, new_key
from petiole.gateway.enrol.enrolment import Enrolment, RefusedError
from petiole.gateway.enrol.files import RevocationFile
from petiole.gateway.enrol.ledger import Ledger
from petiole.gateway.enrol.limit import Limit
from petiole.gateway.store import Store
from petiole.identity.authority import Authority, new_authority
from petiole.identity.request import PrivateKey, RequestError

DAY = 86400.0
NOW = 1_800_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class Office:
    """An enrolment on a database of its own; ``again`` is another process on the same one."""

    def __init__(self, url: str, authority: Authority, clock: Clock) -> None:
        self.url, self.authority, self.clock = url, authority, clock
        self.ledger = Ledger(url)
        self.service = Enrolment(self.ledger, authority, CollectorRegistry(), clock=clock)

    def again(self) -> Office:
        return Office(self.url, self.authority, self.clock)


@pytest.fixture
async def office(database_url: str) -> AsyncIterator[Office]:
    store = Store(database_url)
    await store.open()
    await store.close()
    authority = new_authority("test", datetime.fromtimestamp(NOW, UTC))
    made = Office(database_url, authority, Clock())
    yield made
    await made.ledger.close()


# --- tokens ---------------------------------------------------------------------------------------


async def test_a_token_works_for_one_key_only(office: Office) -> None:
    token, _ = await office.service.token("dev-1")
    key = new_key()
    first = await office.service.enrol("dev-1", token, csr(key, "dev-1"))
    assert first.x509.public_key() == key.public_key()
    with pytest.raises(RefusedError):
        await office.service.enrol("dev-1", token, csr(new_key(), "dev-1"))


async def test_the_same_key_gets_the_same_answer_again(office: Office) -> None:
    """The answer may have been lost; that makes no second identity."""
    token, _ = await office.service.token("dev-1")
    request = csr(new_key(), "dev-1")
    first = await office.service.enrol("dev-1", token, request)
    assert await office.service.enrol("dev-1", token, request) == first
    restarted = office.again()
    assert await restarted.service.enrol("dev-1", token, request) == first
    with pytest.raises(RefusedError):
        await restarted.service.enrol("dev-1", token, csr(new_key(), "dev-1"))
    await restarted.ledger.close()


async def test_of_many_at_once_one_key_wins(office: Office) -> None:
    token, _ = await office.service.token("dev-1")
    others = [office, *(office.again() for _ in range(3))]
    requests = [csr(new_key(), "dev-1") for _ in range(24)]
    answers = await asyncio.gather(
        *(
            others[n % 4].service.enrol("dev-1", token, request)
            for n, request in enumerate(requests)
        ),
        return_exceptions=True,
    )
    given = [a for a in answers if not isinstance(a, BaseException)]
    assert len(given) == 1
    assert [type(a) for a in answers if isinstance(a, BaseException)] == [RefusedError] * 23
    for other in others[1:]:
        await other.ledger.close()


async def test_of_many_at_once_one_key_gets_one_certificate(office: Office) -> None:
    token, _ = await office.service.token("dev-1")
    request = csr(new_key(), "dev-1")
    answers = await asyncio.gather(
        *(office.service.enrol("dev-1", token, request) for _ in range(12))
    )
    assert len({a.serial for a in answers}) == 1


async def test_a_token_is_for_one_device_and_one_day(office: Office) -> None:
    token, expires = await office.service.token("dev-1")
    assert expires.timestamp() == NOW + DAY
    await office.service.token("dev-2")
    with pytest.raises(RefusedError):
        await office.service.enrol("dev-2", token, csr(new_key(), "dev-2"))
    with pytest.raises(RefusedError):
        await office.service.enrol("dev-1", "x" * 43, csr(new_key(), "dev-1"))
    with pytest.raises(RefusedError):
        await office.service.enrol("dev-3", token, csr(new_key(), "dev-3"))
    office.clock.now += DAY - 1
    request = csr(new_key(), "dev-1")
    await office.service.enrol("dev-1", token, request)
    office.clock.now += 2
    with pytest.raises(RefusedError):
        await office.service.enrol("dev-1", token, request)


async def test_a_bad_request_does_not_use_the_token_up(office: Office) -> None:
    token, _ = await office.service.token("dev-1")
    with pytest.raises(RequestError, match="CN=dev-1"):
        await office.service.enrol("dev-1", token, csr(new_key(), "dev-2"))
    with pytest.raises(RefusedError):  # without a good token nobody is told what is wrong
        await office.service.enrol("dev-1", "wrong", csr(new_key(), "dev-2"))
    assert await office.service.enrol("dev-1", token, csr(new_key(), "dev-1"))


async def test_a_new_token_voids_the_last_and_a_new_key_the_old_certificate(
    office: Office,
) -> None:
    old, _ = await office.service.token("dev-1")
    first = await office.service.enrol("dev-1", old, csr(new_key(), "dev-1"))
    new, _ = await office.service.token("dev-1")
    with pytest.raises(RefusedError):
        await office.service.enrol("dev-1", old, csr(new_key(), "dev-1"))
    second = await office.service.enrol("dev-1", new, csr(new_key(), "dev-1"))
    assert await office.service.newest("dev-1") == second
    listed = [r.serial_number for r in await office.service.revocations()]
    assert listed == [first.x509.serial_number]


async def test_the_database_does_not_know_the_token(office: Office) -> None:
    token, _ = await office.service.token("dev-1")
    engine = create_async_engine(office.url)
    async with engine.connect() as connection:
        rows = (await connection.execute(text("SELECT * FROM tokens"))).all()
    await engine.dispose()
    assert rows
    assert token not in str(rows)


# --- certificates ---------------------------------------------------------------------------------


async def enrolled(office: Office, key: PrivateKey, device: str = "dev-1") -> str:
    token, _ = await office.service.token(device)
    return (await office.service.enrol(device, token, csr(key, device))).serial


async def test_a_certificate_is_renewed_in_the_second_half_of_its_life(office: Office) -> None:
    key = new_key()
    first = await enrolled(office, key)
    request = csr(key, "dev-1")
    assert (await office.service.renew("dev-1", request)).serial == first
    office.clock.now += 16 * DAY
    second = await office.service.renew("dev-1", request)
    assert second.serial != first
    assert second.not_after == office.clock.now + 30 * DAY
    assert (await office.service.renew("dev-1", request)).serial == second.serial


async def test_only_a_certified_key_is_renewed(office: Office) -> None:
    key = new_key()
    await enrolled(office, key)
    with pytest.raises(RequestError, match="enrols with a token"):
        await office.service.renew("dev-1", csr(new_key(), "dev-1"))
    with pytest.raises(RequestError, match="enrols with a token"):
        await office.service.renew("dev-2", csr(key, "dev-2"))
    with pytest.raises(RequestError, match="CN=dev-2"):
        await office.service.renew("dev-2", csr(key, "dev-1"))
    office.clock.now += 31 * DAY
    with pytest.raises(RequestError, match="enrols with a token"):
        await office.service.renew("dev-1", csr(key, "dev-1"))


async def test_what_was_taken_back_is_listed_and_not_renewed(office: Office) -> None:
    key = new_key()
    token, _ = await office.service.token("dev-1")
    given = await office.service.enrol("dev-1", token, csr(key, "dev-1"))
    assert await office.service.revoke("dev-1") == 1
    assert await office.service.revoke("dev-1") == 0
    listed = [r.serial_number for r in await office.service.revocations()]
    assert listed == [given.x509.serial_number]
    assert await office.service.newest("dev-1") is None
    with pytest.raises(RequestError):
        await office.service.renew("dev-1", csr(key, "dev-1"))
    with pytest.raises(RefusedError):  # nor does the used token work again
        await office.service.enrol("dev-1", token, csr(key, "dev-1"))


async def test_the_soonest_end_counts_each_devices_newest(office: Office) -> None:
    assert await office.ledger.soonest_expiry() is None
    key = new_key()
    await enrolled(office, key)
    office.clock.now += 16 * DAY
    await enrolled(office, new_key(), "dev-2")
    assert await office.ledger.soonest_expiry() == NOW + 30 * DAY
    await office.service.renew("dev-1", csr(key, "dev-1"))
    assert await office.ledger.soonest_expiry() == office.clock.now + 30 * DAY


def test_the_revocation_file_keeps_the_last_list_of_a_former_authority(tmp_path: Path) -> None:
    now = datetime.fromtimestamp(NOW, UTC)
    former, own = new_authority("former", now), new_authority("own", now)
    file = RevocationFile(tmp_path / "crl.pem")
    for authority, serials in ((former, [7]), (own, []), (own, [8, 9])):
        file.write(authority.revocations([(s, now) for s in serials], now))
    whole = (tmp_path / "crl.pem").read_bytes()
    parts = [p + b"-----END X509 CRL-----\n" for p in whole.split(b"-----END X509 CRL-----\n")[:-1]]
    lists = [x509.load_pem_x509_crl(p) for p in parts]
    assert [[r.serial_number for r in held] for held in lists] == [[8, 9], [7]]


def test_a_limit_fills_again() -> None:
    limit = Limit(rate=1.0, burst=3.0)
    assert [limit.allows("a", 0.0) for _ in range(4)] == [True, True, True, False]
    assert limit.allows("b", 0.0)
    assert limit.allows("a", 1.5)
    assert not limit.allows("a", 1.6)
