"""Who may have a session over TCP: with a token, the client whose first message carries it."""

import hmac
import json
from typing import Any

from midline.server.lsp.framing import framed

_REFUSED = -32600
"""InvalidRequest of the protocol."""


def is_admitted(body: bytes, token: str) -> bool:
    """Whether a first message is an `initialize` with the token in its options."""
    message = _parsed(body)
    if not isinstance(message, dict) or message.get("method") != "initialize":
        return False
    params = message.get("params")
    options = params.get("initializationOptions") if isinstance(params, dict) else None
    given = options.get("token") if isinstance(options, dict) else None
    if not isinstance(given, str):
        return False
    return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())


def refusal(body: bytes) -> bytes:
    """The answer to a first message that is not admitted."""
    message = _parsed(body)
    id = message.get("id") if isinstance(message, dict) else None
    sentence = "the token is missing or wrong; send it as initializationOptions.token"
    error = {"code": _REFUSED, "message": sentence}
    return framed(json.dumps({"jsonrpc": "2.0", "id": id, "error": error}).encode())


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
