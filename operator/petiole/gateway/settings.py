"""What the gateway process is told at start."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, PositiveFloat, SecretStr, model_validator


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

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if (self.mqtt_tls_cert is None) != (self.mqtt_tls_key is None):
            raise ValueError("--mqtt-tls-cert and --mqtt-tls-key go together")
        if self.mqtt_tls_cert is not None and self.mqtt_tls_ca is None:
            raise ValueError("--mqtt-tls-cert needs --mqtt-tls-ca, the authority of the broker")
        if (self.ca_cert is None) != (self.ca_key is None):
            raise ValueError("--ca-cert and --ca-key go together")
        return self

    @staticmethod
    def sqlite(path: Path) -> str:
        """Return the database URL of an SQLite file."""
        return f"sqlite+aiosqlite:///{path}"
