"""Put enrolment together from the settings."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from prometheus_client import CollectorRegistry

from petiole.gateway.settings import Settings
from petiole.gateway.tls import context
from petiole.identity.authority import Authority, AuthorityError, load_authority

from .enrolment import Enrolment
from .files import RevocationFile
from .ledger import Ledger
from .renewal import Renewals


def check(settings: Settings) -> None:
    """Read all files once, so that a wrong one ends the start. OSError or AuthorityError."""
    context(settings)
    _authority(settings)


def background(settings: Settings, service: Enrolment | None) -> set[asyncio.Task[None]]:
    """Start what runs beside the HTTP routes, where certificates are issued: on the leader."""
    if service is None:
        return set()
    return {
        asyncio.create_task(service.run(), name="enrolment"),
        asyncio.create_task(Renewals(settings, service).run(), name="renewals"),
    }


def enrolment(settings: Settings, metrics: CollectorRegistry) -> Enrolment | None:
    """Return the service, None without an authority. OSError or AuthorityError for its files."""
    authority = _authority(settings)
    if authority is None:
        return None
    return Enrolment(
        Ledger(settings.database_url),
        authority,
        metrics,
        life=timedelta(days=settings.certificate_days),
        token_life=timedelta(hours=settings.token_hours),
        revocations=RevocationFile(settings.crl_file) if settings.crl_file else None,
    )


def _authority(settings: Settings) -> Authority | None:
    if settings.ca_cert is None or settings.ca_key is None:
        return None
    try:
        return load_authority(settings.ca_cert.read_bytes(), settings.ca_key.read_bytes())
    except AuthorityError as error:
        raise AuthorityError(f"{settings.ca_cert} and {settings.ca_key}: {error}") from error
