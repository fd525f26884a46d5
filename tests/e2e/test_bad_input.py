"""Clients that send too much, leave too early or know other languages, and files that change."""

import asyncio
import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from raw_client import RawClient, framed, notification, raw_client, request
from wire import asking

from midline.server.daemon.control import reports
from midline.server.daemon.handshake import LSP, Hello, line
from midline.server.daemon.places import shared_place

SERVER = (sys.executable, "-P", str(Path(__file__).parents[1] / "fake_server.py"))
PROXY = (sys.executable, "-P", str(Path(__file__).parents[1] / "fake_proxy.py"))
BOTH = pytest.mark.parametrize("command", [SERVER, PROXY], ids=["own", "engine process"])
URI = "file:///a.py"
TEXT = "def f(a):\n    \n"
REFUSED = ("closed", "ConnectionResetError", "BrokenPipeError")

pytestmark = pytest.mark.usefixtures("engine_home")


def opened(client: RawClient, uri: str, language: str, text: str = TEXT) -> None:
    item = {"uri": uri, "languageId": language, "version": 1, "text": text}
    client.send(notification("textDocument/didOpen", {"textDocument": item}))


async def offered(client: RawClient, uri: str, line: int = 1, character: int = 4) -> str:
    answer = await client.ask(asking(f"in {uri[:80]}", uri, line, character, kind=1))
    (offer,) = answer["result"]["items"]
    return str(offer["insertText"])


@BOTH
async def test_languages_that_nobody_knows_are_completed(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    async with raw_client(tmp_path, *command, answer="return a") as client:
        for number, language in enumerate(("klingon", "", "é\u0000 " * 2000, "Python")):
            uri = f"untitled:{number}.klingon"
            opened(client, uri, language)
            assert await offered(client, uri) == "return a"
        assert await client.leave() == 0


@BOTH
@pytest.mark.parametrize("megabytes", [6, pytest.param(50, marks=pytest.mark.attack)])
async def test_a_long_message_is_read_and_others_after_it(
    tmp_path: Path, command: tuple[str, ...], megabytes: int
) -> None:
    async with raw_client(tmp_path, *command, answer="return a") as client:
        opened(client, "file:///long.py", "python", "x = 1  # é\n" * (megabytes * 90_000))
        client.send(asking("long", "file:///long.py", 5, 4, kind=1))
        client.write(framed(b"[" * (megabytes << 20)))
        opened(client, URI, "python")
        client.send(asking("short", URI, 1, 4, kind=1))
        answers = {answer["id"]: answer for answer in await client.answers(3, 120)}
        assert set(answers) == {"long", "short", None} and "result" in answers["long"]
        assert answers["short"]["result"]["items"][0]["insertText"] == "return a"
        assert await client.leave() == 0


@BOTH
@pytest.mark.parametrize("left", [b"", b"Content-Le", b'Content-Length: 999\r\n\r\n{"id'])
async def test_a_client_that_leaves_in_the_middle_of_a_request(
    tmp_path: Path, command: tuple[str, ...], left: bytes
) -> None:
    fake: dict[str, Any] = {"answer": "a, " * 2000, "seconds": 0.05}
    async with raw_client(tmp_path, *command, **fake) as client:
        opened(client, URI, "python")
        client.send(asking("pending", URI, 1, 4, kind=1), request("seen", "midline/status"))
        assert (await client.answers(1))[0]["id"] == "seen"
        client.write(left)
        assert client.process.stdin is not None
        client.process.stdin.close()
        assert await asyncio.wait_for(client.process.wait(), 20) == 1
    async with asyncio.timeout(20):
        while any(report["clients"] for report in reports()):
            await asyncio.sleep(0.02)


@BOTH
async def test_a_file_that_changes_on_disk_is_what_the_editor_says(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    path = tmp_path / "project" / "a.py"
    path.parent.mkdir()
    path.write_text("on_disk = 1\n")
    log = tmp_path / "asked.jsonl"
    async with raw_client(tmp_path, *command, answer="return a") as client:
        opened(client, path.as_uri(), "python", "in_editor = 1\n" + TEXT)

        def truncated() -> None:
            path.write_text("")

        def replaced() -> None:
            path.unlink()
            path.mkdir()

        for change in (lambda: path.write_text("other = 2\n" * 1000), truncated, replaced):
            change()
            assert await offered(client, path.as_uri(), 2, 4) == "return a"
        assert await client.leave() == 0
    asked = log.read_text()
    assert "in_editor" in asked and "on_disk" not in asked and "other" not in asked


def strangers_answer() -> str:
    """What a process of another user gets at the socket."""
    hello, path = line(Hello(LSP)), str(shared_place().socket)
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        found = b"nothing"
        try:
            os.setgid(65534)
            os.setuid(65534)
            with socket.socket(socket.AF_UNIX) as sock:
                sock.settimeout(20)
                sock.connect(path)
                sock.sendall(hello)
                found = sock.recv(100) or b"closed"
        except OSError as error:
            found = type(error).__name__.encode()
        finally:
            os.write(theirs, found)
            os._exit(0)
    os.waitpid(pid, 0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as told:
        return told.read().decode()


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="takes two users")
async def test_another_user_gets_neither_the_socket_nor_an_answer(tmp_path: Path) -> None:
    async with raw_client(tmp_path, *PROXY, answer="return a") as client:
        opened(client, URI, "python")
        assert await offered(client, URI) == "return a"
        assert await asyncio.to_thread(strangers_answer) == "PermissionError"
        for folder in (shared_place().folder, *shared_place().folder.parents):
            if folder != Path("/"):
                folder.chmod(folder.stat().st_mode | 0o055)
        shared_place().socket.chmod(0o777)
        assert await asyncio.to_thread(strangers_answer) in REFUSED
        assert await offered(client, URI) == "return a"
        assert await client.leave() == 0
