"""Messages out of bytes: every header that the protocol allows, and the way back after others."""

import asyncio

import pytest

from midline.server.lsp.framing import MAX_MESSAGE_BYTES, FramingError, is_header, read_messages


async def read(data: bytes, begun: bytes = b"") -> list[bytes | FramingError]:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return [message async for message in read_messages(reader, begun)]


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 2\r\n\r\n",
        b"content-length:2\r\n\r\n",
        b"CONTENT-LENGTH:   2  \r\n\r\n",
        b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: 2\r\n\r\n",
        b"Content-Length: 2\r\nContent-Type: application/vscode-jsonrpc\r\n\r\n",
        b"X-Unknown: 7\r\nContent-Length: 2\r\n\r\n",
        b"Content-Length: 2\n\n",
        b"\r\n\r\nContent-Length: 000002\r\n\r\n",
    ],
)
async def test_headers_in_every_form(head: bytes) -> None:
    assert await read(head + b"{}" + head + b"[]") == [b"{}", b"[]"]


async def test_a_first_line_that_was_read_already_counts() -> None:
    assert await read(b"\r\n{}", begun=b"Content-Length: 2\r\n") == [b"{}"]


@pytest.mark.parametrize(
    "length", ["99999999999", "9" * 5000, "-1", str(MAX_MESSAGE_BYTES + 1), "1" * 70_000]
)
async def test_a_length_of_no_use_costs_its_frame_alone(length: str) -> None:
    data = f"Content-Length: {length}\r\n\r\n".encode()
    data += b'{"lost": "there"}Content-Length: 2\r\n\r\n{}Content-Length: 4\r\n\r\nnull'
    found = await read(data)
    if len(length) < 60_000:  # a line that is longer than any header is skipped
        assert isinstance(found.pop(0), FramingError)
    assert found == [b"{}", b"null"]


async def test_an_empty_message_is_one() -> None:
    assert await read(b"Content-Length: 0\r\n\r\nContent-Length: 2\r\n\r\n{}") == [b"", b"{}"]


@pytest.mark.parametrize("data", [b"", b"\r\n", b"Content-Length: 5\r\n\r\n{}", b"Content-Len"])
async def test_what_is_cut_short_is_no_message(data: bytes) -> None:
    assert await read(data) == []


async def test_noise_is_skipped() -> None:
    noise = b"starting up\n" + b"x" * 200_000 + b"\nPOST / HTTP/1.1\r\nHost: a\r\n\r\n"
    assert await read(noise + b"Content-Length: 2\r\n\r\n{}") == [b"{}"]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (b"Content-Length: 5\r\n", True),
        (b"content-type : x\r\n", True),
        (b"POST / HTTP/1.1\r\n", False),
        (b"GET / HTTP/1.1\r\n", False),
        (b"\x16\x03\x01\x02\x00\x01\x00", False),
        (b"", False),
        (b"\r\n", False),
    ],
)
def test_only_lsp_begins_as_lsp(line: bytes, wanted: bool) -> None:
    assert is_header(line) is wanted
