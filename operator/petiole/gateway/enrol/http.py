"""Enrolment over HTTP: an administrator asks for tokens, a device brings one."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

from cryptography.hazmat.primitives.serialization import Encoding
from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy.exc import SQLAlchemyError

from petiole.identity.authority import AuthorityError, pem
from petiole.identity.request import RequestError
from petiole.wire.topics import DEVICE_ID

from .enrolment import Enrolment, RefusedError
from .ledger import Certificate
from .limit import Limit

LONGEST_BODY = 16_384  # bytes; a request for P-256 has about 400
RATE, BURST = 20.0, 100.0  # enrolments a second from one address

DeviceId = Annotated[str, Field(pattern=DEVICE_ID.pattern)]


class Enrol(BaseModel):
    """What a device without a certificate sends."""

    id: DeviceId
    token: Annotated[str, Field(max_length=128)]
    csr: str  # PKCS #10 in PEM


class Given(BaseModel):
    """A one-time token, shown once."""

    id: str
    token: str
    expires_at: Annotated[str, Field(serialization_alias="expiresAt")]


class Enrolled(BaseModel):
    """The certificate and the authorities to believe in, in PEM."""

    certificate: str
    ca: str
    serial: str
    not_after: Annotated[str, Field(serialization_alias="notAfter")]


def for_administrators(enrolment: Enrolment | None, registered: Callable[[str], bool]) -> APIRouter:
    """Build the routes below ``/v1``; whoever includes them asks for the bearer token."""
    router = APIRouter()

    @router.post("/devices/{device}/token", status_code=201)
    async def token(device: str) -> Given:
        if not registered(device):
            raise HTTPException(
                404, f"device {device!r} is not registered: register it with PUT /v1/devices"
            )
        value, expires = await _answered(_needed(enrolment).token(device))
        return Given(id=device, token=value, expires_at=expires.isoformat())

    @router.delete("/devices/{device}/certificate")
    async def revoke(device: str) -> dict[str, int]:
        return {"revoked": await _answered(_needed(enrolment).revoke(device))}

    @router.get("/revocations")
    async def revocations() -> Response:
        held = await _answered(_needed(enrolment).revocations())
        return Response(held.public_bytes(Encoding.PEM), media_type="application/x-pem-file")

    return router


def for_devices(enrolment: Enrolment | None) -> APIRouter:
    """Build ``POST /enrol``, which anybody may call that has a token."""
    router, limit = APIRouter(), Limit(RATE, BURST)

    def not_too_often(request: Request) -> None:
        address = request.client.host if request.client else ""
        if not limit.allows(address, time.monotonic()):
            raise HTTPException(
                429, "too many enrolments: try again", headers={"Retry-After": "10"}
            )

    body = {"content": {"application/json": {"schema": Enrol.model_json_schema()}}}

    @router.post(
        "/enrol", dependencies=[Depends(not_too_often)], openapi_extra={"requestBody": body}
    )
    async def enrol(request: Request) -> Enrolled:
        asked = await _read(request)
        service = _needed(enrolment)
        try:
            given = await _answered(service.enrol(asked.id, asked.token, asked.csr.encode()))
        except RefusedError as error:
            raise HTTPException(403, str(error)) from error
        except RequestError as error:
            raise HTTPException(422, f"the certificate request of {asked.id}: {error}") from error
        authorities = pem(*service.authority.trusted)
        return Enrolled(certificate=pem(given.x509), ca=authorities, **_summary(given))

    return router


def described(certificate: Certificate | None) -> dict[str, str] | None:
    """Return serial and end of a certificate for a device's record."""
    if certificate is None:
        return None
    return Enrolled(certificate="", ca="", **_summary(certificate)).model_dump(
        by_alias=True, include={"serial", "not_after"}
    )


def _summary(certificate: Certificate) -> dict[str, str]:
    end = certificate.x509.not_valid_after_utc
    return {"serial": certificate.serial, "not_after": end.isoformat()}


async def _read(request: Request) -> Enrol:
    """Read the body, no further than it may be long: anybody can send one."""
    data = b""
    async for part in request.stream():
        data += part
        if len(data) > LONGEST_BODY:
            raise HTTPException(413, f"an enrolment has at most {LONGEST_BODY} bytes")
    try:
        return Enrol.model_validate_json(data)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        raise HTTPException(422, problems) from error


def _needed(enrolment: Enrolment | None) -> Enrolment:
    if enrolment is None:
        raise HTTPException(
            501, "this gateway issues no certificates: start it with --ca-cert and --ca-key"
        )
    return enrolment


T = TypeVar("T")


async def _answered(work: Awaitable[T]) -> T:
    try:
        return await work
    except (SQLAlchemyError, OSError, AuthorityError) as error:
        what = str(error).splitlines()[0]
        raise HTTPException(503, f"no certificates for now: {what}") from error
