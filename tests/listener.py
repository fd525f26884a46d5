"""An engine process of another version, as far as its handshake goes."""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from midline.server.daemon.places import Place, private_folder


@dataclass
class Listener:
    """Answers every line at `place`; one that is asked to retire does if it has no clients."""

    place: Place
    clients: int = 0
    is_silent: bool = False
    heard: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        private_folder(self.place.folder)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(str(self.place.socket))
        self._socket.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as file:
                data = file.readline()
                if not data or self.is_silent:
                    self._wait_for_end(connection)
                    continue
                self.heard.append(json.loads(data))
                retires = self.heard[-1]["role"] in ("retire", "stop") and self.clients == 0
                if retires:
                    self.close()
                file.write(self._reply(retires))

    def _wait_for_end(self, connection: socket.socket) -> None:
        while connection.recv(1 << 16):
            pass

    def _reply(self, welcome: bool) -> bytes:
        reply = {
            "welcome": welcome,
            "pid": os.getpid(),
            "protocol": 99,
            "midline": "99.0",
            "build": "other",
            "clients": self.clients,
        }
        return json.dumps(reply).encode() + b"\n"

    def close(self) -> None:
        """Listen no more, and remove the socket."""
        self.place.socket.unlink(missing_ok=True)
        self._socket.close()


@pytest.fixture
def listening() -> Iterator[Callable[..., Listener]]:
    """Makes listeners, which are closed behind the test."""
    made: list[Listener] = []

    def make(place: Place, **how: Any) -> Listener:
        made.append(Listener(place, **how))
        return made[-1]

    yield make
    for listener in made:
        listener.close()
