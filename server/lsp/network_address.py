"""Addresses to listen on, as users write them."""

import contextlib

from midline.model.errors import UsageError

LOOPBACK = "127.0.0.1"


def parse_address(text: str, option: str) -> tuple[str, int]:
    """Host and port; the host defaults to the loopback address. UsageError names `option`."""
    host, _, port = text.rpartition(":")
    is_port = port.isascii() and port.isdecimal() and len(port) <= 5 and int(port) <= 65535
    if not is_port:
        raise UsageError(
            f"{option} {text!r:.60} is not of the form [HOST:]PORT, as in 127.0.0.1:5007"
        )
    return host.strip("[]") or LOOPBACK, int(port)


def is_address(value: object) -> bool:
    """Whether a value is the text of an address."""
    with contextlib.suppress(UsageError):
        return isinstance(value, str) and bool(parse_address(value, ""))
    return False
