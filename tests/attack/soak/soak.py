"""A soak: the real server with a real model, typed at for minutes, and its memory all the while.

Memory grows as the prefix cache fills and ends where as much is kept as may be, since its pages are
all that is kept of what was read: `limit` is what the process had before the first prompt, the
whole cache, and room for what else an hour of work leaves behind.

The server of qwen2.5-coder-0.5b grew from 628 to 870 MB within four minutes of jumping about, as
its cache of 252 MB filled, and by 3 MB in the five minutes after that.

    make soak ARGS="--minutes 10 --model qwen2.5-coder-0.5b"
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from raw_client import RawClient, initialize, notification, raw_client, request

from midline.model.catalog.catalog import DEFAULT_MODEL, resolve
from midline.model.runtime.decoder import KEPT_BYTES, LEAST_KEPT_TOKENS
from midline.model.weights.config import read_config
from midline.model.weights.gguf import read_gguf
from midline.server.daemon.control import reports, stop

ROOM_BYTES = 80 << 20
"""For documents, Python's heap and the buffers of steps: a tenth of it is used in ten minutes."""
SERVE = (sys.executable, "-P", "-m", "midline.server.cli.main", "serve")
OWN = (*SERVE, "--own")
SOURCES = Path(__file__).resolve().parents[3]
PATIENCE = 600.0
"""Seconds to wait for an answer: the first one waits until the weights are packed."""


@dataclass(frozen=True)
class Pace:
    """Keys typed at a place, and seconds from an answer to the next key."""

    keys: int = 4
    seconds: float = 0.05


TYPING = Pace(40, 0.15)
"""As a person types."""


@dataclass(frozen=True)
class Sample:
    """Seconds since the model was loaded, answers so far, and resident bytes."""

    seconds: float
    answers: int
    resident: int


def cache_bytes(model: str) -> int:
    """What the prefix cache of a model keeps when it is full."""
    config = read_config(read_gguf(resolve(model)))
    return max(KEPT_BYTES, config.kv_bytes_per_token * LEAST_KEPT_TOKENS)


def resident_bytes(process_id: int) -> int:
    for line in Path(f"/proc/{process_id}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ValueError("the process has ended")


async def soak(
    model: str,
    minutes: float,
    interval: float,
    folder: Path,
    pace: Pace = Pace(),
    command: Sequence[str] = OWN,
) -> list[Sample]:
    """Type at random places of Midline's own sources; samples every `interval` seconds, printed.

    Of `SERVE`, memory is that of the engine process and of the window's together.
    """
    with mock.patch.dict(os.environ, MIDLINE_HOME=str(folder / "home")):
        return await _soak(model, 60 * minutes, interval, folder, pace, command)


async def _soak(
    model: str, seconds: float, interval: float, folder: Path, pace: Pace, command: Sequence[str]
) -> list[Sample]:
    texts = [p.read_text("utf-8") for p in sorted(SOURCES.glob("[ms]*/**/*.py"))]
    draw = random.Random(7)
    async with _server(model, folder, OWN) as client:
        assert await client.leave() == 0  # the weights are packed, which takes memory of its own
    async with _server(model, folder, command) as client:
        processes = [client.process.pid, *(report["pid"] for report in reports())]
        began, answers = time.monotonic(), 0
        samples = [Sample(0.0, 0, sum(map(resident_bytes, processes)))]
        while (passed := time.monotonic() - began) < seconds:
            if passed - samples[-1].seconds >= interval:
                samples.append(Sample(passed, answers, sum(map(resident_bytes, processes))))
                print(samples[-1], file=sys.stderr, flush=True)
            answers += await _type_somewhere(client, draw, draw.choice(texts), answers, pace)
        samples.append(Sample(passed, answers, sum(map(resident_bytes, processes))))
        assert await client.leave() == 0
    assert all(report["ended"] for report in stop())
    return samples


@asynccontextmanager
async def _server(model: str, folder: Path, command: Sequence[str]) -> AsyncIterator[RawClient]:
    """A client of the real server, whose model is loaded."""
    async with raw_client(folder, *command, ready=False) as client:
        options = {"model": model, "maxTokens": 16}
        assert "result" in await client.ask(initialize(0, initializationOptions=options))
        client.send(notification("initialized", {}))
        await _open(client, "file:///first.py", "x = 1\n")
        await _ask(client, 1, "file:///first.py", 0, 5)
        yield client


async def _open(client: RawClient, uri: str, text: str) -> None:
    item = {"uri": uri, "languageId": "python", "version": 0, "text": text}
    client.send(notification("textDocument/didOpen", {"textDocument": item}))


async def _ask(client: RawClient, id: Any, uri: str, line: int, character: int) -> None:
    where = {"line": line, "character": character}
    params = {"textDocument": {"uri": uri}, "position": where, "context": {"triggerKind": 2}}
    answer = await client.ask(request(id, "textDocument/inlineCompletion", params), PATIENCE)
    assert "result" in answer, answer


async def _type_somewhere(
    client: RawClient, draw: random.Random, text: str, number: int, pace: Pace
) -> int:
    """Open a document, type into one of its lines and close it; how many answers came."""
    uri, lines = f"file:///project/{number}.py", text.split("\n")
    line = draw.randrange(len(lines))
    await _open(client, uri, text)
    for key in range(pace.keys):
        edge = {"line": line, "character": key}
        change = {"range": {"start": edge, "end": edge}, "text": draw.choice("abcdefg_ (=")}
        document = {"uri": uri, "version": key + 1}
        client.send(
            notification(
                "textDocument/didChange", {"textDocument": document, "contentChanges": [change]}
            )
        )
        await _ask(client, f"{number}-{key}", uri, line, key + 1)
        await asyncio.sleep(pace.seconds)
    client.send(notification("textDocument/didClose", {"textDocument": {"uri": uri}}))
    return pace.keys


def report(samples: list[Sample], cache: int) -> list[str]:
    """The table, and where memory may end."""
    lines = ["minutes  answers  resident MB  grown MB"]
    for sample in samples:
        grown = (sample.resident - samples[0].resident) / 1e6
        lines.append(
            f"{sample.seconds / 60:7.1f}  {sample.answers:7}  {sample.resident / 1e6:11.0f}  "
            f"{grown:8.0f}"
        )
    half = [s for s in samples if s.seconds >= samples[-1].seconds / 2]
    minutes = max(half[-1].seconds - half[0].seconds, 1e-9) / 60
    rate = (half[-1].resident - half[0].resident) / 1e6 / minutes
    limit = samples[0].resident + cache + ROOM_BYTES
    lines.append(
        f"{rate:.1f} MB a minute in the second half; the full cache has {cache / 1e6:.0f} MB"
    )
    lines.append(f"{100 * settled_growth(samples):+.1f}% since the first tenth of the time")
    lines.append(
        f"at most {limit / 1e6:.0f} MB: {'kept' if is_bounded(samples, cache) else 'MISSED'}"
    )
    return lines


def settled(samples: list[Sample]) -> Sample:
    """The first sample in the second tenth of the time, when the cache is full."""
    return next(s for s in samples if s.seconds >= samples[-1].seconds / 10)


def settled_growth(samples: list[Sample]) -> float:
    """Resident memory at the end in relation to that of `settled`."""
    return samples[-1].resident / settled(samples).resident - 1


def is_bounded(samples: list[Sample], cache: int) -> bool:
    """Whether memory stayed below what the full cache explains."""
    return max(s.resident for s in samples) <= samples[0].resident + cache + ROOM_BYTES


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--typing", action="store_true", help="as a person, at an engine process")
    parser.add_argument("--interval", type=float, default=15.0, help="seconds between two samples")
    args = parser.parse_args()
    model, cache = str(resolve(args.model)), cache_bytes(args.model)
    with tempfile.TemporaryDirectory() as folder:
        pace = TYPING if args.typing else Pace()
        command = SERVE if args.typing else OWN
        samples = asyncio.run(soak(model, args.minutes, args.interval, Path(folder), pace, command))
    print("\n".join(report(samples, cache)))
    return 0 if is_bounded(samples, cache) else 1


if __name__ == "__main__":
    raise SystemExit(main())
