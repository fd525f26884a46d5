"""Every request is answered: malformed ones with the error that JSON-RPC has for them."""

import asyncio
import json
from typing import Any

import pytest
from lsprotocol import types
from raw_client import initialize, notification, request

from midline.model.errors import MidlineError
from midline.server.lsp.server import MidlineServer, create_server

INLINE = "textDocument/inlineCompletion"
PARSE, INVALID, UNKNOWN, PARAMS = -32700, -32600, -32601, -32602


class Wire:
    """What a server writes, message by message."""

    def __init__(self) -> None:
        self.written: list[dict[str, Any]] = []

    def write(self, data: bytes) -> None:
        self.written.append(json.loads(data.partition(b"\r\n\r\n")[2]))

    def close(self) -> None:
        pass

    def answers(self) -> list[dict[str, Any]]:
        return [message for message in self.written if "method" not in message]


def no_engine(*_: Any) -> Any:
    raise MidlineError("no model here")


@pytest.fixture
async def server(home: object) -> MidlineServer:
    server = create_server(no_engine)
    server.protocol.set_writer(Wire())
    return server


@pytest.fixture
async def ready(server: MidlineServer) -> MidlineServer:
    give(server, initialize())
    give(server, notification("initialized", {}))
    item = {"uri": "file:///a.py", "languageId": "python", "version": 1, "text": "x = \n"}
    give(server, notification("textDocument/didOpen", {"textDocument": item}))
    wire(server).written.clear()
    return server


def wire(server: MidlineServer) -> Wire:
    assert isinstance(server.protocol.writer, Wire)
    return server.protocol.writer


def give(server: MidlineServer, *messages: Any) -> None:
    for message in messages:
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        server.protocol.receive(body)


async def answers(
    server: MidlineServer, *messages: Any, count: int | None = None
) -> list[dict[str, Any]]:
    """The answers to the messages, one to each unless `count` says otherwise."""
    wire(server).written.clear()
    give(server, *messages)
    wanted = len(messages) if count is None else count
    for _ in range(1000):
        if len(wire(server).answers()) >= wanted:
            break
        await asyncio.sleep(0.01)
    await asyncio.sleep(0)
    found = wire(server).answers()
    assert len(found) == wanted
    return found


def inline(**changes: Any) -> dict[str, Any]:
    params = {
        "textDocument": {"uri": "file:///a.py"},
        "position": {"line": 0, "character": 4},
        "context": {"triggerKind": 2},
    }
    return {**params, **changes}


@pytest.mark.parametrize(
    "params",
    [
        None,
        [],
        [1, 2],
        "here",
        7,
        {},
        inline(position=None),
        inline(position={"line": 0}),
        inline(position={"line": -1, "character": 0}),
        inline(position={"line": 0, "character": 2**31}),
        inline(position={"line": "first", "character": 0}),
        inline(position=[0, 0]),
        inline(context={"triggerKind": 99}),
        inline(context={"triggerKind": None}),
        inline(context=None),
        inline(textDocument={}),
    ],
)
async def test_parameters_that_do_not_fit_are_answered(ready: MidlineServer, params: Any) -> None:
    (answer,) = await answers(ready, request(5, INLINE, params))
    assert answer["id"] == 5 and answer["error"]["code"] == PARAMS
    assert 0 < len(answer["error"]["message"]) <= 200


async def test_missing_parameters_are_answered(ready: MidlineServer) -> None:
    (answer,) = await answers(ready, {"jsonrpc": "2.0", "id": "a", "method": INLINE})
    assert (answer["id"], answer["error"]["code"]) == ("a", PARAMS)


@pytest.mark.parametrize(
    ("message", "code", "id"),
    [
        (b"", PARSE, None),
        (b"{", PARSE, None),
        (b"\xff\xfe\x00", PARSE, None),
        (b"[" * 100_000, PARSE, None),
        (b"[]", INVALID, None),
        (b"7", INVALID, None),
        (b"null", INVALID, None),
        ([request(1, "shutdown")], INVALID, None),
        (request(None, "shutdown"), INVALID, None),
        (request(1.5, "shutdown"), INVALID, None),
        (request(True, "shutdown"), INVALID, None),
        (request({}, "shutdown"), INVALID, None),
        (request(3, 4), INVALID, 3),
        (request(3, ["shutdown"]), INVALID, 3),
        ({"jsonrpc": "2.0", "id": 3}, INVALID, 3),
        (request(3, "shutdown", jsonrpc="1.0"), INVALID, 3),
        ({"id": 3, "method": "shutdown"}, INVALID, 3),
        (request(3, "no/suchMethod"), UNKNOWN, 3),
        (request(3, "no/suchMethod", [[[]]]), UNKNOWN, 3),
        (request(3, "x" * 100_000), UNKNOWN, 3),
        (request(3, "initialized", {}), UNKNOWN, 3),
        (b'{"jsonrpc": "2.0", "id": ' + b"9" * 5000 + b', "method": "shutdown"}', INVALID, None),
    ],
)
async def test_every_malformed_request_has_its_answer(
    ready: MidlineServer, message: Any, code: int, id: Any
) -> None:
    (answer,) = await answers(ready, message)
    assert (answer["error"]["code"], answer["id"], answer["jsonrpc"]) == (code, id, "2.0")
    (after,) = await answers(ready, request("after", INLINE, inline()))
    assert after == {"jsonrpc": "2.0", "id": "after", "result": {"items": []}}


async def test_ids_come_back_as_they_were(ready: MidlineServer) -> None:
    ids = [0, -1, 10**400, "", "x" * 10_000, "é\ud800", "0"]
    found = await answers(ready, *(request(id, INLINE, inline()) for id in ids))
    assert sorted(map(repr, (answer["id"] for answer in found))) == sorted(map(repr, ids))


async def test_nothing_is_answered_before_initialize(server: MidlineServer) -> None:
    give(server, notification("textDocument/didOpen", {}), notification("initialized", {}))
    (answer,) = await answers(server, request(1, INLINE, inline()))
    assert (answer["id"], answer["error"]["code"]) == (1, -32002)
    assert not server.session.documents


async def test_a_failed_initialize_can_be_sent_again_and_a_good_one_cannot(
    server: MidlineServer,
) -> None:
    found = await answers(server, initialize(1, capabilities=7), initialize(2), initialize(3))
    codes = [answer.get("error", {}).get("code") for answer in found]
    assert codes == [PARAMS, None, INVALID]


async def test_after_shutdown_requests_are_refused(ready: MidlineServer) -> None:
    found = await answers(
        ready, request(1, "shutdown"), request(2, INLINE, inline()), request(3, "shutdown")
    )
    assert found[0] == {"jsonrpc": "2.0", "id": 1, "result": None}
    assert [(a["id"], a["error"]["code"]) for a in found[1:]] == [(2, INVALID), (3, INVALID)]
    assert ready.session.shutdown_requested


@pytest.mark.parametrize(
    "message",
    [
        notification("textDocument/didChange", None),
        notification("textDocument/didChange", {"textDocument": 5}),
        notification("$/cancelRequest", {"id": None}),
        notification("$/cancelRequest", {"id": "nobody"}),
        notification("$/cancelRequest", {"id": [1]}),
        notification("$/cancelRequest", {"id": {}}),
        notification("$/setTrace", {"value": 5}),
        notification("no/such", {}),
        notification(["x"]),  # type: ignore[arg-type]
        {"jsonrpc": "2.0", "id": 77, "result": {}},
        {"jsonrpc": "2.0", "id": [], "result": {}},
        {"jsonrpc": "2.0", "id": 77, "error": None},
        {"jsonrpc": "2.0", "result": 5},
    ],
)
async def test_what_nobody_waits_for_is_dropped_without_a_word(
    ready: MidlineServer, message: Any
) -> None:
    (answer,) = await answers(ready, message, request(1, INLINE, inline()), message, count=1)
    assert answer["id"] == 1


async def test_an_answer_that_makes_no_sense_is_an_error_to_who_asked(
    ready: MidlineServer,
) -> None:
    item = types.ConfigurationItem(section="midline")
    question = ready.workspace_configuration_async(types.ConfigurationParams([item]))
    asked = asyncio.ensure_future(question)
    await asyncio.sleep(0)
    id = wire(ready).written[-1]["id"]
    give(ready, {"jsonrpc": "2.0", "id": id, "error": "no"})
    with pytest.raises(Exception, match=r".+"):
        await asyncio.wait_for(asked, 10)


@pytest.mark.parametrize("value", ["1" + "0" * 400, "1" + "0" * 6000, "-1e999", "NaN", "[1e400]"])
async def test_absurd_numbers_are_a_problem_of_the_settings(
    server: MidlineServer, value: str
) -> None:
    body = json.dumps(initialize(1, initializationOptions={"maxTokens": "HERE"}))
    (answer,) = await answers(server, body.replace('"HERE"', value).encode())
    assert "result" in answer
    assert server.session.settings.max_tokens == 64
    (shown,) = [m for m in wire(server).written if m.get("method") == "window/showMessage"]
    assert "midline.maxTokens is" in shown["params"]["message"]
    assert len(shown["params"]["message"]) < 300
