"""The framing of the base protocol: reads messages from a byte stream.

A header ends with an empty line; names are case-insensitive and white space around values does not
count. What is no header is skipped, so that the reader finds its way back after a frame that it
could not use.
"""

import asyncio
import re
from collections.abc import AsyncIterator

MAX_MESSAGE_BYTES = 1 << 28
"""Longer messages are refused; the longest document that is read has a tenth of that."""
_HEADER = re.compile(rb"content-(length|type)[ \t]*:", re.IGNORECASE)
_LENGTH = re.compile(rb"content-length[ \t]*:[ \t]*([+-]?\d+)[ \t]*\r?\n\Z", re.IGNORECASE)


class FramingError(Exception):
    """A frame that cannot be read; the message is one sentence for the client."""


def framed(body: bytes) -> bytes:
    """A message as it is sent."""
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def is_header(line: bytes) -> bool:
    """Whether `line` can begin a message: no line of HTTP, of TLS, or of a person typing can."""
    return _HEADER.match(line) is not None


async def read_messages(
    reader: asyncio.StreamReader, begun: bytes = b""
) -> AsyncIterator[bytes | FramingError]:
    """Bodies of the messages until the stream ends; `begun` is a first line read already.

    A frame that cannot be used comes as an error in its place. A body that is cut short by the end
    of the stream does not come at all.
    """
    length: int | None = None
    line = begun or await _read_line(reader)
    while line:
        if match := _LENGTH.search(line):
            length = _length(match[1])
        elif length is not None and not line.strip():
            try:
                body = await _read_body(reader, length)
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            length = None
            yield body
        line = await _read_line(reader)


async def _read_line(reader: asyncio.StreamReader) -> bytes:
    """The next line, b"" at the end; a line longer than the reader's limit counts as noise.

    A connection that was broken off has ended, too.
    """
    try:
        return await reader.readline()
    except ConnectionError:
        return b""
    except ValueError:
        return b"noise\n"


def _length(digits: bytes) -> int:
    """The length that a header claims; -1 for one that is negative or has far too many digits."""
    return int(digits) if len(digits) <= len(str(MAX_MESSAGE_BYTES)) else -1


async def _read_body(reader: asyncio.StreamReader, length: int) -> bytes | FramingError:
    if 0 <= length <= MAX_MESSAGE_BYTES:
        return await reader.readexactly(length)
    return FramingError(f"a Content-Length must be from 0 to {MAX_MESSAGE_BYTES}")
