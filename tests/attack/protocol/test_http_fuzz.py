"""Bytes of every kind at the HTTP port: each is answered or dropped, and the server goes on."""

import json
import random
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra `http` is not installed")
pytest.importorskip("uvicorn", reason="the extra `http` is not installed")
pytest.importorskip("prometheus_client", reason="the extra `http` is not installed")

from attack.protocol.fuzzed_messages import JUNK
from fake_engine import FakeEngine
from http_server import HttpServer, http_server

from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf

PATHS = ("/v1/completions", "/v1/chat/completions", "/infill", "/v1/models", "/health", "/metrics")
FIELDS = (
    *(
        "prompt",
        "suffix",
        "messages",
        "n",
        "stop",
        "max_tokens",
        "n_predict",
        "temperature",
        "seed",
    ),
    *(
        "top_p",
        "stream",
        "logprobs",
        "raw",
        "input_prefix",
        "input_suffix",
        "input_extra",
        "n_cmpl",
    ),
    *("n_indent", "t_max_predict_ms", "t_max_prompt_ms", "response_fields", "filename", "language"),
    *("stream_options", "echo", "samplers", "model", "no such field", "seed", "n_cmpl"),
)
BODIES: tuple[dict[str, Any], ...] = (
    {"prompt": "def f(", "max_tokens": 4},
    {"prompt": ["a", "b"], "n": 2, "stop": ["\n"]},
    {"messages": [{"role": "user", "content": "hello"}], "stream": True},
    {"input_prefix": "x = ", "input_suffix": "\n", "n_predict": 8},
    {"prompt": "a", "suffix": "b", "filename": "a.py", "logprobs": 1},
)
HEADERS = (
    *(b"Host: localhost", b"Host: evil.example", b"Host:", b"Origin: http://evil.example"),
    *(b"Content-Length: 5", b"Content-Length: -1", b"Content-Length: 99999999999999999999"),
    *(b"Transfer-Encoding: chunked", b"Transfer-Encoding: odd", b"Expect: 100-continue"),
    *(
        b"Connection: close",
        b"Connection: upgrade",
        b"Upgrade: websocket",
        b"Authorization: Bearer",
    ),
    *(
        b"\x00: \xff",
        b"A" * 9000 + b": b",
        b"Content-Type: text/plain",
        b"Sec-Fetch-Site: same-site",
    ),
)
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
"""What comes in front of an answer to `Expect: 100-continue`."""
_REFUSED = {400, 401, 403, 404, 405, 408, 411, 413, 417, 422, 431, 501, 505}


@pytest.fixture
def server(tiny_qwen2: Path) -> Iterator[HttpServer]:
    tokenizer = Tokenizer.from_gguf(read_gguf(tiny_qwen2))
    with http_server(lambda: FakeEngine(tokenizer, lambda prompt: "pass\n")) as running:
        yield running


def inputs(seed: int, count: int) -> Iterator[tuple[bytes, bool]]:
    """What is sent, and whether it is a whole request that has to be answered."""
    draw = random.Random(seed)
    for _ in range(count):
        kind = draw.random()
        if kind < 0.1:
            yield draw.randbytes(draw.randrange(1, 200)), False
        elif kind < 0.6:
            yield _request(draw, _body(draw)), True
        else:
            whole = bytearray(_request(draw, _body(draw), draw.sample(HEADERS, draw.randrange(4))))
            if draw.random() < 0.5:
                del whole[draw.randrange(len(whole)) :]
            for _ in range(draw.choice((0, 0, 1, 3))):
                at = draw.randrange(max(1, len(whole)))
                whole[at : at + draw.randrange(3)] = draw.randbytes(draw.randrange(3))
            yield bytes(whole) or b"\r\n", False


def _body(draw: random.Random) -> bytes:
    """A request's object with some fields changed, or something else."""
    if draw.random() < 0.1:
        return json.dumps(draw.choice(JUNK)).encode()
    body = dict(draw.choice(BODIES))
    for _ in range(draw.choice((0, 1, 1, 2, 5))):
        body[draw.choice(FIELDS)] = draw.choice(JUNK)
    return json.dumps(body).encode()


def _request(draw: random.Random, body: bytes, headers: list[bytes] | None = None) -> bytes:
    method = draw.choice((b"POST", b"POST", b"POST", b"GET", b"PUT", b"post"))
    path = draw.choice(PATHS).encode()
    if headers is None:
        headers, method = [b"Host: localhost", b"Connection: close"], method.upper()
    head = [method + b" " + path + b" HTTP/1.1", *headers]
    return b"\r\n".join([*head, f"Content-Length: {len(body)}".encode(), b"", body])


def answer_of(server: HttpServer, data: bytes, is_whole: bool) -> bytes:
    """Everything that comes back; behind half a request, the other side is told that it is all."""
    received = b""
    with server.connect() as connection:
        try:
            connection.sendall(data)
            if not is_whole:
                connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(1 << 16):
                received += part
        except ConnectionError:  # dropped while it was still sending
            pass
    return received


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("seed", "count"), [(1, 500), pytest.param(2, 100_000, marks=pytest.mark.attack)]
)
def test_every_input_is_answered_or_dropped(
    server: HttpServer, seed: int, count: int, tally: Callable[..., None]
) -> None:
    statuses: Counter[int] = Counter()
    wrong = []
    for data, is_whole in inputs(seed, count):
        answer = answer_of(server, data, is_whole).removeprefix(CONTINUE)
        status = int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0
        statuses[status] += 1
        if status not in _REFUSED | {200} and (is_whole or status):
            wrong.append((data[:300], answer[:300]))
    assert json.loads(server.get("/health")) == {"status": "ok"}
    body = {"prompt": "x", "max_tokens": 2}
    assert server.post("/v1/completions", body)["choices"]
    said = ", ".join(f"{number} x {status}" for status, number in statuses.most_common(4))
    tally("fuzzed HTTP requests", count, len(wrong), said)
    assert wrong[:5] == []
    assert statuses[200] > count / 20 and statuses[400] + statuses[422] > count / 20
