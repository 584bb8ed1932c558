"""A real Prometheus that scrapes what a testbed runs, for those who look at its metrics."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path

import httpx
import yaml

from hack.chart.programs import prometheus

from .lifetime import Lifetime
from .processes import Process, Processes
from .waits import free_port

_READY_SECONDS = 60.0
_STEPS = 500  # of a question over time, at most


class Prometheus(Lifetime):
    """Scrapes every second. ``targets`` are ``host:port`` by job."""

    def __init__(self, folder: Path, targets: Mapping[str, str], processes: Processes) -> None:
        self.folder = folder
        self._targets = targets
        self._processes = processes
        self._process: Process | None = None
        self._began = 0.0
        port = free_port()
        self._address = f"127.0.0.1:{port}"
        self._http = httpx.Client(base_url=f"http://{self._address}", timeout=30.0, trust_env=False)

    def start(self) -> None:
        """Bring it up. FetchError where it cannot be had."""
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "prometheus.yaml"
        config.write_text(yaml.safe_dump(self._config()))
        self._began = time.time()
        self._process = self._processes.start(
            "prometheus",
            [
                prometheus(),
                f"--config.file={config}",
                f"--storage.tsdb.path={self.folder / 'data'}",
                f"--web.listen-address={self._address}",
                "--log.level=warn",
            ],
        )
        self._process.wait_ready(self._ready, _READY_SECONDS)

    def stop(self) -> None:
        self._http.close()
        if self._process is not None:
            self._process.stop()

    def ask(self, query: str) -> list[tuple[dict[str, str], list[float]]]:
        """Labels and finite values of each series that the query had since the start.

        Raises httpx.HTTPStatusError for a query that it does not understand.
        """
        now = time.time()
        step = max(1.0, (now - self._began) / _STEPS)
        span = {"start": self._began, "end": now, "step": step}
        answer = self._http.get("/api/v1/query_range", params={"query": query, **span})
        answer.raise_for_status()
        found = [
            (
                series["metric"],
                [v for _, text in series["values"] if math.isfinite(v := float(text))],
            )
            for series in answer.json()["data"]["result"]
        ]
        return [(labels, values) for labels, values in found if values]

    def up(self) -> bool:
        """Whether all targets were scraped at last."""
        answer = self._http.get("/api/v1/query", params={"query": "up"})
        found = answer.json()["data"]["result"]
        return len(found) == len(self._targets) and all(s["value"][1] == "1" for s in found)

    def _config(self) -> dict[str, object]:
        return {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [
                {"job_name": job, "static_configs": [{"targets": [target]}]}
                for job, target in self._targets.items()
            ],
        }

    def _ready(self) -> bool:
        try:
            return self._http.get("/-/ready").is_success
        except httpx.TransportError:
            return False
