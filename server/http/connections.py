"""Connections with time limits: nobody holds one by saying nothing or by never reading."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

BEGIN_SECONDS = 30.0
"""Time for the head of a request to arrive."""
UNREAD_SECONDS = 30.0
"""Time for a client to make room for more of an answer."""


class LimitedConnection(H11Protocol):
    """Uvicorn's HTTP/1.1 connection, aborted when the client sends or reads nothing for long."""

    _beginning: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, and wait for the first request only so long."""
        super().connection_made(transport)
        self._beginning = self.loop.call_later(BEGIN_SECONDS, self.transport.abort)

    def data_received(self, data: bytes) -> None:
        """Take in what has come; half the head of a request does not count as one."""
        super().data_received(data)
        is_served = self.cycle is not None and not self.cycle.response_complete
        if is_served:
            _cancel(self._beginning)
            self._beginning = None
        elif self._beginning is None:
            self._beginning = self.loop.call_later(BEGIN_SECONDS, self.transport.abort)

    def pause_writing(self) -> None:
        """The client reads more slowly than the answer is written."""
        super().pause_writing()
        self._unread = self.loop.call_later(UNREAD_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has read on."""
        super().resume_writing()
        _cancel(self._unread)

    def connection_lost(self, exc: Any) -> None:
        """Nothing more to wait for."""
        _cancel(self._beginning)
        _cancel(self._unread)
        super().connection_lost(exc)


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
