"""The handshake at the engine's socket: one line of JSON each way, before anything else.

A client says who it is and which role it wants; the engine process answers whether it is welcome.
What follows depends on the role: LSP for `lsp`, a socket (`server/daemon/handing_over.py`) for
`http`, the end of the connection for all others. These
lines keep their form in all versions, so that any client can ask any engine process to end.
"""

import json
import os
import socket
import struct
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any, Self

from midline.server.daemon.places import Place, build

PROTOCOL = 2
"""Number of what follows the handshake; engine and client have to agree."""
MAX_LINE = 1 << 20
SECONDS = 5.0
"""Longest wait for the other side's line."""

LSP, HTTP, STATUS, STOP, RETIRE = "lsp", "http", "status", "stop", "retire"
"""Roles: a session; a socket to serve on; a report; the end, now; the end, unless somebody is
connected."""


@dataclass(frozen=True)
class Hello:
    """What a client says first."""

    role: str
    protocol: int = PROTOCOL
    midline: str = field(default_factory=lambda: version("midline"))
    build: str = field(default_factory=build)
    pid: int = field(default_factory=os.getpid)

    @property
    def fits(self) -> bool:
        """Whether it comes from this very installation."""
        return self.protocol == PROTOCOL and self.build == build()


@dataclass(frozen=True)
class Reply:
    """What the engine process answers. A client that is not welcome learns who is there."""

    welcome: bool
    pid: int
    protocol: int
    midline: str
    build: str
    clients: int
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def is_other(self) -> bool:
        """Whether the engine process is of another version or installation."""
        return self.protocol != PROTOCOL or self.build != build()


def line(message: Hello | Reply) -> bytes:
    """A message as it is sent."""
    return json.dumps(asdict(message)).encode() + b"\n"


def parsed(data: bytes, kind: type[Hello] | type[Reply]) -> Any:
    """A message of this kind; fields that this version does not know are left out. ValueError."""
    found = json.loads(data)
    if not isinstance(found, dict):
        raise ValueError("a handshake is one JSON object")
    known = {name: found[name] for name in kind.__dataclass_fields__ if name in found}
    try:
        return kind(**known)
    except TypeError as error:
        raise ValueError(str(error)) from error


@dataclass
class Connection:
    """A connection to the engine process, behind the handshake; closed with `with`."""

    socket: socket.socket
    reply: Reply

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def call(place: Place, role: str) -> Connection | None:
    """Connect and shake hands; None if nobody listens. TimeoutError if nobody answers."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(SECONDS)
        sock.connect(str(place.socket))
        if peer_user(sock) != os.getuid():
            raise PermissionError(f"{place.socket} is another user's")
        sock.sendall(line(Hello(role)))
        connection = Connection(sock, parsed(_read_line(sock), Reply))
    except TimeoutError:
        sock.close()
        raise
    except (OSError, ValueError):  # ended, or just ending
        sock.close()
        return None
    sock.settimeout(None)
    return connection


def _read_line(sock: socket.socket) -> bytes:
    """The first line; nothing follows it until it was answered."""
    data = b""
    while not data.endswith(b"\n") and len(data) < MAX_LINE:
        more = sock.recv(1 << 16)
        if not more:
            raise ConnectionError("the engine process has ended")
        data += more
    return data


def peer_user(sock: socket.socket) -> int:
    """The number of the user at the other end of a local socket."""
    return _peer(sock)[1]


def peer_process(sock: socket.socket) -> int | None:
    """The number of the process at the other end; None where the system does not say."""
    return _peer(sock)[0]


def _peer(sock: socket.socket) -> tuple[int | None, int]:
    if hasattr(socket, "SO_PEERCRED"):
        data = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        process, user, _ = struct.unpack("3i", data)
        return process, user
    # struct xucred of macOS (LOCAL_PEERCRED of SOL_LOCAL): version, user, groups.
    data = sock.getsockopt(0, 1, 76)
    return None, struct.unpack_from("2I", data)[1]
