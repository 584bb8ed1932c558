"""The companion of the chart's Mosquitto beside a real one: when it tells it to read its files."""

import getpass
import os
import shutil
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from hack.testbed.pki import Pki
from hack.testbed.processes import Processes
from hack.testbed.waits import free_port, wait_until
from petiole.cli.installation import _reload

CONFIG = """\
listener {port} 127.0.0.1
allow_anonymous true
user {user}
pid_file {folder}/mosquitto.pid
log_dest stderr
log_type information
"""


@pytest.fixture
def processes(tmp_path):
    with Processes(tmp_path) as running:
        yield running


@pytest.fixture
def broker(tmp_path, processes):
    """A broker that says when it reads its files; its number is in mosquitto.pid."""
    text = CONFIG.format(port=free_port(), user=getpass.getuser(), folder=tmp_path)
    (tmp_path / "mosquitto.conf").write_text(text)
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    started = processes.start("mosquitto", [program, "-c", tmp_path / "mosquitto.conf"])
    started.wait_ready(lambda: "running" in started.log.read_text(), 15)
    return started


def reloads(broker):
    broker.check()
    return broker.log.read_text().count("Reloading config")


def test_a_broker_is_told_once_it_listens_to_it(broker, tmp_path):
    assert _reload(tmp_path / "mosquitto.pid")
    wait_until(lambda: reloads(broker) == 1, 10, "the broker to read its files")
    assert not _reload(tmp_path / "absent.pid")


def test_who_would_end_by_the_signal_is_not_told(processes, tmp_path):
    """A broker that reads its files for the first time has no handler yet."""
    program = tmp_path / "mosquitto"
    shutil.copy(shutil.which("sleep"), program)
    begins = processes.start("begins", [program, "60"])
    (tmp_path / "pid").write_text(f"{begins.pid}\n")
    assert not _reload(tmp_path / "pid")
    begins.check()


class Gateway(BaseHTTPRequestHandler):
    """Answers with the list of revocations."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.server.listed.read_bytes())

    def log_message(self, *_):
        pass


@pytest.fixture
def gateway(tmp_path):
    with HTTPServer(("127.0.0.1", 0), Gateway) as server:
        server.listed = Pki(tmp_path / "pki").folder / "crl.pem"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.long
def test_what_was_written_before_a_restart_is_told_after_it(broker, gateway, processes, tmp_path):
    """The list is right already: the last companion was killed before it could say so."""
    lists, certificate = tmp_path / "crl.pem", tmp_path / "tls.crt"
    lists.write_bytes(gateway.listed.read_bytes())
    certificate.write_text("first")
    companion = processes.start(
        "revocations",
        [
            *(sys.executable, "-m", "petiole.cli.main", "installation", "revocations", lists),
            *(f"--pid-file={tmp_path / 'mosquitto.pid'}", f"--watch={certificate}", "--every=1.5"),
        ],
        environment={
            "PETIOLE_GATEWAY_URL": f"http://127.0.0.1:{gateway.server_port}",
            "PYTHONPATH": os.pathsep.join(sys.path),
        },
    )
    companion.wait_ready(lambda: reloads(broker) == 1, 60)
    certificate.write_text("second")
    companion.wait_ready(lambda: reloads(broker) == 2, 20)
    lists.unlink()
    companion.wait_ready(lists.exists, 20)
    assert reloads(broker) == 2, "what the broker has read already"
