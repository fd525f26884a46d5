"""Admission: which first messages carry the token."""

import json
from typing import Any

import pytest
from raw_client import initialize, request

from midline.server.lsp.admission import is_admitted, refusal

TOKEN = "a token of some length"


@pytest.mark.parametrize(
    ("message", "admitted"),
    [
        (initialize(1, initializationOptions={"token": TOKEN, "model": "m"}), True),
        (initialize(1, initializationOptions={"token": TOKEN + "x"}), False),
        (initialize(1, initializationOptions={"token": None}), False),
        (initialize(1, initializationOptions="token"), False),
        (initialize(1), False),
        (request(1, "shutdown", {"initializationOptions": {"token": TOKEN}}), False),
        (request(1, "initialize", [TOKEN]), False),
        ([1], False),
    ],
)
def test_only_an_initialize_with_the_token_is_admitted(message: Any, admitted: bool) -> None:
    assert is_admitted(json.dumps(message).encode(), TOKEN) is admitted


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_message_is_refused(body: bytes) -> None:
    assert not is_admitted(body, TOKEN)
    assert b'"id": null' in refusal(body)


def test_a_refusal_answers_the_request() -> None:
    assert b'"id": 7' in refusal(json.dumps(initialize(7)).encode())
