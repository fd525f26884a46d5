"""The protocol layer: every request is answered, even if it is invalid.

pygls only logs messages that it cannot parse, so that their sender would wait forever. Here they
are answered with the error that JSON-RPC and LSP define.
"""

import json
import logging
from typing import TYPE_CHECKING, Any

from cattrs import transform_error
from lsprotocol import types
from pygls.exceptions import (
    JsonRpcException,
    JsonRpcInvalidParams,
    JsonRpcInvalidRequest,
    JsonRpcMethodNotFound,
    JsonRpcParseError,
    JsonRpcServerNotInitialized,
)
from pygls.protocol import LanguageServerProtocol

if TYPE_CHECKING:
    from midline.server.lsp.server import MidlineServer

LOGGER = logging.getLogger(__name__)
_MAX_DIGITS = 4000
"""Numbers with more digits are not parsed (Python's own limit is close)."""
_MAX_REASON = 200
OWN = "midline/"
"""How the names of Midline's own methods begin."""

Message = dict[str, Any]


class MidlineProtocol(LanguageServerProtocol):
    """The protocol of pygls, with handling of raw messages."""

    _server: "MidlineServer"

    def receive(self, body: bytes) -> None:
        """Handle one message, whatever its bytes are."""
        try:
            data = _parsed(body)
        except JsonRpcException as error:
            self.refuse(None, error)
            return
        if "method" in data and "id" not in data:
            self._receive_notification(data)
        elif "method" in data or not {"result", "error"} & data.keys():
            self._receive_request(data)
        else:
            self._receive_answer(data)

    def refuse(self, id: int | str | None, error: JsonRpcException) -> None:
        """Answer a request with an error; `id` is None where the request had none of use."""
        LOGGER.warning("refused a request with error %d", error.code)
        answer = {"code": error.code, "message": error.message}
        self._send_data({"jsonrpc": self.VERSION, "id": id, "error": answer})

    def _send_data(self, data: Any) -> None:
        """Write a message; a closed connection ends the server without an error."""
        try:
            super()._send_data(data)
        except OSError:
            self._server.stop("the client does not read any more")

    def _receive_request(self, data: Message) -> None:
        id = data.get("id")
        if not _is_id(id):
            id = None
        try:
            if id is None or not isinstance(data.get("method"), str):
                raise JsonRpcInvalidRequest("a request has an id and the name of a method")
            self._check_order(data["method"])
            if not self._answers(data["method"]):
                raise JsonRpcMethodNotFound.of(data["method"][:_MAX_REASON])
            message = self._structured(data)
        except JsonRpcException as error:
            self.refuse(id, error)
            return
        self.handle_message(message)

    def _receive_notification(self, data: Message) -> None:
        """Handle a notification; invalid ones are logged, since they have no answer."""
        method = data["method"]
        is_in_time = self._workspace is not None or method == types.EXIT
        if not isinstance(method, str) or not is_in_time or not self._knows(method):
            return
        try:
            self.handle_message(self._structured(data))
        except JsonRpcException as error:
            LOGGER.warning("ignored a %s: error %d", method, error.code)
        except Exception:
            LOGGER.exception("ignored a %s", method)

    def _receive_answer(self, data: Message) -> None:
        """Hand the client's answer to who asked; one that makes no sense is an error to them."""
        id = data.get("id")
        if not _is_id(id) or id not in self._result_types:
            LOGGER.warning("ignored an answer to a question that was not asked")
            return
        try:
            self.handle_message(self.structure_message(data))
        except Exception as error:
            LOGGER.warning("an answer makes no sense", exc_info=error)
            asked = self._request_futures.pop(id, None)
            if asked is not None and not asked.done():
                asked.set_exception(error)

    def _check_order(self, method: str) -> None:
        """Raise what a request is answered with that comes too early, too late or again."""
        if self._shutdown:
            raise JsonRpcInvalidRequest("the server has been shut down")
        if method == types.INITIALIZE and self._workspace is not None:
            raise JsonRpcInvalidRequest("the server is initialized already")
        if method != types.INITIALIZE and self._workspace is None:
            raise JsonRpcServerNotInitialized("the server is not initialized yet")

    def _answers(self, method: str) -> bool:
        """Whether a method is a request; Midline's own ones have no types in lsprotocol."""
        is_request = method.startswith(OWN) or self.get_result_type(method) is not None
        return is_request and self._knows(method)

    def _knows(self, method: str) -> bool:
        handlers = (self.fm.builtin_features, self.fm.features, (types.CANCEL_REQUEST,))
        return any(method in known for known in handlers)

    def _structured(self, data: Message) -> Any:
        """The message as an object of its type; JsonRpcInvalidParams names what does not fit."""
        if data.get("jsonrpc") != self.VERSION:
            raise JsonRpcInvalidRequest(
                f"the messages of this protocol are JSON-RPC {self.VERSION}"
            )
        if data["method"].startswith(OWN):
            return self.structure_message({"params": None, **data})
        kind = self.get_message_type(data["method"])
        assert kind is not None  # as of every other method that there is a handler for
        try:
            return self._converter.structure(data, kind)
        except Exception as error:
            reasons = "; ".join(transform_error(error)) or type(error).__name__
            raise JsonRpcInvalidParams(reasons[:_MAX_REASON]) from error


def _parsed(body: bytes) -> Message:
    """The JSON object of a message."""
    try:
        data = json.loads(body, parse_int=_number)
    except (ValueError, RecursionError) as error:
        raise JsonRpcParseError(str(error)[:_MAX_REASON]) from error
    if not isinstance(data, dict):
        raise JsonRpcInvalidRequest("a message is one JSON object")
    return data


def _number(digits: str) -> int | float:
    """A whole number, or an infinity for one that is longer than numbers may be."""
    return int(digits) if len(digits) <= _MAX_DIGITS else float(digits)


def _is_id(id: Any) -> bool:
    return isinstance(id, str | int) and not isinstance(id, bool)
