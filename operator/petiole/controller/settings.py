"""What the operator is told when it starts."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

_NAMESPACE = re.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LEASE = re.compile(rf"{_NAMESPACE.pattern}/[a-z0-9]([-.a-z0-9]{{0,251}}[a-z0-9])?")


class OperatorSettings(BaseModel):
    """Addresses, folders and secrets. Every message names the option that is wrong."""

    model_config = ConfigDict(frozen=True)

    kubeconfig: Path | None = None  # None: the cluster that the process runs in
    namespace: str = ""  # or several with commas between; empty: all
    gateway_url: str
    gateway_token: SecretStr = SecretStr("")
    store: str
    work: Path
    signing_key: Path
    public_key: Path | None = None  # another one that devices hold, for firmware
    resync: Annotated[float, Field(ge=1, le=3600)] = 60.0  # seconds
    listen: str = "127.0.0.1:0"  # health, metrics and hooks; port 0: any free one
    lease: str = ""  # namespace/name, of all operators of these objects; empty: this one is alone
    lease_seconds: Annotated[int, Field(ge=3, le=120)] = 12
    identity: str = ""  # of this process in the Lease; empty: a new one at each start
    hook_url: str = ""  # where Label Studio reaches ``listen``; empty: it is only asked
    runner: Literal["local", "job", "kfp"] = "local"
    runner_command: str = ""  # local; empty: the pipelines of this installation
    pipelines_image: str = ""  # job, kfp
    job_template: Path | None = None  # a PodTemplateSpec
    kfp_url: str = ""
    kfp_pipeline: Path | None = None  # the compiled pipeline
    kfp_namespace: str = ""  # empty: KFP has one user
    kfp_token_file: Path | None = None
    kfp_ca: Path | None = None  # empty: the public authorities
    kfp_secret: str = ""  # where KFP runs Pods, for the steps' environment

    @field_validator("namespace")
    @classmethod
    def _names(cls, value: str) -> str:
        for name in filter(None, _parts(value)):
            if not _NAMESPACE.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a namespace; put commas between several")
        return value

    @field_validator("lease")
    @classmethod
    def _place(cls, value: str) -> str:
        if value and not _LEASE.fullmatch(value):
            raise ValueError(f"{value!r} is no namespace/name of a Lease")
        return value

    @field_validator("gateway_url")
    @classmethod
    def _http(cls, value: str) -> str:
        if urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname:
            raise ValueError(f"{value!r} is no http:// or https:// address")
        return value.rstrip("/")

    @field_validator("hook_url", "kfp_url")
    @classmethod
    def _http_or_none(cls, value: str) -> str:
        return cls._http(value) if value else value

    @field_validator("store")
    @classmethod
    def _uri(cls, value: str) -> str:
        if "://" not in value:
            raise ValueError(f"{value!r} is no URI such as file:///var/lib/petiole or s3://bucket")
        return value.rstrip("/")

    @field_validator(
        "signing_key",
        "public_key",
        "kubeconfig",
        "job_template",
        "kfp_pipeline",
        "kfp_token_file",
        "kfp_ca",
    )
    @classmethod
    def _file(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError(f"there is no file {value}")
        return value

    @field_validator("listen")
    @classmethod
    def _address(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not port.isdigit() or int(port) > 65535:
            raise ValueError(f"{value!r} is no host:port")
        return value

    @model_validator(mode="after")
    def _runner_has_all(self) -> OperatorSettings:
        needed = {"local": (), "job": ("pipelines_image",), "kfp": ("kfp_url", "kfp_pipeline")}
        for option in needed[self.runner]:
            if not getattr(self, option):
                name = option.replace("_", "-")
                raise ValueError(f"runner: {self.runner} needs --{name}")
        return self

    @model_validator(mode="after")
    def _work_folder(self) -> OperatorSettings:
        try:
            self.work.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(
                f"work: the folder {self.work} cannot be made: {error.strerror}"
            ) from error
        return self

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Those whose objects are served; none: all of the cluster."""
        return tuple(dict.fromkeys(filter(None, _parts(self.namespace))))

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.listen.rpartition(":")
        return host, int(port)

    @property
    def command(self) -> tuple[str, ...] | None:
        return tuple(shlex.split(self.runner_command)) or None


def _parts(value: str) -> list[str]:
    return [part.strip() for part in value.split(",")]
