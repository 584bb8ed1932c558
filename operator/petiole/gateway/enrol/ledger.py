"""The rows of tokens and certificates. Whether a token still counts is decided by the database.

The ledger has connections of its own: unlike a device's report, a token that was used does not come
back by itself after a power cut, so SQLite keeps its default, ``synchronous=FULL``, here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import ColumnElement, RowMapping, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from petiole.gateway.schema import certificates, tokens
from petiole.identity.authority import fresh


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is kept. ``key_id`` is the key that used it; ``expires_at`` in seconds."""

    device: str
    digest: str
    expires_at: float
    key_id: str | None = None


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate as it is kept."""

    device: str
    key_id: str
    x509: x509.Certificate

    @property
    def serial(self) -> str:
        return f"{self.x509.serial_number:x}"

    @property
    def not_after(self) -> float:
        return self.x509.not_valid_after_utc.timestamp()


class Ledger:
    """Reads and writes both tables; sqlalchemy.exc.SQLAlchemyError when the database fails."""

    def __init__(self, url: str) -> None:
        self._engine = create_async_engine(url)

    async def close(self) -> None:
        await self._engine.dispose()

    async def put_token(self, token: Token) -> None:
        """Keep ``token`` in the place of the device's last one."""
        async with self._engine.begin() as connection:
            await connection.execute(delete(tokens).where(tokens.c.device == token.device))
            values = {
                "device": token.device, "digest": token.digest,
                "expires_at": token.expires_at, "key_id": token.key_id,
            }  # fmt: skip
            await connection.execute(insert(tokens).values(values))

    async def token(self, device: str) -> Token | None:
        async with self._engine.connect() as connection:
            found = await connection.execute(select(tokens).where(tokens.c.device == device))
            row = found.mappings().first()
            return None if row is None else Token(**row)

    async def claim(self, token: Token, made: Certificate, now: float) -> Certificate | None:
        """Use ``token`` for the key of ``made``; None when it does not count (any more).

        One transaction, committed on return. The same key may come again, as an answer may be lost:
        it gets the certificate that it has. What other keys hold under this id is taken back.
        """
        mine = (
            (tokens.c.device == made.device)
            & (tokens.c.digest == token.digest)
            & (tokens.c.expires_at > now)
            & or_(tokens.c.key_id.is_(None), tokens.c.key_id == made.key_id)
        )
        others = (certificates.c.device == made.device) & (certificates.c.key_id != made.key_id)
        async with self._engine.begin() as connection:
            used = await connection.execute(update(tokens).where(mine).values(key_id=made.key_id))
            if used.rowcount != 1:
                return None
            await _revoke(connection, others, now)
            return await _held_or(connection, made, now)

    async def renew(self, made: Certificate, now: float) -> Certificate | None:
        """Keep ``made`` if its device holds a certificate for the same key; else None."""
        async with self._engine.begin() as connection:
            if await _newest(connection, made.device, made.key_id, now) is None:
                return None
            return await _held_or(connection, made, now)

    async def newest(self, device: str, now: float) -> Certificate | None:
        """Return the certificate of ``device`` that is good for longest, if any is."""
        async with self._engine.connect() as connection:
            return await _newest(connection, device, None, now)

    async def revoke(self, device: str, now: float) -> int:
        """Take back what ``device`` holds, its token too; how many certificates that were."""
        async with self._engine.begin() as connection:
            await connection.execute(delete(tokens).where(tokens.c.device == device))
            return await _revoke(connection, certificates.c.device == device, now)

    async def revoked(self) -> list[tuple[int, datetime]]:
        """Return serial and time of all that was taken back and is not forgotten yet."""
        columns = select(certificates.c.serial, certificates.c.revoked_at)
        async with self._engine.connect() as connection:
            rows = await connection.execute(
                columns.where(certificates.c.revoked_at.is_not(None)).order_by(
                    certificates.c.serial
                )
            )
            return [(int(serial, 16), datetime.fromtimestamp(at, UTC)) for serial, at in rows]

    async def soonest_expiry(self) -> float | None:
        """When the first device is without a certificate if none is renewed, in seconds."""
        last = (
            select(func.max(certificates.c.not_after).label("last"))
            .where(certificates.c.revoked_at.is_(None))
            .group_by(certificates.c.device)
            .subquery()
        )
        async with self._engine.connect() as connection:
            soonest: float | None = await connection.scalar(select(func.min(last.c.last)))
            return soonest

    async def forget(self, before: float) -> None:
        """Drop certificates that ended, and tokens that expired, ``before`` this time."""
        async with self._engine.begin() as connection:
            await connection.execute(delete(certificates).where(certificates.c.not_after < before))
            await connection.execute(delete(tokens).where(tokens.c.expires_at < before))


async def _held_or(connection: AsyncConnection, made: Certificate, now: float) -> Certificate:
    """Return the certificate that the key holds while that is fresh, else ``made``, now kept."""
    held = await _newest(connection, made.device, made.key_id, now)
    if held is not None and fresh(held.x509, datetime.fromtimestamp(now, UTC)):
        return held
    await connection.execute(
        insert(certificates).values(
            serial=made.serial,
            device=made.device,
            key_id=made.key_id,
            der=made.x509.public_bytes(Encoding.DER),
            not_after=made.not_after,
        )
    )
    return made


async def _newest(
    connection: AsyncConnection, device: str, key_id: str | None, now: float
) -> Certificate | None:
    query = select(certificates).where(
        certificates.c.device == device,
        certificates.c.revoked_at.is_(None),
        certificates.c.not_after > now,
    )
    if key_id is not None:
        query = query.where(certificates.c.key_id == key_id)
    found = await connection.execute(query.order_by(certificates.c.not_after.desc()).limit(1))
    row = found.mappings().first()
    return None if row is None else _certificate(row)


async def _revoke(connection: AsyncConnection, which: ColumnElement[bool], now: float) -> int:
    good = which & certificates.c.revoked_at.is_(None) & (certificates.c.not_after > now)
    done = await connection.execute(update(certificates).where(good).values(revoked_at=now))
    return done.rowcount


def _certificate(row: RowMapping) -> Certificate:
    return Certificate(row["device"], row["key_id"], x509.load_der_x509_certificate(row["der"]))
