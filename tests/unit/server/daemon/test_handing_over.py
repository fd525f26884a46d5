"""Handing over a socket: what arrives, and what does not."""

import socket
from collections.abc import Iterator

import pytest

from midline.server.daemon import handing_over
from midline.server.daemon.handing_over import Wanted, hand_over, refusal, take_over, wait_for_end

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        yield ours, theirs


def test_the_socket_arrives_with_what_is_wanted(pair: Pair) -> None:
    wanted = Wanted("127.0.0.1", "token", None, 2)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        hand_over(pair[0], listening, wanted)
        found, said = take_over(pair[1])
        with found:
            assert found.getsockname() == listening.getsockname() and said == wanted


@pytest.mark.parametrize("message", [b"", b"{}\n", b"nothing", b'{"host": "h", "more": 1}\n'])
def test_anything_else_is_refused(pair: Pair, message: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        if message:
            socket.send_fds(pair[0], [message], [listening.fileno()])
        pair[0].shutdown(socket.SHUT_WR)
        with pytest.raises(ValueError, match="a listening socket was to come"):
            take_over(pair[1])


def test_a_message_without_a_socket_is_refused(pair: Pair) -> None:
    pair[0].send(b'{"host": "127.0.0.1"}\n')
    with pytest.raises(ValueError, match="a listening socket was to come"):
        take_over(pair[1])


def test_nobody_waits_for_a_socket_for_ever(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handing_over, "SECONDS", 0.01)
    with pytest.raises(TimeoutError):
        take_over(pair[1])


@pytest.mark.parametrize(
    ("sent", "reason"),
    [(b"", ""), (refusal("no model"), "no model"), (b"odd\n", ""), (b"[]\n", "")],
)
def test_the_end_has_a_reason_or_none(pair: Pair, sent: bytes, reason: str) -> None:
    pair[1].sendall(sent)
    pair[1].shutdown(socket.SHUT_WR)
    assert wait_for_end(pair[0]) == reason
