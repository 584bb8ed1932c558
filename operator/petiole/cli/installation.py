"""``petiole installation``: what an installation in a cluster runs beside operator and gateway.

The chart's test, its clearing up before it is uninstalled, and the companion of its Mosquitto.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, TypeVar

import httpx
import typer
from cryptography import x509

from petiole.api.base import GROUP

from .settings import console, fail

app = typer.Typer(no_args_is_help=True, help="Look after an installation in a cluster.")

_ASK_SECONDS = 10.0
_KINDS = ("devicefleets", "tinymodels")
_BROKER = "mosquitto"

Found = TypeVar("Found")

Operator = Annotated[str, typer.Option(envvar="PETIOLE_OPERATOR_URL", help="Of /readyz.")]
Gateway = Annotated[str, typer.Option(envvar="PETIOLE_GATEWAY_URL", help="Its address.")]
Bearer = Annotated[str, typer.Option(envvar="PETIOLE_GATEWAY_TOKEN")]
Wait = Annotated[float, typer.Option(help="Seconds until it gives up.")]


@app.command()
def check(operator: Operator, gateway: Gateway, token: Bearer = "", wait: Wait = 60) -> None:
    """Tell whether operator and gateway are ready and know each other's token."""

    def left() -> dict[str, str]:
        said = {
            "operator": _unready(f"{operator.rstrip('/')}/readyz"),
            "gateway": _unready(f"{gateway.rstrip('/')}/readyz"),
            "token": _unready(f"{gateway.rstrip('/')}/v1/fleets", token),
        }
        return {part: problem for part, problem in said.items() if problem}

    problems = _until_none(left, wait)
    for part in ("operator", "gateway", "token"):
        console.print(f"{part:9} {problems.get(part, 'ok')}", soft_wrap=True)
    if problems:
        fail(f"not ready after {wait:g} s: {', '.join(problems)}")


@app.command()
def clear(
    gateway: Gateway,
    token: Bearer = "",
    kubeconfig: Annotated[Path | None, typer.Option(envvar="KUBECONFIG")] = None,
    namespace: Annotated[
        str,
        typer.Option(
            envvar="PETIOLE_NAMESPACE", help="Only these, with commas between; default: all."
        ),
    ] = "",
    wait: Wait = 120,
) -> None:
    """Delete all TinyModels and DeviceFleets, and wait until the gateway has cleared the fleets.

    The operator must be there: it is what tells the gateway.
    """
    from petiole.controller.cluster import ClusterError  # noqa: PLC0415 - takes a second

    namespaces = tuple(filter(None, (part.strip() for part in namespace.split(","))))
    try:
        fleets = asyncio.run(_delete_all(kubeconfig, namespaces))
    except ClusterError as error:
        fail(str(error))

    def left() -> set[str]:
        answer = _get(f"{gateway.rstrip('/')}/v1/fleets", token)
        return fleets & set(answer.json()) if answer is not None and answer.is_success else fleets

    if still := _until_none(left, wait):
        fail(
            f"the gateway still has {', '.join(sorted(still))} after {wait:g} s: see whether the "
            "operator runs and reaches it, or go on without (helm uninstall --no-hooks); devices "
            "then keep what was granted last"
        )
    console.print(f"cleared, {len(fleets)} fleets")


@app.command()
def revocations(
    file: Annotated[Path, typer.Argument(help="Where the broker reads revocations.")],
    gateway: Gateway,
    token: Bearer = "",
    pid_file: Annotated[
        Path | None, typer.Option(help="Mosquitto's; default: write the list once and end.")
    ] = None,
    watch: Annotated[
        list[Path], typer.Option(help="A file that the broker reads too; may be repeated.")
    ] = [],  # noqa: B006 - typer reads it only
    every: Annotated[float, typer.Option(min=1.5, help="Seconds between two looks.")] = 5.0,
) -> None:
    """Keep a broker's list of revocations, and have Mosquitto read changed files again."""
    if pid_file is None:
        if problem := _until_none(lambda: _update(file, gateway, token), 120):
            fail(problem)
        return
    # What the broker has read is not known at the start: whoever was here before may have been
    # killed between writing a file and telling it.
    seen: list[bytes] | None = None
    said = ""
    while True:
        time.sleep(every)
        problem = _update(file, gateway, token)
        if problem and problem != said:
            console.print(problem, soft_wrap=True)
        said, now = problem, _contents([*watch, file])
        if now != seen and _reload(pid_file):
            console.print("the broker reads its files again")
            seen = now


def _update(file: Path, gateway: str, token: str) -> str:
    """Write the list if it says something new; say what is wrong, if anything is."""
    from petiole.gateway.enrol.files import RevocationFile  # noqa: PLC0415

    answer = _get(f"{gateway.rstrip('/')}/v1/revocations", token)
    if answer is None or not answer.is_success:
        return f"the gateway at {gateway} gives no revocations: {_said(answer)}"
    try:
        found = x509.load_pem_x509_crl(answer.content)
        if not file.exists() or _revoked(found) not in map(_revoked, _lists(file.read_bytes())):
            RevocationFile(file).write(found)
    except (ValueError, OSError) as error:
        return f"the revocations of {gateway} cannot be kept in {file}: {error}"
    return ""


def _lists(data: bytes) -> Iterator[x509.CertificateRevocationList]:
    end = b"-----END X509 CRL-----\n"
    yield from (x509.load_pem_x509_crl(part + end) for part in data.split(end)[:-1])


def _revoked(found: x509.CertificateRevocationList) -> tuple[x509.Name, frozenset[int]]:
    """Return what a list says; two that say the same differ in their time only."""
    return found.issuer, frozenset(entry.serial_number for entry in found)


def _contents(files: list[Path]) -> list[bytes]:
    return [file.read_bytes() if file.exists() else b"" for file in files]


def _reload(pid_file: Path) -> bool:
    """Send SIGHUP to the broker; False when it is not there, or not ready for it."""
    try:
        pid = int(pid_file.read_text())
        about = Path(f"/proc/{pid}/status").read_text()
        # A broker that has just ended leaves its number to whoever comes next; one that has just
        # started would end by the signal.
        if f"Name:\t{_BROKER}\n" not in about or not _catches_hup(about):
            return False
        os.kill(pid, signal.SIGHUP)
    except (OSError, ValueError):
        return False
    return True


def _catches_hup(about: str) -> bool:
    """Read from ``/proc/<pid>/status`` whether SIGHUP has a handler."""
    caught = next(line for line in about.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGHUP - 1) & 1)


async def _delete_all(kubeconfig: Path | None, namespaces: tuple[str, ...]) -> set[str]:
    """Delete the objects; return the gateway's names of the fleets."""
    from petiole.controller.cluster import Cluster  # noqa: PLC0415 - takes a second
    from petiole.controller.keys import Key  # noqa: PLC0415

    fleets = set()
    async with Cluster.connect(kubeconfig) as cluster:
        for plural in _KINDS:
            for body in await cluster.all(plural, namespaces):
                key = Key.of("devicefleets", body)
                await cluster.delete(plural, key.namespace, key.name)
                console.print(f"{plural}.{GROUP} {key.namespace}/{key.name} deleted")
                if plural == "devicefleets":
                    fleets.add(key.fleet)
    return fleets


def _until_none(look: Callable[[], Found], wait: float) -> Found:
    """Look until nothing is found, or ``wait`` seconds are over; return what was found."""
    until = time.monotonic() + wait
    while (found := look()) and time.monotonic() < until:
        time.sleep(0.5)
    return found


def _unready(url: str, token: str = "") -> str:
    answer = _get(url, token)
    return "" if answer is not None and answer.is_success else f"{url}: {_said(answer)}"


def _get(url: str, token: str) -> httpx.Response | None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        return httpx.get(url, headers=headers, timeout=_ASK_SECONDS, trust_env=False)
    except httpx.HTTPError:
        return None


def _said(answer: httpx.Response | None) -> str:
    return "no answer" if answer is None else f"{answer.status_code} {answer.text[:200].strip()}"
