"""Messages as a broken or a hostile client sends them, and what each of them has to be answered."""

import copy
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from raw_client import framed, notification, request

NOTHING = object()
"""Of what needs no answer; an answer without a usable id is one to None."""
URIS = ("file:///a.py", "file:///b.py", "untitled:c", "file:///closed.py")
JUNK: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**31, 2**63, -(2**70), 10**400, 0.5, 1e308, float("nan")),
    *("", "x", "\x00", "é\ud800", "a" * 5000, "file:///a.py", "\n", [], {}, [[]], [None] * 50),
    *({"line": 0, "character": 0}, {"jsonrpc": "2.0", "id": 1, "method": "shutdown"}, [{}, 1]),
)


@dataclass(frozen=True)
class Sent:
    """Bytes, and whose answer they ask for: an id, None, or `NOTHING`."""

    data: bytes
    answer: Any


def fuzzed_messages(seed: int, count: int) -> Iterator[Sent]:
    """`count` messages, the same for the same seed; requests have ids of their own."""
    draw = random.Random(seed)
    for number in range(count):
        kind = draw.random()
        if kind < 0.06:
            yield _frame_of_no_use(draw)
        elif kind < 0.12:
            body = draw.randbytes(draw.randrange(60))
            yield Sent(framed(body), expected_answer(body))
        else:
            message = _mutated(draw, _message(draw, number), draw.choice((0, 1, 1, 1, 2, 5)))
            body = _encoded(draw, message)
            yield Sent(framed(body, draw.choice(_HEADERS)), expected_answer(body))


_HEADERS = (
    *("Content-Length: ", "Content-Length: ", "content-length:", "CONTENT-LENGTH :  "),
    "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: ",
    "\r\nX-Other: b\r\nContent-Length: ",
)
_NOISE = ("", "noise\n", '{"jsonrpc": "2.0"}\n', "POST / HTTP/1.1\r\nHost: a\r\n\r\n")


def expected_answer(body: bytes) -> Any:
    """Whose answer the body of a message asks for, by JSON-RPC's rules."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict):
        return None
    if "method" in message and "id" not in message:
        return NOTHING
    if "method" not in message and ("result" in message or "error" in message):
        return NOTHING
    id = message.get("id")
    return id if isinstance(id, str | int) and not isinstance(id, bool) else None


def _frame_of_no_use(draw: random.Random) -> Sent:
    length = draw.choice(("99999999999", "9" * 5000, "-1", "268435457"))
    noise = draw.choice(
        ("", "noise\n", '{"jsonrpc": "2.0"}\n', "POST / HTTP/1.1\r\nHost: a\r\n\r\n")
    )
    return Sent(f"Content-Length: {length}\r\n\r\n{noise}".encode(), None)


def _encoded(draw: random.Random, message: Any) -> bytes:
    body = json.dumps(message).encode()
    if draw.random() < 0.05:
        body = body[: draw.randrange(len(body) + 1)]
    if draw.random() < 0.05:
        data = bytearray(body or b"x")
        data[draw.randrange(len(data))] = draw.randrange(256)
        body = bytes(data)
    return body


def _message(draw: random.Random, number: int) -> Any:
    uri, version = draw.choice(URIS), number
    where = {"line": draw.randrange(5), "character": draw.randrange(30)}
    document = {"uri": uri, "version": version}
    ask = {"textDocument": {"uri": uri}, "position": where}
    inline = {**ask, "context": {"triggerKind": 2}}
    text = "def f(x):\n    return x\n" * draw.randrange(3)
    change = {"range": {"start": where, "end": where}, "text": draw.choice(("a", "\n", "", text))}
    return draw.choice(
        (
            request(number, "textDocument/inlineCompletion", inline),
            request(f"r{number}", "textDocument/inlineCompletion", {**ask, "context": {}}),
            request(number, "textDocument/completion", ask),
            request(number, draw.choice(("no/such", "workspace/executeCommand", "x" * 300)), {}),
            request(number, "initialize", {"processId": None, "capabilities": {}}),
            request(number, "textDocument/hover", ask),
            notification(
                "textDocument/didOpen",
                {"textDocument": {**document, "languageId": "python", "text": text}},
            ),
            notification(
                "textDocument/didChange", {"textDocument": document, "contentChanges": [change]}
            ),
            notification("textDocument/didClose", {"textDocument": {"uri": uri}}),
            notification("$/cancelRequest", {"id": draw.randrange(number + 1)}),
            notification("$/setTrace", {"value": "off"}),
            notification("workspace/didChangeConfiguration", {"settings": draw.choice(JUNK)}),
            {"jsonrpc": "2.0", "id": draw.randrange(9), "result": draw.choice(JUNK)},
            {"jsonrpc": "2.0", "id": draw.randrange(9), "error": draw.choice(JUNK)},
        )
    )


def _mutated(draw: random.Random, message: Any, times: int) -> Any:
    """The message with some of its parts replaced, removed or doubled; never its id."""
    message = copy.deepcopy(message)
    for _ in range(times):
        holder: Any = message
        while True:
            keys = [k for k in _keys(holder) if holder is not message or k != "id"]
            if not keys:
                break
            key = draw.choice(keys)
            if isinstance(holder[key], dict | list) and holder[key] and draw.random() < 0.7:
                holder = holder[key]
                continue
            if draw.random() < 0.25:
                del holder[key]
            else:
                holder[key] = copy.deepcopy(draw.choice(JUNK))
            break
    if isinstance(message, dict) and message.get("method") in ("shutdown", "exit"):
        message["method"] = "no/such"
    return message


def _keys(holder: Any) -> list[Any]:
    return list(holder) if isinstance(holder, dict) else list(range(len(holder)))
