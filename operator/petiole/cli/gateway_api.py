"""The gateway's HTTP API, as a person asks it."""

from __future__ import annotations

from typing import Annotated, Any

import httpx
import typer

from .settings import fail

_TIMEOUT = 30.0  # seconds

OptionalGateway = Annotated[
    str, typer.Option("--gateway", envvar="PETIOLE_GATEWAY_URL", help="Address of the gateway.")
]
Gateway = Annotated[str, typer.Option(envvar="PETIOLE_GATEWAY_URL", help="Its address.")]
Bearer = Annotated[str, typer.Option(envvar="PETIOLE_GATEWAY_TOKEN", help="Of the gateway.")]


class GatewayError(Exception):
    """A server does not answer, or refuses; the message is a sentence."""


def call(
    gateway: str,
    token: str,
    method: str,
    path: str,
    what: str,
    body: object = None,
    *,
    server: str = "gateway",
) -> httpx.Response:
    """Return the answer. Raises GatewayError, which names the server and ``what`` was refused."""
    try:
        answer = httpx.request(
            method,
            f"{gateway.rstrip('/')}{path}",
            json=body,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=_TIMEOUT,
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise GatewayError(f"the {server} at {gateway} does not answer: {error}") from error
    if answer.status_code >= 300:
        raise GatewayError(f"the {server} at {gateway} refused {what}: {answer.text}")
    return answer


def data(answer: httpx.Response) -> Any:  # noqa: ANN401 - JSON
    """Return an answer's JSON, None when it is empty. Raises GatewayError when it is none."""
    try:
        return answer.json() if answer.content else None
    except ValueError as error:
        raise GatewayError(
            f"{answer.url} answered something else than the gateway does: is its address right?"
        ) from error


def ask(gateway: str, token: str, method: str, path: str, what: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
    """Return the answer's JSON, None when it is empty; end with a sentence when it is an error."""
    try:
        return data(call(gateway, token, method, path, what, body))
    except GatewayError as error:
        fail(str(error))
