"""What the gateway process is told at start."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import (
    BaseModel,
    ConfigDict,
    PositiveFloat,
    SecretStr,
    field_validator,
    model_validator,
)

SHORTEST = 16  # characters of a token that people bring


class Settings(BaseModel):
    """Addresses and credentials. Everything else comes with the plans of the fleets."""

    model_config = ConfigDict(frozen=True)

    mqtt_host: str = "127.0.0.1"
    mqtt_port: int = 1883
    mqtt_user: str = "gateway"
    mqtt_password: SecretStr = SecretStr("")
    mqtt_tls_ca: Path | None = None  # authorities of the broker; none: no TLS
    mqtt_tls_cert: Path | None = None
    mqtt_tls_key: Path | None = None
    ca_cert: Path | None = None  # authority of devices; none: no enrolment
    ca_key: Path | None = None
    certificate_days: PositiveFloat = 30.0
    token_hours: PositiveFloat = 24.0
    crl_file: Path | None = None  # where the broker reads what was taken back
    database_url: str = "sqlite+aiosqlite:///gateway.db"
    store_uri: str
    listen_host: str = "127.0.0.1"
    listen_port: int = 8080
    advertise: str = ""  # URL by which other replicas reach this one; default: where it listens
    token: SecretStr
    web_token: SecretStr = SecretStr("")  # of the pages; empty: there are none

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if (self.mqtt_tls_cert is None) != (self.mqtt_tls_key is None):
            raise ValueError("--mqtt-tls-cert and --mqtt-tls-key go together")
        if self.mqtt_tls_cert is not None and self.mqtt_tls_ca is None:
            raise ValueError("--mqtt-tls-cert needs --mqtt-tls-ca, the authority of the broker")
        if (self.ca_cert is None) != (self.ca_key is None):
            raise ValueError("--ca-cert and --ca-key go together")
        return self

    @field_validator("web_token")
    @classmethod
    def _hard_to_guess(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value) < SHORTEST:
            raise ValueError(f"a token of at least {SHORTEST} characters: `openssl rand -hex 16`")
        return value

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.web_token and self.web_token == self.token:
            raise ValueError(
                "--web-token is for looking only: it must differ from --gateway-token, which may"
                " do everything"
            )
        return self

    @staticmethod
    def sqlite(path: Path) -> str:
        """Return the database URL of an SQLite file."""
        return f"sqlite+aiosqlite:///{path}"
