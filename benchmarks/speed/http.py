"""HTTP: throughput of clients that ask at once against one, and the first token of a stream.

Each client sends one request after the other, all with different prompts; rounds of one client and
of many are interleaved and paired. A stream's first token is timed twice: when the engine has drawn
it, and when the client has read it.
"""

import argparse
import asyncio
import json
import random
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any

from midline.benchmarks.speed import flags
from midline.benchmarks.speed.report import report
from midline.benchmarks.speed.workload import prompt_ids
from midline.model.engines.base import DrawnToken, Engine, Generation
from midline.model.engines.load import load_engine
from midline.model.errors import MidlineError
from midline.model.threads import thread_count
from midline.server.http.service import Service
from midline.server.http.serving import check_packages, http_server, listen
from midline.server.lsp.engine_thread import EngineThread

CLIENTS, TOKENS, CONTEXT, RUNS = 8, 64, 256, 5
STREAMS = 20
SEED = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the number of clients and the shape of their requests."""
    flags.add(parser, tokens=TOKENS, context=CONTEXT, runs=RUNS)
    parser.add_argument("--clients", type=int, default=CLIENTS, help=f"at once ({CLIENTS})")


def run(args: argparse.Namespace) -> int:
    """Serve in this process, ask, and print throughput and latency."""
    flags.check(args)
    check_packages()
    engine = load_engine(str(flags.model_path(args)), threads=thread_count(args.threads))
    engine.warm_up()
    with _served(engine) as server:
        found = {**_throughput(server, engine, args), **_first_tokens(server, engine, args)}
    return report("http", args, {"versions": {}, **found}, lines)


class _Server:
    """The server in a thread of its own; `drawn` are the times at which tokens were drawn, `spent`
    the milliseconds of the engine and its decoding steps since it was emptied.
    """

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.drawn: list[float] = []
        self.spent: Counter[str] = Counter()

    def ask(self, prompt: list[int], tokens: int) -> int:
        """The number of tokens of an answer."""
        connection = HTTPConnection(self.host, self.port, timeout=600)
        body = {"prompt": prompt, "max_tokens": tokens}
        connection.request("POST", "/v1/completions", json.dumps(body))
        answer = json.loads(connection.getresponse().read())
        connection.close()
        if "usage" not in answer:
            raise MidlineError(f"the server refused a request: {answer}")
        return int(answer["usage"]["completion_tokens"])

    def first_token(self, prompt: list[int]) -> tuple[float, float]:
        """Milliseconds from a request to its first token: drawn, and read by the client."""
        connection = HTTPConnection(self.host, self.port, timeout=600)
        body = {"prompt": prompt, "max_tokens": 8, "stream": True}
        self.drawn.clear()
        began = time.perf_counter()
        connection.request("POST", "/v1/completions", json.dumps(body))
        answer = connection.getresponse()
        answer.readline()
        read = time.perf_counter()
        answer.read()
        connection.close()
        return (self.drawn[0] - began) * 1e3, (read - began) * 1e3


@contextmanager
def _served(engine: Engine) -> Iterator[_Server]:
    thread = EngineThread()
    thread.load(lambda: engine).result()
    service = Service(thread)
    web = http_server(service, "127.0.0.1", None, takes_signals=False)
    with listen("127.0.0.1", 0) as listening:
        server = _Server(*listening.getsockname()[:2])
        _note_tokens(engine, server)
        running = threading.Thread(target=lambda: asyncio.run(web.serve(sockets=[listening])))
        running.start()
        try:
            yield server
        finally:
            web.should_exit = True
            running.join()
            service.close()
            thread.close(10)


def _note_tokens(engine: Engine, server: _Server) -> None:
    """Have the engine note when each token is drawn, before anybody else hears of it."""
    batch = engine.batch

    def noting(*requests: Any, on_token: Any = None, **how: Any) -> Any:
        def hear(token: DrawnToken) -> None:
            server.drawn.append(time.perf_counter())
            if on_token is not None:
                on_token(token)

        found: list[Generation] = batch(*requests, on_token=hear, **how)
        timings = found[-1].timings
        server.spent["prefill_us"] += round(1000 * timings.prefill_ms)
        server.spent["decode_us"] += round(1000 * timings.decode_ms)
        server.spent["steps"] += found[-1].passes
        return found

    engine.batch = noting  # type: ignore[method-assign]


def _prompts(engine: Engine, context: int) -> Iterator[list[int]]:
    """Prompts of so many tokens that differ from their first token on."""
    ids = prompt_ids(engine.tokenizer, 8192)
    dice = random.Random(SEED)
    while True:
        start = dice.randrange(len(ids) - context)
        yield [int(id) for id in ids[start : start + context]]


def _throughput(server: _Server, engine: Engine, args: argparse.Namespace) -> dict[str, Any]:
    """Tokens per second of one client and of many, by turns, and the ratio of each pair."""
    prompts = _prompts(engine, args.context)
    many = args.clients
    server.ask(next(prompts), args.tokens)
    rates: dict[str, list[float]] = {"one": [], "many": []}
    spent = {name: Counter[str]() for name in rates}
    for number in range(args.runs):
        for name in ("one", "many") if number % 2 else ("many", "one"):
            clients = many if name == "many" else 1
            asked = [next(prompts) for _ in range(2 * many)]
            server.spent.clear()
            began = time.perf_counter()
            with ThreadPoolExecutor(clients) as pool:
                written = sum(pool.map(lambda prompt: server.ask(prompt, args.tokens), asked))
            rates[name].append(written / (time.perf_counter() - began))
            spent[name] += server.spent
    ratios = [m / o for m, o in zip(rates["many"], rates["one"], strict=True)]
    return {
        "clients": many,
        "tokens": args.tokens,
        "context": args.context,
        "tokens_per_second": rates,
        "ratios": ratios,
        "ratio": statistics.median(ratios),
        "spent": {name: _shares(found) for name, found in spent.items()},
    }


def _shares(spent: Counter[str]) -> dict[str, float]:
    """What part of the engine's time reading prompts takes, and how long a decoding step does."""
    return {
        "prefill_share": spent["prefill_us"] / (spent["prefill_us"] + spent["decode_us"]),
        "step_ms": spent["decode_us"] / 1000 / max(1, spent["steps"]),
    }


def _first_tokens(server: _Server, engine: Engine, args: argparse.Namespace) -> dict[str, Any]:
    """What the way from the engine to the client adds to a stream's first token."""
    prompts = _prompts(engine, args.context)
    times = [server.first_token(next(prompts)) for _ in range(STREAMS)]
    added = [read - drawn for drawn, read in times]
    return {
        "first_token_ms": {
            "drawn": [drawn for drawn, _ in times],
            "read": [read for _, read in times],
        },
        "added_ms_median": statistics.median(added),
        "added_ms_most": max(added),
    }


def lines(result: dict[str, Any]) -> list[str]:
    """The result as printed."""
    rates = {name: statistics.median(each) for name, each in result["tokens_per_second"].items()}
    return [
        f"{result['clients']} clients {rates['many']:.1f} tokens/s, one {rates['one']:.1f}: "
        f"{result['ratio']:.2f}x (median of {len(result['ratios'])} pairs)",
        "; ".join(
            f"{name}: prompts take {100 * each['prefill_share']:.0f}% of the engine's time, a "
            f"decoding step {each['step_ms']:.1f} ms"
            for name, each in result["spent"].items()
        ),
        f"first token of a stream: {result['added_ms_median']:.1f} ms after the engine has drawn "
        f"it (median), at most {result['added_ms_most']:.1f} ms",
    ]
