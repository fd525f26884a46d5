"""Who may send requests: checks of Host, Origin and token in front of every endpoint.

A web page in the user's browser can send requests to local ports. Its requests carry an `Origin`
or a `Sec-Fetch-Site` header, and are refused for that. With DNS rebinding a page's own host name
comes to mean this machine, so that its requests are same-origin ones for the browser; their `Host`
is that name, which is none of this server's.
"""

import hmac
import ipaddress
import socket

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from midline.server.http.errors import HttpError, error_response
from midline.server.lsp.transports import is_loopback

PUBLIC = "/health"
"""The path that needs no token: it says nothing but that the server is up."""


class Guard:
    """Refuses what neither this machine's programs nor holders of the token sent.

    host: the address the server is bound to. token: what `Authorization: Bearer` has to carry, or
    None where loopback alone is served.
    """

    def __init__(self, app: ASGIApp, host: str, token: str | None) -> None:
        self._app, self._host, self._token = app, host.lower(), token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with 401 or 403."""
        if scope["type"] == "http":
            try:
                self.check(Headers(scope=scope), scope["path"])
            except HttpError as error:
                await error_response(error, close=True)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def check(self, headers: Headers, path: str) -> None:
        """Raises HttpError for a request that is refused."""
        if "origin" in headers or headers.get("sec-fetch-site", "none") not in {
            "none",
            "same-origin",
        }:
            raise HttpError(403, "web pages may not send requests here; send it from a program")
        if not self._is_own(headers.get("host", "")):
            raise HttpError(
                403, "the Host header names another server; use this one's address, as 127.0.0.1"
            )
        if self._token is None or path == PUBLIC:
            return
        kind, _, given = headers.get("authorization", "").partition(" ")
        is_right = hmac.compare_digest(given.strip().encode(), self._token.encode())
        if kind.lower() != "bearer" or not is_right:
            raise HttpError(401, "the token is missing or wrong; send it as Authorization: Bearer")

    def _is_own(self, header: str) -> bool:
        """Whether a Host header can mean this server; names that anyone could register do not."""
        name = host_name(header)
        if is_loopback(name):
            return True
        if is_loopback(self._host):
            return False
        return _is_address(name) or name in {self._host, socket.gethostname().lower()}


def host_name(header: str) -> str:
    """The name in a Host header, without its port, "" where it is malformed."""
    name, port = header.strip().lower(), ""
    if name.startswith("["):
        name, _, port = name[1:].partition("]")
        port = port.removeprefix(":")
    elif name.count(":") == 1:
        name, _, port = name.partition(":")
    return name if not port or port.isdecimal() else ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
