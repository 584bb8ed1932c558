"""The ``petiole`` command: starts the processes, makes keys, looks at artefacts and objects."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Annotated

import typer
from typer.models import OptionInfo

from . import (
    artifact,
    devices,
    enrol,
    firmware,
    forward,
    gather,
    get,
    installation,
    key,
    learn,
    logs,
    request,
    simulate,
    why,
)
from .settings import checked, fail

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
app.command()(enrol.enrol)
app.add_typer(key.app, name="key")
app.add_typer(artifact.app, name="artifact")
app.add_typer(firmware.app, name="firmware")
app.add_typer(devices.app, name="devices")
app.add_typer(get.app, name="get")
app.add_typer(installation.app, name="installation")
app.command()(devices.device)
app.command()(why.why)
app.command()(gather.must_gather)
app.command("simulate")(simulate.command)
app.command()(learn.learn)
request.add_to(app)
forward.add_to(app)


def _option(name: str, text: str) -> OptionInfo:
    variable = "PETIOLE_" + name.removeprefix("--").replace("-", "_").upper()
    option: OptionInfo = typer.Option(name, envvar=variable, help=text)
    return option


@app.command()
def operator(
    *,
    kubeconfig: Annotated[
        Path | None,
        typer.Option(
            envvar=["PETIOLE_KUBECONFIG", "KUBECONFIG"], help="Default: the cluster it runs in."
        ),
    ] = None,
    namespace: Annotated[
        str, _option("--namespace", "Only these, with commas between; default: all.")
    ] = "",
    gateway_url: Annotated[str, _option("--gateway-url", "Address of the gateway's HTTP API.")],
    gateway_token: Annotated[str, _option("--gateway-token", "Better given as variable.")] = "",
    store: Annotated[str, _option("--store", "URI of the object store.")],
    work: Annotated[Path, _option("--work", "Folder for pipeline runs.")],
    signing_key: Annotated[Path, _option("--signing-key", "Ed25519 private key, PEM.")],
    public_key: Annotated[
        Path | None, _option("--public-key", "Another key that devices hold, for firmware, PEM.")
    ] = None,
    resync: Annotated[float, _option("--resync", "Seconds between two looks at all.")] = 60.0,
    listen: Annotated[str, _option("--listen", "host:port of health and metrics.")] = "127.0.0.1:0",
    lease: Annotated[
        str, _option("--lease", "namespace/name of the Lease of several operators; default: alone.")
    ] = "",
    lease_seconds: Annotated[
        int, _option("--lease-seconds", "After which another operator follows a dead one.")
    ] = 12,
    identity: Annotated[
        str, _option("--identity", "In the Lease; one process's at a time. Default: made up.")
    ] = "",
    hook_url: Annotated[
        str, _option("--hook-url", "Where Label Studio reaches --listen; default: it need not.")
    ] = "",
    runner: Annotated[
        str, _option("--runner", "What runs pipelines: local, job or kfp.")
    ] = "local",
    runner_command: Annotated[
        str, _option("--runner-command", "local: starts a run; its folder is the last argument.")
    ] = "",
    pipelines_image: Annotated[
        str, _option("--pipelines-image", "job, kfp: image of the pipelines.")
    ] = "",
    job_template: Annotated[
        Path | None, _option("--job-template", "job: a PodTemplateSpec, YAML.")
    ] = None,
    kfp_url: Annotated[str, _option("--kfp-url", "kfp: address of its API.")] = "",
    kfp_pipeline: Annotated[
        Path | None, _option("--kfp-pipeline", "kfp: the compiled pipeline, YAML.")
    ] = None,
    kfp_namespace: Annotated[
        str, _option("--kfp-namespace", "kfp: the profile's namespace, where it has many users.")
    ] = "",
    kfp_token_file: Annotated[
        Path | None, _option("--kfp-token-file", "kfp: bearer token, read for each call.")
    ] = None,
    kfp_ca: Annotated[
        Path | None, _option("--kfp-ca", "kfp: authority of its certificate, PEM.")
    ] = None,
    kfp_secret: Annotated[
        str, _option("--kfp-secret", "kfp: Secret with the steps' store credentials.")
    ] = "",
) -> None:
    """Run the operator until it is told to stop."""
    from petiole import tracing  # noqa: PLC0415 - as below
    from petiole.controller.process import EndedError, StartError, run  # noqa: PLC0415 - kopf takes a second
    from petiole.controller.settings import OperatorSettings  # noqa: PLC0415

    settings = checked(
        OperatorSettings,
        kubeconfig=kubeconfig,
        namespace=namespace,
        gateway_url=gateway_url,
        gateway_token=gateway_token,
        store=store,
        work=work,
        signing_key=signing_key,
        public_key=public_key,
        resync=resync,
        listen=listen,
        lease=lease,
        lease_seconds=lease_seconds,
        identity=identity,
        hook_url=hook_url,
        runner=runner,
        runner_command=runner_command,
        pipelines_image=pipelines_image,
        job_template=job_template,
        kfp_url=kfp_url,
        kfp_pipeline=kfp_pipeline,
        kfp_namespace=kfp_namespace,
        kfp_token_file=kfp_token_file,
        kfp_ca=kfp_ca,
        kfp_secret=kfp_secret,
    )
    logs.to_json()
    try:
        # CancelledError: told to stop before it led.
        with tracing.process("petiole-operator"), contextlib.suppress(asyncio.CancelledError):
            asyncio.run(run(settings))
    except StartError as error:
        fail(str(error), code=2)
    except EndedError as error:
        fail(str(error), code=1)


@app.command()
def gateway(
    *,
    mqtt_host: Annotated[str, _option("--mqtt-host", "The broker.")] = "127.0.0.1",
    mqtt_port: Annotated[int, _option("--mqtt-port", "The broker's port.")] = 1883,
    mqtt_user: Annotated[str, _option("--mqtt-user", "User at the broker.")] = "gateway",
    mqtt_password: Annotated[str, _option("--mqtt-password", "Better given as variable.")] = "",
    mqtt_tls_ca: Annotated[
        Path | None, _option("--mqtt-tls-ca", "Authority of the broker, PEM; turns TLS on.")
    ] = None,
    mqtt_tls_cert: Annotated[
        Path | None, _option("--mqtt-tls-cert", "The gateway's certificate, PEM.")
    ] = None,
    mqtt_tls_key: Annotated[Path | None, _option("--mqtt-tls-key", "Its key, PEM.")] = None,
    ca_cert: Annotated[
        Path | None, _option("--ca-cert", "Authority of devices, PEM; turns enrolment on.")
    ] = None,
    ca_key: Annotated[Path | None, _option("--ca-key", "Its key, PEM.")] = None,
    certificate_days: Annotated[
        float, _option("--certificate-days", "Life of a device's certificate.")
    ] = 30.0,
    token_hours: Annotated[float, _option("--token-hours", "Life of a one-time token.")] = 24.0,
    crl_file: Annotated[
        Path | None, _option("--crl-file", "Where the broker reads revocations.")
    ] = None,
    database_url: Annotated[
        str, _option("--database-url", "SQLAlchemy URL with an async driver.")
    ] = "sqlite+aiosqlite:///gateway.db",
    store: Annotated[str, _option("--store", "URI of the object store.")],
    listen_host: Annotated[str, _option("--listen-host", "For the HTTP API.")] = "127.0.0.1",
    listen_port: Annotated[int, _option("--listen-port", "For the HTTP API.")] = 8080,
    advertise: Annotated[
        str, _option("--advertise", "URL for other replicas; default: http://<host>:<listen port>.")
    ] = "",
    gateway_token: Annotated[str, _option("--gateway-token", "Better given as variable.")],
    web_token: Annotated[
        str, _option("--web-token", "Turns the pages on, for who has it; as variable.")
    ] = "",
) -> None:
    """Run the gateway until it is told to stop."""
    from petiole import tracing  # noqa: PLC0415 - as below
    from petiole.gateway.main import main  # noqa: PLC0415 - only this process needs a broker
    from petiole.gateway.settings import Settings  # noqa: PLC0415
    from petiole.identity.authority import AuthorityError  # noqa: PLC0415

    settings = checked(
        Settings,
        mqtt_host=mqtt_host,
        mqtt_port=mqtt_port,
        mqtt_user=mqtt_user,
        mqtt_password=mqtt_password,
        mqtt_tls_ca=mqtt_tls_ca,
        mqtt_tls_cert=mqtt_tls_cert,
        mqtt_tls_key=mqtt_tls_key,
        ca_cert=ca_cert,
        ca_key=ca_key,
        certificate_days=certificate_days,
        token_hours=token_hours,
        crl_file=crl_file,
        database_url=database_url,
        store_uri=store,
        listen_host=listen_host,
        listen_port=listen_port,
        advertise=advertise,
        token=gateway_token,
        web_token=web_token,
    )
    logs.to_json()
    try:
        with tracing.process("petiole-gateway"):
            main(settings)
    except (OSError, AuthorityError) as error:
        fail(str(error), code=2)


if __name__ == "__main__":
    app()
