"""Hands a listening socket to the engine process, behind the handshake of the role `http`.

One message goes to the engine process: a line of JSON, and the socket along with it (SCM_RIGHTS).
One comes back where it cannot serve: a line of JSON with the reason. The connection stays open as
long as both sides want HTTP served.
"""

import json
import socket
from dataclasses import asdict, dataclass
from typing import Any

from midline.server.daemon.handshake import MAX_LINE, SECONDS


@dataclass(frozen=True)
class Wanted:
    """What is to be served, and how.

    host: the address that the socket is bound to. token: to ask clients for. model, threads: to
    load; None takes what there is.
    """

    host: str
    token: str | None = None
    model: str | None = None
    threads: int | None = None


def hand_over(connection: socket.socket, listening: socket.socket, wanted: Wanted) -> None:
    """Send a socket; both processes have it then."""
    message = json.dumps(asdict(wanted)).encode() + b"\n"
    socket.send_fds(connection, [message], [listening.fileno()])


def take_over(connection: socket.socket) -> tuple[socket.socket, Wanted]:
    """Receive a socket. Raises ValueError for anything else, TimeoutError if nothing comes."""
    connection.settimeout(SECONDS)
    message, descriptors, _, _ = socket.recv_fds(connection, MAX_LINE, 1)
    sockets = [socket.socket(fileno=descriptor) for descriptor in descriptors]
    try:
        found: Any = json.loads(message)
        wanted = Wanted(**found)
        (listening,) = sockets
    except (TypeError, ValueError) as error:
        for received in sockets:
            received.close()
        raise ValueError("a listening socket was to come") from error
    return listening, wanted


def refusal(sentence: str) -> bytes:
    """What is sent back instead of serving."""
    return json.dumps({"failed": sentence}).encode() + b"\n"


def wait_for_end(connection: socket.socket) -> str:
    """Block until the engine process ends or refuses; its reason, "" if it gave none."""
    data = b""
    try:
        while not data.endswith(b"\n") and len(data) < MAX_LINE:
            more = connection.recv(1 << 16)
            if not more:
                return ""
            data += more
        return str(json.loads(data)["failed"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
