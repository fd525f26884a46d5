"""kill -9 of engine process, proxy and editor: the others go on, and nothing stays behind."""

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import filelock
import pytest
from raw_client import RawClient, notification, raw_client
from wire import asking

from midline.server.daemon.control import reports, stop
from midline.server.daemon.places import shared_place

TESTS = Path(__file__).parents[2]
PROXY = (sys.executable, "-P", str(TESTS / "fake_proxy.py"))
EDITOR = (sys.executable, "-P", str(Path(__file__).with_name("editor_process.py")), *PROXY)
URI = "file:///a.py"
FAKE = {"answer": "return a", "seconds": 0.001}
SECONDS = 30.0


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MIDLINE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MIDLINE_ENGINE_SECONDS", "20")
    fake = {"log": str(tmp_path / "asked.jsonl"), "folder": str(tmp_path), **FAKE}
    monkeypatch.setenv("MIDLINE_FAKE", json.dumps(fake))
    yield
    stop()


@dataclass
class Window:
    """A window that asks again and again; every request is to be answered once."""

    client: RawClient
    asked: int = 0
    answered: list[Any] = field(default_factory=list)
    last: Any = None
    listening: "asyncio.Task[None] | None" = None

    async def listen(self) -> None:
        async for message in self.client.messages():
            if "method" not in message:
                self.answered.append(message["id"])
                self.last = message

    async def ask(self) -> Any:
        """The answer to one more request."""
        id, self.asked = f"ask-{self.asked}", self.asked + 1
        self.client.send(asking(id, URI, 1, 4, kind=1))
        async with asyncio.timeout(SECONDS):
            while id not in self.answered[-8:]:
                await asyncio.sleep(0.002)
        return self.last.get("result")

    async def until_served(self) -> float:
        """Seconds until an answer has a text."""
        began = time.monotonic()
        while not ((await self.ask()) or {}).get("items"):
            assert time.monotonic() - began < SECONDS
            await asyncio.sleep(0.01)
        return time.monotonic() - began


@asynccontextmanager
async def window(folder: Path) -> AsyncIterator[Window]:
    async with raw_client(folder, *PROXY, **FAKE) as client:
        text = "def f(a):\n    \n"
        item = {"uri": URI, "languageId": "python", "version": 1, "text": text}
        client.send(notification("textDocument/didOpen", {"textDocument": item}))
        found = Window(client)
        found.listening = asyncio.ensure_future(found.listen())
        try:
            yield found
        finally:
            found.listening.cancel()


def kill_engine() -> None:
    for report in reports():
        os.kill(report["pid"], signal.SIGKILL)


async def kill_editor(draw: random.Random) -> None:
    """Begin an editor with a proxy of its own, and kill it a moment later."""
    editor = await asyncio.create_subprocess_exec(*EDITOR)
    await asyncio.sleep(draw.random() * 0.5)
    editor.kill()
    await editor.wait()


def left_behind(folder: Path) -> list[int]:
    """Processes whose home is the test's, this one left out."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes()
        except OSError:
            continue
        if f"MIDLINE_HOME={folder / 'home'}\0".encode() in environment:
            found.append(int(process.name))
    return [pid for pid in found if pid != os.getpid()]


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes by /proc")
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("seed", "rounds"), [(1, 6), pytest.param(2, 200, marks=pytest.mark.attack)]
)
async def test_a_kill_costs_only_what_was_killed(
    tmp_path: Path, seed: int, rounds: int, tally: Callable[..., None]
) -> None:
    draw, slowest, lost = random.Random(seed), 0.0, 0
    async with AsyncExitStack() as stack:
        steady = await stack.enter_async_context(window(tmp_path))
        await steady.until_served()
        for number in range(rounds):
            kind = ("engine", "proxy", "editor")[number % 3]
            asking_on = asyncio.ensure_future(steady.ask())
            await asyncio.sleep(draw.random() * 0.1)
            if kind == "engine":
                kill_engine()
            elif kind == "editor":
                await kill_editor(draw)
            else:
                async with window(tmp_path) as other:
                    await asyncio.sleep(draw.random() * 0.2)
                    other.client.process.kill()
            await asking_on
            slowest = max(slowest, await steady.until_served())
        lost = steady.asked - len({*steady.answered})
        twice = len(steady.answered) - len({*steady.answered})
        assert (lost, twice) == (0, 0)
        assert steady.listening is not None
        steady.listening.cancel()
        await asyncio.gather(steady.listening, return_exceptions=True)
        assert await steady.client.leave() == 0
    await until_gone(tmp_path)
    tally(
        "kill -9",
        rounds,
        lost,
        f"of engine, proxy and editor; back after {slowest:.2f} s at most",
        most_seconds=slowest,
    )


async def until_gone(folder: Path) -> None:
    """Until no process is left, the engine process included, whose lock is free then."""
    stop()
    async with asyncio.timeout(SECONDS):
        while left_behind(folder):
            await asyncio.sleep(0.05)
    lock = filelock.FileLock(shared_place().owner_lock)
    lock.acquire(timeout=SECONDS)
    lock.release()
    assert reports() == []
