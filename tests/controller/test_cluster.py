"""How the API server is asked."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from kubernetes import client

from petiole.controller.cluster import Cluster, ClusterError


class Busy(BaseHTTPRequestHandler):
    """Says 429 to the first request, and when to come again."""

    def do_GET(self):
        self.server.asked.append(time.monotonic())
        first = len(self.server.asked) == 1
        self.send_response(429 if first else 200)
        if first:
            self.send_header("Retry-After", "1")
        self.end_headers()
        self.wfile.write(b'{"message": "too many requests"}')

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def busy():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Busy)
    server.asked = []  # when
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


async def test_it_is_not_asked_before_it_said_to_come_again(busy):
    found = client.Configuration()
    found.host = f"http://127.0.0.1:{busy.server_port}"
    async with Cluster(found) as cluster:
        with pytest.raises(ClusterError, match="429"):
            await cluster.get("tinymodels", "fields", "maize")
        await cluster.get("devicefleets", "fields", "maize")
    first, second = busy.asked
    assert second - first >= 1.0
