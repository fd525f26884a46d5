"""Writes to a client that may be slow, or may not read at all."""

import asyncio

MOST_WAITING_BYTES = 1 << 26
"""What may wait for a client; one that leaves more unread is disconnected."""


class ClientWriter:
    """The writer of a session: never waits, and never keeps more than a client may leave unread."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    def write(self, data: bytes) -> None:
        """Send `data` as soon as the client reads. BrokenPipeError if it has left or never reads.

        The protocol ends the session then.
        """
        transport = self._writer.transport
        if transport.is_closing():
            raise BrokenPipeError
        if transport.get_write_buffer_size() > MOST_WAITING_BYTES:
            transport.abort()
            raise BrokenPipeError
        self._writer.write(data)

    def close(self) -> None:
        """Close when everything has been sent."""
        self._writer.close()
