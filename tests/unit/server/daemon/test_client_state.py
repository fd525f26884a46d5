"""What a proxy knows of its editor: documents, requests that are owed, how to begin anew."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midline.server.daemon.client_state import ClientState

Message = dict[str, Any]
INITIALIZE = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"capabilities": {}}}


def request(id: Any, method: str, params: Any = None) -> Message:
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": params}


def told(method: str, **params: Any) -> Message:
    return {"jsonrpc": "2.0", "method": method, "params": params}


def opened(text: str, uri: str = "file:///a.py") -> Message:
    item = {"uri": uri, "languageId": "python", "version": 1, "text": text}
    return told("textDocument/didOpen", textDocument=item)


def changed(text: str, line: int, start: int, end: int, uri: str = "file:///a.py") -> Message:
    places = {
        "start": {"line": line, "character": start},
        "end": {"line": line, "character": end},
    }
    document = {"uri": uri, "version": 2}
    changes = [{"range": places, "text": text}]
    return told("textDocument/didChange", textDocument=document, contentChanges=changes)


def initialized(encoding: str = "utf-16") -> ClientState:
    state = ClientState()
    state.sent(INITIALIZE)
    capabilities = {"positionEncoding": encoding}
    answer = {"jsonrpc": "2.0", "id": 0, "result": {"capabilities": capabilities}}
    assert state.received(answer) == (True, None)
    state.sent(told("initialized"))
    return state


@pytest.mark.parametrize(("encoding", "column"), [("utf-16", 2), ("utf-8", 4), ("utf-32", 1)])
def test_documents_are_replayed_with_their_text_of_now(encoding: str, column: int) -> None:
    state = initialized(encoding)
    state.sent(opened("😀x\ny\n"))
    state.sent(changed("z", 0, column, column + 1))
    state.sent(opened("gone", "file:///b.py"))
    state.sent(told("textDocument/didClose", textDocument={"uri": "file:///b.py"}))
    first, second, document = state.replay()
    assert first["method"] == "initialize" and first["id"] != INITIALIZE["id"]
    assert second["method"] == "initialized"
    assert document["params"]["textDocument"] == {
        "uri": "file:///a.py", "languageId": "python", "version": 2, "text": "😀z\ny\n",
    }  # fmt: skip


def test_settings_and_a_pause_are_replayed() -> None:
    state = initialized()
    state.sent(told("workspace/didChangeConfiguration", settings={"midline": {"samples": 1}}))
    state.sent(told("workspace/didChangeConfiguration", settings={"midline": {"samples": 2}}))
    state.sent(request(5, "workspace/executeCommand", {"command": "midline.pause"}))
    _, _, settings, pause = state.replay()
    assert settings["params"]["settings"] == {"midline": {"samples": 2}}
    assert pause["params"] == {"command": "midline.pause"} and pause["id"] != 5


def test_answers_to_what_was_replayed_are_not_the_clients() -> None:
    state = initialized()
    for message in list(state.replay()):
        if "id" in message:
            is_for_client, _ = state.received({"id": message["id"], "result": None})
            assert not is_for_client


def test_what_is_owed_is_paid_once() -> None:
    state = initialized()
    state.sent(request(1, "textDocument/inlineCompletion"))
    state.sent(request("1", "textDocument/completion"))
    state.sent(request(2, "midline/status"))
    state.sent(request(3, "shutdown"))
    state.sent(request(4, "textDocument/inlineCompletion"))
    state.received({"jsonrpc": "2.0", "id": 4, "result": {"items": []}})
    inline, completion, status, shutdown = state.last_words()
    assert (inline["id"], inline["result"]) == (1, {"items": []})
    assert (completion["id"], completion["result"]) == ("1", None)
    assert status["id"] == 2 and status["error"]["code"] == -32803
    assert (shutdown["id"], shutdown["result"]) == (3, None)
    assert list(state.last_words()) == []


def test_an_initialize_that_nobody_has_answered_is_asked_again() -> None:
    state = ClientState()
    assert list(state.replay()) == []
    state.sent(INITIALIZE)
    assert list(state.last_words()) == []
    assert list(state.replay()) == [INITIALIZE]


def test_progress_that_nobody_would_end_is_ended() -> None:
    state = initialized()
    for token in (1, "a"):
        state.received(told("$/progress", token=token, value={"kind": "begin", "title": "t"}))
        state.received(told("$/progress", token=token, value={"kind": "report"}))
    state.received(told("$/progress", token=1, value={"kind": "end"}))
    (end,) = state.last_words()
    assert end["params"] == {"token": "a", "value": {"kind": "end"}}


def test_what_is_registered_already_is_not_registered_again() -> None:
    state = initialized()
    asked = request("x", "client/registerCapability", {"registrations": [{"id": "settings"}]})
    assert state.received(asked) == (True, None)
    is_for_client, answer = state.received({**asked, "id": "y"})
    assert not is_for_client
    assert answer == {"jsonrpc": "2.0", "id": "y", "result": None}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
METHODS = st.sampled_from(
    ["initialize", "textDocument/didOpen", "textDocument/didChange", "textDocument/didClose",
     "workspace/executeCommand", "$/progress", "client/registerCapability", "shutdown", 7]
)  # fmt: skip


@given(message=JSON | st.fixed_dictionaries({"method": METHODS, "params": JSON, "id": JSON}))
def test_what_makes_no_sense_changes_nothing_that_is_open(message: Any) -> None:
    state = initialized()
    state.sent(opened("x = 1\n"))
    state.sent(message)
    state.received(message)
    assert state.documents["file:///a.py"].text == "x = 1\n"
    assert all("jsonrpc" in words for words in state.last_words())


def test_a_change_that_makes_sense_in_part_only_changes_nothing() -> None:
    state = initialized()
    state.sent(opened("x = 1\n"))
    broken = changed("y", 0, 0, 1)
    broken["params"]["contentChanges"].append({"range": None, "text": "z"})
    state.sent(broken)
    assert state.documents["file:///a.py"].text == "x = 1\n"


def test_notebooks_are_replayed_with_their_cells_of_now() -> None:
    state = initialized()
    items = [
        {"uri": f"cell:{n}", "languageId": "python", "version": 1, "text": f"a{n}"} for n in (1, 2)
    ]
    cells = [{"kind": 2, "document": f"cell:{n}"} for n in (1, 2)]
    book = {"uri": "file:///b.ipynb", "notebookType": "jupyter", "version": 1, "cells": cells}
    params = {"notebookDocument": book, "cellTextDocuments": items}
    state.sent(told("notebookDocument/didOpen", **params))
    array = {"start": 0, "deleteCount": 1, "cells": [{"kind": 1, "document": "cell:3"}]}
    new = {"uri": "cell:3", "languageId": "markdown", "version": 1, "text": "# new"}
    structure = {"array": array, "didOpen": [new], "didClose": [{"uri": "cell:1"}]}
    content = {
        "document": {"uri": "cell:2", "version": 2},
        "changes": [{"text": "whole"}],
    }
    change = {"cells": {"structure": structure, "textContent": [content]}}
    named = {"uri": "file:///b.ipynb", "version": 2}
    state.sent(told("notebookDocument/didChange", notebookDocument=named, change=change))
    *_, opening = state.replay()
    assert [m["method"] for m in state.replay()].count("textDocument/didOpen") == 0
    assert opening["method"] == "notebookDocument/didOpen"
    found = opening["params"]
    assert [c["document"] for c in found["notebookDocument"]["cells"]] == ["cell:3", "cell:2"]
    assert found["notebookDocument"]["version"] == 2
    assert [item["text"] for item in found["cellTextDocuments"]] == ["# new", "whole"]
    state.sent(told("notebookDocument/didClose", notebookDocument=named, cellTextDocuments=[]))
    assert [m["method"] for m in state.replay()] == ["initialize", "initialized"]
