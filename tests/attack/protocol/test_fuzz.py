"""A client that sends anything: every request is answered once, and the server ends as asked."""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from attack.protocol.fuzzed_messages import NOTHING, fuzzed_messages
from raw_client import raw_client, request

CHUNK = 500


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("seed", "count"), [(1, 4_000), pytest.param(2, 100_000, marks=pytest.mark.attack)]
)
async def test_every_request_is_answered_exactly_once(
    tmp_path: Path, seed: int, count: int, tally: Callable[..., None]
) -> None:
    wanted: Counter[object] = Counter()
    found: Counter[object] = Counter()
    async with raw_client(tmp_path, answer="pass", seconds=0.0) as client:

        async def listen() -> None:
            async for message in client.messages():
                if "method" not in message:
                    found[message["id"]] += 1
                if message.get("id") == "the last":
                    return

        listening = asyncio.ensure_future(listen())
        for number, sent in enumerate(fuzzed_messages(seed, count)):
            client.write(sent.data)
            if sent.answer is not NOTHING:
                wanted[sent.answer] += 1
            if number % CHUNK == 0:
                assert client.process.stdin is not None
                await client.process.stdin.drain()
        client.write(b"\r\n")
        client.send(request("the last", "no/such"))
        wanted["the last"] += 1
        await asyncio.wait_for(listening, 1500)
        # What was asked last may be answered after it: requests in the engine's hands.
        late = sum((wanted - found).values())
        for answer in await client.answers(late):
            found[answer["id"]] += 1
        missing, surplus = wanted - found, found - wanted
        tally("fuzzed LSP messages", count, sum(missing.values()) + sum(surplus.values()),
              f"{sum(wanted.values()):,} requests, each answered once")  # fmt: skip
        assert not missing and not surplus
        assert await client.leave() == 0
