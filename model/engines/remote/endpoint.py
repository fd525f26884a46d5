"""Where a remote engine's requests go, and whether the user has agreed to that.

What a request carries are the text around a cursor, parts of other files that were chosen for it,
or a prompt. An endpoint on this machine needs no consent; any other does.
"""

import http.client
import ipaddress
import os
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from midline.model.decoding.options import EngineOptions
from midline.model.errors import UsageError

TOKEN_VARIABLE = "MIDLINE_ENDPOINT_TOKEN"
CONTENT = "the text around your cursor, the parts of other files chosen for it, and your prompts"
_CONNECT_SECONDS = 10.0
_MOST_CONTEXT = 1 << 20


@dataclass(frozen=True, slots=True)
class RemoteOptions(EngineOptions):
    """Options of the remote engine, read when it is loaded.

    endpoint: the address of the server, `http://127.0.0.1:8012` or with the path of its API.
    consent: whether text may be sent to another machine. context_length: tokens of a prompt and its
    completion; None is what the server says.
    """

    endpoint: str = ""
    consent: bool = False
    context_length: int | None = None

    def check(self) -> None:
        """See `EngineOptions`."""
        most = self.context_length
        if most is not None and not 64 <= most <= _MOST_CONTEXT:
            raise UsageError(f"context_length is {most}, it must be between 64 and {_MOST_CONTEXT}")


@dataclass(frozen=True)
class Endpoint:
    """A checked address. `path` is that of the API, without a slash at its end."""

    scheme: str
    host: str
    port: int
    path: str
    token: str = ""

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        with suppress(ValueError):
            return ipaddress.ip_address(self.host).is_loopback
        return self.host == "localhost"

    def connect(self) -> http.client.HTTPConnection:
        """A connection that is not open yet; proxies of the environment are not used."""
        secure = self.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        return kind(self.host, self.port, timeout=_CONNECT_SECONDS)

    def headers(self) -> dict[str, str]:
        """Those of every request."""
        common = {"Content-Type": "application/json", "Accept": "application/json"}
        return {**common, "Authorization": f"Bearer {self.token}"} if self.token else common

    def __str__(self) -> str:
        """The address for a person."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"


def find_endpoint(options: RemoteOptions) -> Endpoint:
    """The endpoint of the options, with the token of the environment.

    Raises UsageError for an address that is none, for one of another machine without consent, and
    for a token that would travel in the clear.
    """
    endpoint = _parsed(options.endpoint)
    if endpoint.is_local:
        return endpoint
    if not options.consent:
        raise UsageError(
            f"{endpoint.host} is another machine, and would be sent {CONTENT}; to agree, set "
            "midline.endpointConsent to true, or give --endpoint-consent"
        )
    if endpoint.token and endpoint.scheme != "https":
        raise UsageError(
            f"{TOKEN_VARIABLE} is not sent to {endpoint.host} without encryption; use https"
        )
    return endpoint


def _parsed(address: str) -> Endpoint:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise UsageError(
            f"the endpoint {address!r:.80} is not an address such as http://127.0.0.1:8012"
        )
    default = 443 if parts.scheme == "https" else 80
    path = parts.path.rstrip("/") or "/v1"
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    if not token.isascii() or not token.isprintable():
        raise UsageError(f"{TOKEN_VARIABLE} has characters that no header can carry; set it again")
    return Endpoint(parts.scheme, parts.hostname, port or default, path, token)
