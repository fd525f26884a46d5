"""HTTP by the engine process of the editors: one model, and back after a crash."""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest
from raw_client import RawClient, initialize, notification, raw_client, request

from midline.server.daemon.control import described, reports

pytest.importorskip("starlette", reason="the extra `http` is not installed")
pytest.importorskip("uvicorn", reason="the extra `http` is not installed")
pytest.importorskip("prometheus_client", reason="the extra `http` is not installed")

MIDLINE = (sys.executable, "-P", "-m", "midline.server.cli.main")
PROMPT = {"prompt": "def f(", "max_tokens": 3}

pytestmark = pytest.mark.usefixtures("engine_home")


@asynccontextmanager
async def served(*words: str) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """A server's address and process, ended by an interrupt."""
    process = await asyncio.create_subprocess_exec(
        *MIDLINE, "serve", "--http", "127.0.0.1:0", *words, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        line = (await asyncio.wait_for(process.stderr.readline(), 30)).decode()
        found = re.search(r"serving (http://127\.0\.0\.1:\d+)", line)
        assert found is not None, line
        yield found[1], process
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), 30) in (0, 130)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def answered(url: str, body: dict[str, Any] = PROMPT) -> dict[str, Any]:
    """The answer to a completion request."""

    def ask() -> Any:
        with urlopen(Request(f"{url}/v1/completions", json.dumps(body).encode()), timeout=60) as a:
            return json.loads(a.read())

    return await asyncio.to_thread(ask)


async def answered_again(url: str) -> dict[str, Any]:
    """The answer as soon as there is one: what was under way in a crash is lost."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await answered(url)
            except (URLError, ConnectionError):
                await asyncio.sleep(0.05)


async def test_editors_and_http_clients_share_one_model(tiny_qwen2: Path, tmp_path: Path) -> None:
    options = {"model": str(tiny_qwen2), "threads": 1, "maxTokens": 4}
    async with AsyncExitStack() as stack:
        command = (*MIDLINE, "serve")
        editor = await stack.enter_async_context(raw_client(tmp_path, *command, ready=False))
        await editor.ask(initialize(1, initializationOptions=options))
        editor.send(notification("initialized", {}))
        while reports()[0]["model"] != str(tiny_qwen2):  # what HTTP takes then
            await asyncio.sleep(0.02)
        url, _ = await stack.enter_async_context(served())
        assert (await answered(url))["model"] == tiny_qwen2.stem
        status = await editor.ask(request(2, "midline/status"))
        assert status["result"]["state"] == "ready"
        (report,) = reports()
        assert len(report["clients"]) == 2
        shown = described(report)
        assert f"HTTP at {url.removeprefix('http://')}" in shown and "0 requests" in shown
        log = (tmp_path / "home" / "logs" / "midline.log").read_text()
        assert "the engine process listens" in log
        assert await editor.leave() == 0
    async with asyncio.timeout(30):
        while reports()[0]["clients"]:
            await asyncio.sleep(0.02)


async def test_the_model_that_http_asks_for_is_loaded_for_all(tiny_qwen2: Path) -> None:
    async with served("--model", str(tiny_qwen2), "--threads", "1") as (url, _):
        assert (await answered(url))["model"] == tiny_qwen2.stem
        async with served() as (other, _):  # takes what there is
            assert (await answered(other))["model"] == tiny_qwen2.stem
            assert [len(report["clients"]) for report in reports()] == [2]


async def test_another_engine_process_serves_after_a_crash(tiny_qwen2: Path) -> None:
    async with served("--model", str(tiny_qwen2), "--threads", "1") as (url, process):
        before = await answered(url)
        first = reports()[0]["pid"]
        os.kill(first, signal.SIGKILL)
        after = await answered_again(url)
        assert after["choices"] == before["choices"]
        assert reports()[0]["pid"] != first and process.returncode is None


async def test_a_token_is_asked_for_by_the_engine_process(
    tiny_qwen2: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIDLINE_HTTP_TOKEN", "x" * 20)
    async with served("--model", str(tiny_qwen2), "--threads", "1") as (url, _):
        with pytest.raises(URLError, match="401"):
            await answered(url)


@asynccontextmanager
async def editing(folder: Path, **options: Any) -> AsyncIterator[RawClient]:
    """An editor with settings, and what it was told in `said`."""
    async with raw_client(folder, *MIDLINE, "serve", ready=False) as editor:
        await editor.ask(initialize(1, initializationOptions=options))
        editor.send(notification("initialized", {}))
        yield editor
        assert await editor.leave() == 0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


async def is_served(url: str, wanted: bool) -> None:
    """Return once HTTP is served there, or no longer."""

    def health() -> bool:
        try:
            return bool(urlopen(f"{url}/health", timeout=5).status)
        except HTTPError:
            return True  # while the model is being loaded
        except OSError:
            return False

    async with asyncio.timeout(30):
        while await asyncio.to_thread(health) != wanted:
            await asyncio.sleep(0.05)


async def test_a_setting_has_the_engine_process_serve(tiny_qwen2: Path, tmp_path: Path) -> None:
    options = {"model": str(tiny_qwen2), "threads": 1, "maxTokens": 4}
    first, second = free_port(), free_port()
    urls = [f"http://127.0.0.1:{port}" for port in (first, second)]
    async with editing(tmp_path, **options, http=f"127.0.0.1:{first}") as editor:
        await is_served(urls[0], True)
        assert (await answered_again(urls[0]))["model"] == tiny_qwen2.stem
        assert reports()[0]["http"] == f"127.0.0.1:{first}"
        assert len(reports()[0]["clients"]) == 1  # it keeps no process
        os.kill(reports()[0]["pid"], signal.SIGKILL)
        await is_served(urls[0], False)
        await is_served(urls[0], True)
        for settings, places in ({"http": str(second)}, (False, True)), ({}, (False, False)):
            changed = {"settings": {"midline": {**options, **settings}}}
            editor.send(notification("workspace/didChangeConfiguration", changed))
            for url, wanted in zip(urls, places, strict=True):
                await is_served(url, wanted)
        assert reports()[0]["http"] is None


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("127.0.0.1", "midline.http is '127.0.0.1' and should be an address of the form"),
        ("0.0.0.0:0", "0.0.0.0 is reached by other machines: write a token"),
        ("taken", "cannot listen on 127.0.0.1:"),
    ],
)
async def test_an_address_that_cannot_be_served_is_said_once(
    tiny_qwen2: Path, tmp_path: Path, address: str, reason: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}" if address == "taken" else address
        options = {"model": str(tiny_qwen2), "threads": 1}
        async with editing(tmp_path, **options) as editor:
            settings = {"settings": {"midline": {**options, "http": address}}}
            editor.send(notification("workspace/didChangeConfiguration", settings))
            said: list[str] = []
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(4):
                    async for message in editor.messages():
                        if message.get("method") == "window/showMessage":
                            said.append(message["params"]["message"])
            assert [sentence for sentence in said if reason in sentence] == said[:1] != []


async def test_options_that_make_no_sense_are_a_sentence(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *MIDLINE, "serve", "--http", "127.0.0.1:0", "--threads", "9999",
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, said = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1 and b"threads is 9999 and should be" in said
