"""The command's side of HTTP: one engine process after the other gets the socket."""

import socket

import pytest

from midline.model.errors import MidlineError
from midline.server.daemon.handing_over import Wanted, refusal, take_over
from midline.server.daemon.handshake import PROTOCOL, Connection, Reply
from midline.server.daemon.http_front import serve_http_through_engine
from midline.server.daemon.places import NoEngineProcessError

REPLY = Reply(True, 1, PROTOCOL, "0", "b", 0)


def test_a_refusal_is_raised_and_an_end_is_followed_by_another_process() -> None:
    ends, pauses, addresses = [b"", b"", b"", refusal("no such model")], [], []

    def connect() -> Connection:
        ours, theirs = socket.socketpair(socket.AF_UNIX)
        theirs.sendall(ends.pop(0))
        theirs.shutdown(socket.SHUT_WR)
        processes.append(theirs)
        return Connection(ours, REPLY)

    processes: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        with pytest.raises(MidlineError, match="no such model"):
            serve_http_through_engine(listening, Wanted("127.0.0.1"), connect, pauses.append)
        for process in processes:
            with process:
                received, wanted = take_over(process)
                with received:
                    addresses.append(received.getsockname())
                assert wanted == Wanted("127.0.0.1")
        assert addresses == [listening.getsockname()] * 4
    assert len(pauses) == 1  # all had ended at once


def test_without_an_engine_process_it_ends() -> None:
    def connect() -> Connection:
        raise NoEngineProcessError("there is none")

    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        pytest.raises(NoEngineProcessError),
    ):
        serve_http_through_engine(listening, Wanted("127.0.0.1"), connect)
