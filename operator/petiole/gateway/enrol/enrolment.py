"""What tokens and requests become. Everything is in the database before anybody is told."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog
from cryptography import x509
from prometheus_client import CollectorRegistry, Counter, Gauge
from sqlalchemy.exc import SQLAlchemyError

from petiole.identity import tokens
from petiole.identity.authority import Authority
from petiole.identity.request import Request, RequestError, read

from .files import RevocationFile
from .ledger import Certificate, Ledger, Token

log = structlog.get_logger()

LOOK = 60.0  # seconds between two looks at what expires
KEPT = 30 * 86400.0  # seconds that an ended certificate is remembered, so that its end is seen


class RefusedError(Exception):
    """No certificate. Never says whether id, token or time was wrong."""

    def __init__(self) -> None:
        super().__init__(
            "id and token do not fit, or the token was used or has expired:"
            " ask for a new one with `petiole devices token ID`"
        )


class Enrolment:
    """Gives tokens, turns them into certificates, renews those and takes them back."""

    def __init__(
        self,
        ledger: Ledger,
        authority: Authority,
        metrics: CollectorRegistry,
        *,
        life: timedelta = timedelta(days=30),
        token_life: timedelta = timedelta(hours=24),
        revocations: RevocationFile | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.authority = authority
        self._ledger = ledger
        self._life = life
        self._token_life = token_life
        self._file = revocations
        self._clock = clock
        self._listed: list[tuple[int, datetime]] | None = None  # what the file says
        self._changed = asyncio.Event()
        self._metrics = _Metrics(metrics)

    async def close(self) -> None:
        await self._ledger.close()

    async def token(self, device: str) -> tuple[str, datetime]:
        """Make a one-time token for ``device``, and say when it expires; the last one is void."""
        token, expires = tokens.new_token(), self._clock() + self._token_life.total_seconds()
        await self._ledger.put_token(Token(device, tokens.digest(token), expires))
        log.info("token given", device=device)
        return token, datetime.fromtimestamp(expires, UTC)

    async def enrol(self, device: str, token: str, csr: bytes) -> Certificate:
        """Turn a token into a certificate. RefusedError; RequestError, only with a good token."""
        now = self._clock()
        held = await self._ledger.token(device)
        fits = tokens.same(
            held.digest if held else tokens.NONE, token
        )  # the same work for unknown ids
        if held is None or not fits or held.expires_at <= now:
            raise self._refused(device)
        request = read(csr, device)
        if held.key_id not in (None, request.key_id):
            raise self._refused(device)
        given = await self._ledger.claim(held, self._made(request, now), now)
        if given is None:
            raise self._refused(device)
        self._changed.set()
        self._metrics.issued.labels("enrolment").inc()
        log.info("enrolled", device=device, serial=given.serial)
        return given

    async def renew(self, device: str, csr: bytes) -> Certificate:
        """Go on certifying a key of ``device``. RequestError when it holds no certificate for it.

        ``device`` must come from a connection that the broker authenticated.
        """
        now = self._clock()
        request = read(csr, device)
        given = await self._ledger.renew(self._made(request, now), now)
        if given is None:
            raise RequestError(
                "its key has no certificate that could be renewed: a new key, or a device whose"
                " certificate ended or was taken back, enrols with a token"
            )
        self._changed.set()
        self._metrics.issued.labels("renewal").inc()
        return given

    async def revoke(self, device: str) -> int:
        """Take back all that ``device`` holds, its token too; how many certificates that were."""
        taken = await self._ledger.revoke(device, self._clock())
        self._changed.set()
        log.warning("certificates taken back", device=device, certificates=taken)
        return taken

    async def newest(self, device: str) -> Certificate | None:
        """Return the certificate that ``device`` holds, if any."""
        return await self._ledger.newest(device, self._clock())

    async def revocations(self) -> x509.CertificateRevocationList:
        """List what was taken back, as of now."""
        return self._list(await self._ledger.revoked())

    async def run(self) -> None:
        """Keep the revocation file and the numbers up to date, for ever."""
        while True:
            self._changed.clear()
            try:
                await self._look()
            except (SQLAlchemyError, OSError) as error:
                log.warning("enrolment waits", error=str(error).splitlines()[0])
                self._changed.set()
            # Of two lists made in the same second OpenSSL goes on with the one that it knew.
            await asyncio.sleep(1.0)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await self._changed.wait()

    async def _look(self) -> None:
        await self._ledger.forget(self._clock() - KEPT)
        soonest = await self._ledger.soonest_expiry()
        self._metrics.soonest.set(math.nan if soonest is None else soonest)
        revoked = await self._ledger.revoked()
        if self._file is not None and revoked != self._listed:
            self._file.write(self._list(revoked))
            self._listed = revoked

    def _list(self, revoked: list[tuple[int, datetime]]) -> x509.CertificateRevocationList:
        now = datetime.fromtimestamp(self._clock(), UTC)
        return self.authority.revocations(revoked, now)

    def _made(self, request: Request, now: float) -> Certificate:
        at = datetime.fromtimestamp(now, UTC)
        certificate = self.authority.issue(request.device, request.key, at, self._life)
        return Certificate(request.device, request.key_id, certificate)

    def _refused(self, device: str) -> RefusedError:
        self._metrics.refused.inc()
        log.warning("enrolment refused", device=device)
        return RefusedError()


class _Metrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.issued = Counter(
            "petiole_gateway_certificates", "Certificates handed out", ["by"], registry=registry
        )
        for way in ("enrolment", "renewal"):
            self.issued.labels(way)
        self.refused = Counter(
            "petiole_gateway_refused_enrolments",
            "Enrolments without a good token",
            registry=registry,
        )
        self.soonest = Gauge(
            "petiole_gateway_certificate_soonest_expiry_timestamp_seconds",
            "When the first device is without a certificate; NaN: none has one",
            registry=registry,
        )
