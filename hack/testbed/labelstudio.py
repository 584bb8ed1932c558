"""A real Label Studio on loopback, in a virtual environment of its own: 1 GB, made once.

``python -m hack.testbed.labelstudio`` makes the environment in the user's cache and says where.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from hack.controlplane.programs import cache_folder

from . import environments
from .lifetime import Lifetime
from .processes import ROOT, Process, Processes
from .waits import free_port

LOCK = ROOT / "requirements" / "labelstudio.txt"
_INSTALL_SECONDS = 900.0
_READY_SECONDS = 900.0  # its first start makes a database in some hundred steps


def install() -> Path:
    """Make the environment from its lock unless it is there; return the program."""
    folder = cache_folder().parent / "label-studio" / "venv"
    environments.make(folder, LOCK, _INSTALL_SECONDS)
    return folder / "bin" / "label-studio"


class LabelStudio(Lifetime):
    """One server with a database of its own and one user, who owns ``token``."""

    def __init__(self, folder: Path, processes: Processes | None = None) -> None:
        self.folder = folder.resolve()
        self.token = secrets.token_hex(20)
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._owned = processes is None
        self._processes = processes or Processes(self.folder)
        self._process: Process | None = None

    def start(self) -> None:
        """Start and wait until it answers: about 40 s on idle cores."""
        program = install()
        command: list[str | Path] = [
            program, "start", "--no-browser", "--internal-host", "127.0.0.1",
            "--port", str(self._port), "--username", "owner@example.com",
            "--password", secrets.token_urlsafe(12), "--user-token", self.token,
        ]  # fmt: skip
        variables = {
            "LABEL_STUDIO_BASE_DATA_DIR": str(self.folder / "label-studio"),
            "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
            "DJANGO_DB": "sqlite",
            "HOST": self.url,
            "collect_analytics": "false",
            "SSRF_PROTECTION_ENABLED": "false",  # webhooks go to loopback
            "PYTHONPATH": "",
        }
        self._process = self._processes.start("label-studio", command, environment=variables)
        self._process.wait_ready(self._answers, _READY_SECONDS)

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()
        if self._owned:
            self._processes.stop()

    def ask(self, method: str, path: str, **content: Any) -> Any:  # noqa: ANN401 - JSON
        """Call its API as the owner; returns the answer's JSON."""
        headers = {"Authorization": f"Token {self.token}"}
        answer = httpx.request(
            method, f"{self.url}{path}", headers=headers, timeout=120.0, trust_env=False, **content
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def projects(self, title: str) -> list[int]:
        """Ids of the projects of that title."""
        found = self.ask("GET", "/api/projects", params={"title": title})["results"]
        return [project["id"] for project in found if project["title"] == title]

    def tasks(self, project: int) -> list[dict[str, Any]]:
        """All tasks of a project, with annotations and predictions."""
        params = {"project": project, "fields": "all", "page_size": 1000}
        return list(self.ask("GET", "/api/tasks", params=params)["tasks"])

    def annotate(
        self, task: int, choices: Sequence[str], *, by: int | None = None, skipped: bool = False
    ) -> int:
        """Answer or skip a task as the owner or another user; returns the annotation's id."""
        body: dict[str, Any] = {"result": _result(choices), "was_cancelled": skipped}
        if by is not None:
            body["completed_by"] = by
        return int(self.ask("POST", f"/api/tasks/{task}/annotations/", json=body)["id"])

    def correct(self, annotation: int, choices: Sequence[str]) -> None:
        self.ask("PATCH", f"/api/annotations/{annotation}/", json={"result": _result(choices)})

    def user(self, name: str) -> int:
        """Make another user; returns the id."""
        body = {
            "email": f"{name}@example.com",
            "username": name,
            "password": secrets.token_urlsafe(12),
            "first_name": name,
            "last_name": "",
        }
        return int(self.ask("POST", "/api/users/", json=body)["id"])

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", timeout=5.0, trust_env=False).is_success
        except httpx.HTTPError:
            return False


def _result(choices: Sequence[str]) -> list[dict[str, Any]]:
    if not choices:
        return []
    value = {"choices": list(choices)}
    return [{"from_name": "label", "to_name": "image", "type": "choices", "value": value}]


if __name__ == "__main__":
    print(install())
