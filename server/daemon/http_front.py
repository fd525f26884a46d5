"""`midline serve --http` as a client of the engine process: it listens, and the engine answers."""

import logging
import socket
import time
from collections.abc import Callable

from midline.model.errors import MidlineError
from midline.server.daemon.handing_over import Wanted, hand_over, wait_for_end
from midline.server.daemon.handshake import Connection

LOGGER = logging.getLogger(__name__)
_QUICK_SECONDS, _MOST_QUICK, _PAUSE_SECONDS = 5.0, 3, 5.0
"""After so many processes in a row that ended so soon, the next is started after a pause."""


def serve_http_through_engine(
    listening: socket.socket,
    wanted: Wanted,
    connect: Callable[[], Connection],
    pause: Callable[[float], None] = time.sleep,
) -> int:
    """Have one engine process after the other serve, until an interrupt.

    Raises MidlineError where it refuses to, and NoEngineProcessError where there is none.
    """
    quick = 0
    while True:
        with connect() as connection:
            began = time.monotonic()
            try:
                hand_over(connection.socket, listening, wanted)
            except OSError:
                LOGGER.warning("the engine process has ended just now")
            reason = wait_for_end(connection.socket)
        if reason:
            raise MidlineError(reason)
        LOGGER.warning("the engine process has ended and is started again")
        quick = quick + 1 if time.monotonic() - began < _QUICK_SECONDS else 0
        if quick >= _MOST_QUICK:
            pause(_PAUSE_SECONDS)
