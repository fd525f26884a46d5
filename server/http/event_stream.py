"""Server-sent events: answers that are sent while they are written."""

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from midline.kernels import CancelFlag
from midline.model.cancellation import Cancelled
from midline.model.errors import MidlineError
from midline.server.http.errors import HttpError, error_object
from midline.server.http.service import until_disconnect
from midline.server.logs import LOGGER, log_hint

_HEADERS = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store"}


class EventStream(Response):
    """Sends each object of `events` as it comes, and `[DONE]` behind the last.

    The client's leaving sets `cancel`. An error behind the first event is an event of its own.
    """

    def __init__(self, events: AsyncIterator[Mapping[str, Any]], cancel: CancelFlag) -> None:
        super().__init__(headers=_HEADERS)
        self._events, self._cancel = events, cancel
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async with until_disconnect(Request(scope, receive), self._cancel):
            with contextlib.suppress(Cancelled):
                async for event in self._all():
                    body = f"data: {event}\n\n".encode("utf-8", "surrogatepass")
                    await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _all(self) -> AsyncIterator[str]:
        try:
            async for event in self._events:
                yield compact(event)
        except MidlineError as error:
            yield compact({"error": error_object(error)})
        except Cancelled:
            raise
        except Exception as error:  # noqa: BLE001 - the log has it, the client a sentence
            LOGGER.exception("a stream of events")
            failed = HttpError(500, f"unexpected {type(error).__name__}; {log_hint()}")
            yield compact({"error": error_object(failed)})
        yield "[DONE]"


def compact(value: Mapping[str, Any]) -> str:
    """JSON without white space between its parts, which llama.vim's check of answers needs."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
