"""The connection to the broker, below aiomqtt."""

import socket

import pytest

from petiole.gateway.client import AHEAD, ReadAhead


@pytest.fixture
def ends():
    near, far = socket.socketpair()
    near.setblocking(False)
    with near, far:
        yield ReadAhead(near), far


def test_it_asks_once_for_many(ends):
    near, far = ends
    far.sendall(b"0123456789")
    assert near.recv(1) == b"0"
    assert near.pending() == 9
    far.sendall(b"abc")
    assert near.recv(4) == b"1234"
    assert near.recv(100) == b"56789"  # what came since is not waited for
    assert near.pending() == 0
    assert near.recv(100) == b"abc"


def test_it_raises_what_the_socket_raises(ends):
    near, far = ends
    with pytest.raises(BlockingIOError):
        near.recv(1)
    far.sendall(b"a")
    assert near.recv(1) == b"a"
    with pytest.raises(BlockingIOError):
        near.recv(1)


def test_the_end_is_seen_after_all_that_came_before_it(ends):
    near, far = ends
    far.sendall(b"ab")
    far.close()
    assert (near.recv(1), near.recv(1), near.recv(1), near.recv(1)) == (b"a", b"b", b"", b"")


def test_a_little_at_a_time(ends):
    near, far = ends
    sent = bytes(range(256)) * (3 * AHEAD // 256)
    far.sendall(sent)
    found = b""
    while len(found) < len(sent):
        found += near.recv(1000)
        assert near.pending() < AHEAD
    assert found == sent


def test_what_a_tls_socket_has_is_pending_too():
    class Tls:
        def recv(self, size):
            return b"abc"

        def pending(self):
            return 40

    near = ReadAhead(Tls())
    assert near.recv(1) == b"a"
    assert near.pending() == 42


def test_all_else_is_the_sockets(ends):
    near, far = ends
    assert near.fileno() >= 0
    assert near.send(b"hello") == 5
    assert far.recv(5) == b"hello"
