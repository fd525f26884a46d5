"""Streams of an endpoint's answers, each read by a thread of its own."""

import contextlib
import http.client
import json
import queue
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from midline.model.engines.remote.endpoint import Endpoint
from midline.model.errors import MidlineError

READ_SECONDS = 300.0
"""Longest silence of an endpoint that is generating."""
_MOST_ERROR = 4096


@dataclass(frozen=True)
class Piece:
    """Text that choice `sample` of request `number` goes on with; `finish` ends it."""

    number: int
    sample: int
    text: str
    finish: str | None = None


@dataclass(frozen=True)
class End:
    """A stream is over, for `error` if there is one."""

    number: int
    error: MidlineError | None = None


Event = Piece | End


class Stream:
    """One request, sent at once; its events arrive in `events`."""

    def __init__(
        self, endpoint: Endpoint, number: int, body: Mapping[str, Any], events: queue.Queue[Event]
    ) -> None:
        self._endpoint, self._number, self._body, self._events = endpoint, number, body, events
        self._connection = endpoint.connect()
        self._socket: socket.socket | None = None
        self._is_closed = False
        threading.Thread(target=self._read, daemon=True, name="endpoint").start()

    def close(self) -> None:
        """Break off, which ends the endpoint's work."""
        self._is_closed = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _read(self) -> None:
        error: MidlineError | None = None
        try:
            for piece in self._pieces():
                self._events.put(piece)
        except MidlineError as raised:
            error = raised
        except Exception as raised:  # noqa: BLE001 - it is raised where the events are read
            error = unreachable(self._endpoint, raised)
        self._connection.close()
        self._events.put(End(self._number, None if self._is_closed else error))

    def _pieces(self) -> Iterator[Piece]:
        connection = self._connection
        connection.connect()
        # The connection forgets its socket when an answer is to end with it.
        self._socket = connection.sock
        self._socket.settimeout(READ_SECONDS)
        if self._is_closed:
            return
        path = f"{self._endpoint.path}/completions"
        connection.request("POST", path, json.dumps(self._body).encode(), self._endpoint.headers())
        answer = checked(self._endpoint, connection.getresponse())
        if "event-stream" not in answer.headers.get("content-type", ""):
            yield from self._choices(json.loads(answer.read()))
            return
        is_empty = True
        for line in answer:
            kind, _, data = line.partition(b":")
            is_empty = is_empty and kind != b"data"
            if kind == b"data" and data.strip() != b"[DONE]":
                yield from self._choices(json.loads(data))
        if is_empty and not self._is_closed:  # llama-cpp-python's way of saying no
            raise MidlineError(
                f"{self._endpoint} broke off without a word, as some servers do when a prompt is "
                "longer than their context; start it with a longer one"
            )

    def _choices(self, event: Any) -> Iterator[Piece]:
        if "error" in event:
            raise refused(self._endpoint, json.dumps(event).encode())
        for choice in event["choices"]:
            text, reason = choice.get("text") or "", choice.get("finish_reason")
            yield Piece(self._number, choice.get("index", 0), text, reason)


def checked(endpoint: Endpoint, answer: http.client.HTTPResponse) -> http.client.HTTPResponse:
    """The answer if it is one; MidlineError for an error status."""
    if answer.status != 200:
        raise refused(endpoint, answer.read(_MOST_ERROR), answer.status)
    return answer


def refused(endpoint: Endpoint, body: bytes, status: int = 200) -> MidlineError:
    """The error of an endpoint that said no, with its own words."""
    words = f"status {status}"
    with contextlib.suppress(ValueError, TypeError, AttributeError):
        error = json.loads(body)["error"]
        words = str(error if isinstance(error, str) else error["message"])
    return MidlineError(f"{endpoint} refused the request: {words:.300}")


def unreachable(endpoint: Endpoint, error: Exception) -> MidlineError:
    """The error of an endpoint that does not answer as one."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return MidlineError(
        f"{endpoint} does not answer ({reason:.120}); start its server or change the endpoint"
    )
