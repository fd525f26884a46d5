"""One engine process for all editors: shared, restarted, replaced, and gone when nobody is left."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from editor import Editor, capabilities, editing, replacement
from raw_client import RawClient, initialize, notification, raw_client, request

from midline.server.daemon.control import reports
from midline.server.daemon.handshake import LSP, call
from midline.server.daemon.places import Place, shared_place

PROXY = (sys.executable, "-P", str(Path(__file__).parents[1] / "fake_proxy.py"))
TEXT = "def f(a):\n    \n"

pytestmark = pytest.mark.usefixtures("engine_home")


def proxied(folder: Path, **options: Any) -> Any:
    """An editor of the engine process."""
    fake = {"log": str(folder / "asked.jsonl"), "folder": str(folder), "answer": "1"}
    os.environ["MIDLINE_FAKE"] = json.dumps(fake | options.pop("fake", {}))
    return editing(folder, *PROXY, **options)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIDLINE_FAKE", "{}")


def opened(client: RawClient, text: str = TEXT, uri: str = "file:///a.py") -> None:
    item = {"uri": uri, "languageId": "python", "version": 1, "text": text}
    client.send(notification("textDocument/didOpen", {"textDocument": item}))


def asking(id: Any, line: int = 1, character: int = 4) -> dict[str, Any]:
    where = {"line": line, "character": character}
    context = {"triggerKind": 1}
    document = {"uri": "file:///a.py"}
    params = {"textDocument": document, "position": where, "context": context}
    return request(id, "textDocument/inlineCompletion", params)


async def until_asked(editor: Editor, count: int) -> list[dict[str, Any]]:
    await asyncio.wait_for(editor.until_asked(count), 20)
    return editor.asked()


async def test_two_editors_share_one_process(tmp_path: Path) -> None:
    async with proxied(tmp_path) as one, proxied(tmp_path) as two:
        assert await one.ghost(one.open("x = \n"), 0, 4) == "1"
        assert await two.ghost(two.open("y = \n"), 0, 4) == "1"
        (report,) = reports()
        assert len(report["clients"]) == 2 and report["state"] == "ready"
        assert report["modelInMemory"] and report["memoryBytes"] > 0
        assert {client["documents"] for client in report["clients"]} == {1}
    loads = [line for line in _log(tmp_path) if "loaded qwen2.5-coder-0.5b" in line]
    assert len(loads) == 2  # each window has heard of it
    assert len(reports()) == 1  # it stays for the next window


async def test_many_windows_at_once_start_one_process(tmp_path: Path) -> None:
    async def window() -> str | None:
        async with proxied(tmp_path) as editor:
            return await editor.ghost(editor.open("x = \n"), 0, 4)

    assert await asyncio.gather(*(window() for _ in range(4))) == ["1"] * 4
    listening = [line for line in _log(tmp_path) if "listens at" in line]
    assert len(listening) == 1


async def test_a_killed_engine_costs_one_sentence(tmp_path: Path) -> None:
    async with proxied(tmp_path) as editor:
        uri = editor.open("x = \n")
        assert await editor.ghost(uri, 0, 4) == "1"
        editor.type(uri, 0, 4, "abc")
        editor.change(uri, replacement(0, 0, 0, 1, "yy"))
        assert await editor.ghost(uri, 0, 8) is not None
        os.kill(reports()[0]["pid"], signal.SIGKILL)
        while not editor.shown():
            await asyncio.sleep(0.01)
        before = len(editor.asked())
        while await editor.ghost(uri, 0, 8) is None:
            await asyncio.sleep(0.01)
        assert "yy = abc" in "".join(
            part for asked in editor.asked()[before:] for part in (asked["prompt"], asked["align"])
        )
        (sentence,) = editor.shown()
        assert "the engine process has ended and is started again" in sentence
        assert editor.client.error is None


async def test_pending_requests_are_answered_once_when_the_engine_dies(tmp_path: Path) -> None:
    fake = {"answer": "a, " * 300, "seconds": 0.05}
    os.environ["MIDLINE_FAKE"] = json.dumps(fake)
    async with raw_client(tmp_path, *PROXY, **fake) as client:
        opened(client)
        client.send(asking("pending"), request("odd", "midline/status"))
        (status,) = await client.answers(1)
        assert status["id"] == "odd" and set(status["result"]) >= {"state", "silent", "model"}
        os.kill(reports()[0]["pid"], signal.SIGKILL)
        (answer,) = await client.answers(1)
        assert (answer["id"], answer["result"]) == ("pending", {"items": []})
        after = await client.ask(request("after", "midline/status"))
        assert after["id"] == "after"
        assert await client.leave() == 0


async def test_the_socket_of_a_killed_engine_is_no_obstacle(tmp_path: Path) -> None:
    async with proxied(tmp_path) as editor:
        assert await editor.ghost(editor.open("x = \n"), 0, 4) == "1"
    shared_place().ended_note.touch()  # its spare ends with it
    os.kill(reports()[0]["pid"], signal.SIGKILL)
    while call(shared_place(), LSP) is not None:
        await asyncio.sleep(0.01)
    assert shared_place().socket.exists()
    async with proxied(tmp_path) as editor:
        assert await editor.ghost(editor.open("x = \n"), 0, 4) == "1"
        assert editor.shown() == []


async def test_the_process_ends_when_nobody_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIDLINE_ENGINE_SECONDS", "0.1")
    async with proxied(tmp_path) as editor:
        await asyncio.sleep(1.5)
        assert await editor.ghost(editor.open("x = \n"), 0, 4) == "1"
        pid = reports()[0]["pid"]
    while _runs(pid):
        await asyncio.sleep(0.02)
    assert reports() == []
    assert not shared_place().socket.exists()


async def test_another_model_is_loaded_for_all(tmp_path: Path) -> None:
    async with proxied(tmp_path) as one:
        uri = one.open("x = \n")
        assert await one.ghost(uri, 0, 4) == "1"
        other = {"model": "qwen2.5-coder-1.5b"}
        async with proxied(tmp_path, options=other) as two:
            assert await two.ghost(two.open("y = \n"), 0, 4) == "1"
            assert two.shown() == []
            assert reports()[0]["model"] == "qwen2.5-coder-1.5b"
            while not one.shown():
                await asyncio.sleep(0.01)
            assert "another window has loaded qwen2.5-coder-1.5b" in one.shown()[0]
            one.type(uri, 0, 4, "z")
            assert await one.ghost(uri, 0, 5) == "1"


async def test_without_a_place_for_the_socket_the_engine_is_the_editors_own(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "run").write_text("in the way")
    async with proxied(tmp_path) as editor:
        assert await editor.ghost(editor.open("x = \n"), 0, 4) == "1"
        (sentence,) = editor.shown()
        assert "a model of its own" in sentence and str(tmp_path / "home" / "run") in sentence
    assert reports() == []


async def test_leaving_has_the_status_that_the_protocol_wants(tmp_path: Path) -> None:
    async with raw_client(tmp_path, *PROXY) as client:
        assert await client.leave() == 0
    async with raw_client(tmp_path, *PROXY) as client:
        client.send(notification("exit"))
        assert await asyncio.wait_for(client.process.wait(), 20) == 1


async def test_the_proxy_ends_with_the_process_of_its_client(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    async with raw_client(tmp_path, *PROXY, ready=False) as client:
        assert "result" in await client.ask(initialize(processId=parent.pid))
        parent.communicate(b"\n")
        assert await asyncio.wait_for(client.process.wait(), 20) == 1


async def test_settings_are_there_after_a_restart(tmp_path: Path) -> None:
    can = capabilities()
    async with proxied(tmp_path, can=can, options={"disabledLanguages": ["python"]}) as editor:
        uri = editor.open("x = \n")
        assert await editor.ghost(uri, 0, 4) is None
        os.kill(reports()[0]["pid"], signal.SIGKILL)
        other = editor.open("x = \n", "file:///b.go", "go")
        while not editor.shown() or await editor.ghost(other, 0, 4) is None:
            await asyncio.sleep(0.01)
        assert await editor.ghost(uri, 0, 4) is None
        assert editor.statuses[-1]["silent"] == "language disabled"


def test_the_commands_say_what_is_there(tmp_path: Path) -> None:
    midline = [sys.executable, "-P", "-m", "midline.server.cli.main", "engine"]
    nothing = subprocess.run([*midline, "status", "--json"], capture_output=True, check=True)
    assert json.loads(nothing.stdout) == {"engines": []}
    process = subprocess.Popen([*midline, "run"])
    while not reports():
        assert process.poll() is None
    shown = subprocess.run([*midline, "status"], capture_output=True, text=True, check=True).stdout
    assert str(process.pid) in shown and "clients      0" in shown
    second = subprocess.run([*midline, "run"], timeout=20)
    assert second.returncode == 0 and len(reports()) == 1
    done = subprocess.run([*midline, "stop"], capture_output=True, text=True, check=True)
    assert done.stdout == f"process {process.pid} has ended\n"
    assert process.wait(10) == 0


def test_a_process_that_hangs_is_ended(tmp_path: Path) -> None:
    midline = [sys.executable, "-P", "-m", "midline.server.cli.main", "engine"]
    process = subprocess.Popen([*midline, "run"])
    while not reports():
        assert process.poll() is None
    process.send_signal(signal.SIGSTOP)
    found = subprocess.run([*midline, "status"], capture_output=True, text=True, check=True)
    assert "does not answer" in found.stdout
    waiter = subprocess.Popen([*midline, "stop"], stdout=subprocess.PIPE, text=True)
    assert process.wait(30) == -signal.SIGKILL
    assert waiter.communicate(timeout=20)[0] == f"process {process.pid} has ended\n"


def _runs(pid: int) -> bool:
    """Whether a process has not ended; one that has may wait for its new parent to collect it.

    Tests of the sandbox make this process the parent of every orphan.
    """
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _log(folder: Path) -> list[str]:
    path = folder / "home" / "logs" / "midline.log"
    return path.read_text("utf-8").splitlines()


def test_a_place_is_private(tmp_path: Path) -> None:
    place = shared_place()
    assert place == Place(tmp_path / "home" / "run", "engine")
