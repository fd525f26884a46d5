"""The body of a request: read within limits, and its fields checked."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import ClientDisconnect, Request

from midline.server.http.errors import HttpError

MOST_BYTES = 8 << 20
"""Largest body: a context of 32,000 tokens has a fiftieth of it."""
READ_SECONDS = 30.0


async def read_fields(request: Request) -> "Fields":
    """The JSON object that a request carries. Raises HttpError 400, 408, 413."""
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > MOST_BYTES:
        raise too_large()
    try:
        async with asyncio.timeout(READ_SECONDS):
            data = await _read(request)
    except TimeoutError:
        raise HttpError(408, f"the body did not arrive within {READ_SECONDS:g} s") from None
    except ClientDisconnect:
        raise HttpError(400, "the client left before its request was complete") from None
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise HttpError(400, "the body is not JSON; send an object in UTF-8") from None
    if not isinstance(found, dict):
        raise HttpError(400, f"the body is {_kind(found)}; send a JSON object")
    return Fields(found)


def too_large() -> HttpError:
    """The error of a body that is not read."""
    return HttpError(413, f"the body is larger than {MOST_BYTES >> 20} MB; send less text")


async def _read(request: Request) -> bytes:
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > MOST_BYTES:
            raise too_large()
    return bytes(data)


class Fields:
    """A JSON object whose fields are asked for by type; null is as good as missing.

    Every method raises HttpError 422 that names the field. Fields that nobody asks for are ignored,
    since every client sends some of its own.
    """

    def __init__(self, found: Mapping[str, Any]) -> None:
        self._found = found

    def __contains__(self, name: str) -> bool:
        """Whether a field is there, and not null."""
        return self._found.get(name) is not None

    def value(self, name: str) -> Any:
        """A field of any type, None where it is missing."""
        return self._found.get(name)

    def wrong(self, name: str, wanted: str) -> HttpError:
        """The error of a field that is not what is wanted."""
        return HttpError(422, f"{name} is {_kind(self.value(name))}; it must be {wanted}", name)

    def text(self, name: str, default: str = "") -> str:
        """A string."""
        value = default if name not in self else self.value(name)
        if not isinstance(value, str):
            raise self.wrong(name, "a string")
        return value

    def switch(self, name: str, default: bool = False) -> bool:
        """True or false."""
        value = default if name not in self else self.value(name)
        if not isinstance(value, bool):
            raise self.wrong(name, "true or false")
        return value

    def number(self, name: str, default: float | None, low: float, high: float) -> float | None:
        """A number in a range."""
        if name not in self:
            return default
        value = self.value(name)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not low <= value <= high:  # neither NaN nor an infinity is
            raise self.wrong(name, f"a number from {low:g} to {high:g}")
        return float(value)

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number in a range."""
        value = default if name not in self else self.value(name)
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if not is_whole or not low <= value <= high:
            raise self.wrong(name, f"a whole number from {low} to {high}")
        return int(value)

    def texts(self, name: str, most: int) -> tuple[str, ...]:
        """A string or a list of at most `most` strings, empty ones left out."""
        value = [] if name not in self else self.value(name)
        value = [value] if isinstance(value, str) else value
        is_list = isinstance(value, list) and all(isinstance(item, str) for item in value)
        if not is_list or len(value) > most:
            raise self.wrong(name, f"a string or a list of at most {most} strings")
        return tuple(item for item in value if item)

    def objects(self, name: str) -> list[Mapping[str, Any]]:
        """A list of objects."""
        value = [] if name not in self else self.value(name)
        if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
            raise self.wrong(name, "a list of objects")
        return value


def _kind(value: Any) -> str:
    """A value in a few words."""
    if isinstance(value, str | int | float) or value is None:
        return f"{json.dumps(value)[:40]}"
    return "a list" if isinstance(value, list) else "an object"
