"""A storm of edits, requests and cancellations: each request answered once, and calm behind it."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from raw_client import RawClient, notification, raw_client, request

INLINE = "textDocument/inlineCompletion"
URIS = [f"file:///{letter}.py" for letter in "abcde"]


def asked(id: Any, uri: str, line: int, character: int, kind: int = 2) -> dict[str, Any]:
    where = {"line": line, "character": character}
    context = {"triggerKind": kind}
    return request(
        id, INLINE, {"textDocument": {"uri": uri}, "position": where, "context": context}
    )


def edit(draw: random.Random, uri: str, version: int) -> dict[str, Any]:
    """A key, a line, a pasted piece, a deletion, or all of the text anew."""
    start = {"line": draw.randrange(6), "character": draw.randrange(12)}
    end = {**start, "character": start["character"] + draw.choice((0, 0, 0, 3, 40))}
    text = draw.choice(("x", "return ", "\n", "def f(a):\n    ", "é😀", ""))
    change: dict[str, Any] = {"range": {"start": start, "end": end}, "text": text}
    if draw.random() < 0.05:
        change = {"text": "def f(a):\n    return a\n" * draw.randrange(4)}
    document = {"uri": uri, "version": version}
    return notification(
        "textDocument/didChange", {"textDocument": document, "contentChanges": [change]}
    )


async def storm(client: RawClient, draw: random.Random, changes: int, requests: int) -> None:
    """Send it all as fast as the server reads."""
    moments = ["change"] * changes + ["ask"] * requests
    draw.shuffle(moments)
    sent = 0
    for number, moment in enumerate(moments):
        uri = draw.choice(URIS)
        if moment == "change":
            client.send(edit(draw, uri, number))
        else:
            kind = draw.choice((1, 2, 2, 2))
            client.send(asked(sent, uri, draw.randrange(6), draw.randrange(12), kind))
            sent += 1
        if draw.random() < 0.08 and sent:
            client.send(notification("$/cancelRequest", {"id": draw.randrange(sent)}))
        if number % 50 == 0:
            assert client.process.stdin is not None
            await client.process.stdin.drain()


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("seed", "changes", "requests"),
    [(1, 1_000, 200), pytest.param(2, 10_000, 2_000, marks=pytest.mark.attack)],
)
async def test_each_request_of_a_storm_is_answered_once(
    tmp_path: Path, seed: int, changes: int, requests: int, tally: Callable[..., None]
) -> None:
    async with raw_client(tmp_path, answer="return a", seconds=0.0005) as client:
        for uri in URIS:
            item = {"uri": uri, "languageId": "python", "version": 0, "text": "def f(a):\n    \n"}
            client.send(notification("textDocument/didOpen", {"textDocument": item}))
        sending = asyncio.ensure_future(storm(client, random.Random(seed), changes, requests))
        found: Counter[Any] = Counter()
        async with asyncio.timeout(1500):
            async for message in client.messages():
                if "method" not in message:
                    found[message["id"]] += 1
                if sum(found.values()) == requests:
                    break
        await sending
        item = {"uri": "file:///calm.py", "languageId": "python", "version": 0, "text": "x = \n"}
        client.send(notification("textDocument/didOpen", {"textDocument": item}))
        calm = await client.ask(asked("calm", "file:///calm.py", 0, 4, kind=1))
        wrong = sum(1 for id in range(requests) if found[id] != 1)
        tally("a storm of edits and requests", changes + requests, wrong,
              f"{requests:,} requests, each answered once")  # fmt: skip
        assert wrong == 0 and len(found) == requests
        assert calm["result"]["items"][0]["insertText"].startswith("return a")
        assert await client.leave() == 0
