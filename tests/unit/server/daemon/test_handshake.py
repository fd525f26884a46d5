"""The handshake: who is there, of which version, and whose."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from listener import Listener

from midline.server.daemon import handshake
from midline.server.daemon.handshake import (
    LSP,
    PROTOCOL,
    Hello,
    Reply,
    call,
    line,
    parsed,
    peer_process,
    peer_user,
)
from midline.server.daemon.places import Place

Listen = Callable[..., Listener]


def test_messages_come_back_as_they_were_sent() -> None:
    hello = Hello("lsp")
    assert parsed(line(hello), Hello) == hello and hello.fits
    reply = Reply(True, 1, PROTOCOL, "1.0", "abc", 2, {"state": "ready"})
    assert parsed(line(reply), Reply) == reply and reply.is_other


def test_fields_of_later_versions_are_no_obstacle() -> None:
    later = b'{"role": "stop", "protocol": 9, "midline": "9", "build": "b", "pid": 1, "new": []}\n'
    assert parsed(later, Hello) == Hello("stop", 9, "9", "b", 1)
    assert not parsed(later, Hello).fits


@pytest.mark.parametrize("data", [b"", b"GET / HTTP/1.1\r\n", b"[]", b"{}", b"\xff"])
def test_what_is_no_handshake_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parsed(data, Hello)


def test_nobody_is_there(tmp_path: Path) -> None:
    assert call(Place(tmp_path, "engine"), LSP) is None
    (tmp_path / "engine.sock").touch()
    assert call(Place(tmp_path, "engine"), LSP) is None


def test_an_answer_is_waited_for_and_not_for_ever(
    tmp_path: Path, listening: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = listening(Place(tmp_path, "engine"), clients=3)
    connection = call(there.place, LSP)
    assert connection is not None
    with connection:
        assert connection.reply.clients == 3
    there.is_silent = True
    monkeypatch.setattr(handshake, "SECONDS", 0.1)
    with pytest.raises(TimeoutError):
        call(there.place, LSP)


def test_a_socket_of_another_user_is_left_alone(
    tmp_path: Path, listening: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = listening(Place(tmp_path, "engine"))
    monkeypatch.setattr(handshake, "peer_user", lambda sock: os.getuid() + 1)
    assert call(there.place, LSP) is None
    assert there.heard == []


def test_the_system_says_who_is_at_the_other_end() -> None:
    one, other = socket.socketpair()
    with one, other:
        assert peer_user(one) == os.getuid()
        assert peer_process(one) in (os.getpid(), None)
