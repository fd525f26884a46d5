"""A storm from three windows at one engine process: each request of each answered once."""

import asyncio
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attack.storm.test_storm import URIS, asked, storm
from raw_client import RawClient, notification, raw_client

from midline.server.daemon.control import reports, stop

PROXY = (sys.executable, "-P", str(Path(__file__).parents[2] / "fake_proxy.py"))
FAKE: dict[str, Any] = {"answer": "return a", "seconds": 0.0005}
WINDOWS = 3
MOST_GROWTH = 0.05
"""Of the engine process's memory in a storm."""


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MIDLINE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MIDLINE_ENGINE_SECONDS", "20")
    fake = {"log": str(tmp_path / "asked.jsonl"), "folder": str(tmp_path), **FAKE}
    monkeypatch.setenv("MIDLINE_FAKE", json.dumps(fake))
    yield
    assert all(report["ended"] for report in stop())


async def stormed(folder: Path, seed: int, changes: int, requests: int) -> tuple[int, float]:
    """How many requests of a window were not answered exactly once, and the seconds from the last
    thing sent to the last answer."""
    async with raw_client(folder, *PROXY, **FAKE) as client:
        for uri in URIS:
            item = {"uri": uri, "languageId": "python", "version": 0, "text": "def f(a):\n    \n"}
            client.send(notification("textDocument/didOpen", {"textDocument": item}))
        ended: list[float] = []
        sending = asyncio.ensure_future(storm(client, random.Random(seed), changes, requests))
        sending.add_done_callback(lambda _: ended.append(time.monotonic()))
        found = await _answers(client, requests)
        answered = time.monotonic()
        await sending
        calm = await client.ask(asked("calm", URIS[0], 0, 0, kind=1))
        assert "items" in calm["result"]
        assert await client.leave() == 0
    wrong = sum(1 for id in range(requests) if found[id] != 1)
    return wrong, max(0.0, answered - ended[0])


async def _answers(client: RawClient, requests: int) -> Counter[Any]:
    found: Counter[Any] = Counter()
    async with asyncio.timeout(1500):
        async for message in client.messages():
            if "method" not in message:
                found[message["id"]] += 1
            if sum(found.values()) == requests:
                break
    return found


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("changes", "requests"),
    [(300, 60), pytest.param(10_000, 2_000, marks=pytest.mark.attack)],
)
async def test_each_request_of_three_windows_is_answered_once(
    tmp_path: Path, changes: int, requests: int, tally: Callable[..., None]
) -> None:
    for turn in range(2):  # memory is compared with that of a process that has had as many windows
        if turn == 1:
            before = reports()[0]["memoryBytes"]
        seeds = range(turn * WINDOWS, (turn + 1) * WINDOWS)
        found = await asyncio.gather(
            *(stormed(tmp_path, seed, changes, requests) for seed in seeds)
        )
    wrong = [count for count, _ in found]
    (report,) = reports()
    assert report["clients"] == [] and report["pid"] != os.getpid()
    growth, last = report["memoryBytes"] / before - 1, max(seconds for _, seconds in found)
    said = f"{WINDOWS * requests:,} requests, each answered once; memory {100 * growth:+.1f}%"
    tally("a storm of three windows at one engine", WINDOWS * (changes + requests), sum(wrong),
          said, growth=growth, last_seconds=last)  # fmt: skip
    assert wrong == [0] * WINDOWS
    assert growth < MOST_GROWTH
