"""What commands print where no terminal is, and what they make of a wrong address."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from typer.testing import CliRunner

from petiole.cli.main import app

PRINTS = """
from rich.table import Table
from petiole.cli.settings import console
table = Table("id", "labels", box=None)
table.add_row("leaf-[1]", "site=[/north],crop=:apple:,note=" + "x" * 300)
table.add_row("leaf-2", "-")
console.print(table)
console.print("[bold]leaf-3[/bold]")
"""


def printed(**environment: str) -> list[str]:
    """Lines of PRINTS in a pipe."""
    inherited = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    done = subprocess.run(
        [sys.executable, "-c", PRINTS],
        env=inherited | {"PYTHONPATH": os.pathsep.join(sys.path)} | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_in_a_pipe_a_device_is_a_line_and_its_labels_are_no_markup() -> None:
    assert [line.split() for line in printed()] == [
        ["id", "labels"],
        ["leaf-[1]", "site=[/north],crop=:apple:,note=" + "x" * 300],
        ["leaf-2", "-"],
        ["[bold]leaf-3[/bold]"],
    ]


def test_columns_may_be_asked_for() -> None:
    assert max(map(len, printed(COLUMNS="60"))) == 60


class Page(BaseHTTPRequestHandler):
    """Somebody else's server."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>sign in</html>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_address_that_is_no_gateway_is_said_to_be_none(elsewhere: str) -> None:
    done = CliRunner().invoke(app, ["devices", "--gateway", elsewhere])
    assert done.exit_code == 1
    assert f"{elsewhere}/v1/devices answered something else than the gateway does" in done.stderr
