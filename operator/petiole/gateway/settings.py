"""What the gateway process is told at start."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr


class Settings(BaseModel):
    """Addresses and credentials. Everything else comes with the plans of the fleets."""

    model_config = ConfigDict(frozen=True)

    mqtt_host: str = "127.0.0.1"
    mqtt_port: int = 1883
    mqtt_user: str = "gateway"
    mqtt_password: SecretStr = SecretStr("")
    database_url: str = "sqlite+aiosqlite:///gateway.db"
    store_uri: str
    listen_host: str = "127.0.0.1"
    listen_port: int = 8080
    token: SecretStr

    @staticmethod
    def sqlite(path: Path) -> str:
        """Return the database URL of an SQLite file."""
        return f"sqlite+aiosqlite:///{path}"
