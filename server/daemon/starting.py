"""Finds the engine process, or starts it: however many clients begin at once, there is one."""

import contextlib
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import filelock

from midline.server.daemon.handshake import LSP, RETIRE, Connection, call
from midline.server.daemon.places import (
    NoEngineProcessError,
    Place,
    own_place,
    private_folder,
    shared_place,
)
from midline.server.daemon.spare import HAS_SPARE
from midline.server.logs import log_hint

LOGGER = logging.getLogger(__name__)
COMMAND = (sys.executable, "-P", "-m", "midline.server.cli.main", "engine", "run", "--at")
"""How the engine process is started; the name of its place comes last."""
START_SECONDS = 20.0
"""Longest wait until a process that was started listens."""
_LOOK_SECONDS = 0.02
_SPARE_SECONDS = 0.3
"""Longest wait for the spare of a process that has left its socket behind."""


@dataclass(frozen=True)
class Starter:
    """Connects to the engine process in a role, and starts it with `command` if there is none."""

    command: Sequence[str] = COMMAND
    role: str = LSP

    def connect(self) -> Connection:
        """A session's connection; blocks. NoEngineProcessError, with what to do."""
        deadline = time.monotonic() + START_SECONDS
        for place in (shared_place(), own_place()):
            private_folder(place.folder)
            try:
                connection = self._join(place, deadline)
            except TimeoutError as error:
                raise NoEngineProcessError(
                    "the engine process does not answer; `midline engine stop` ends it"
                ) from error
            if connection is not None:
                return connection
        raise NoEngineProcessError(f"engine processes of other versions are running; {log_hint()}")

    def _join(self, place: Place, deadline: float) -> Connection | None:
        """A connection at this place; None if a process of another installation stays there."""
        while time.monotonic() < deadline:
            connection = call(place, self.role) or self._start(place, deadline)
            if connection is None:
                continue
            if connection.reply.welcome:
                return connection
            connection.socket.close()
            if connection.reply.is_other and not _retires(place):
                LOGGER.info("the engine process at %s is of another installation", place.socket)
                return None
            time.sleep(_LOOK_SECONDS)
        raise TimeoutError

    def _start(self, place: Place, deadline: float) -> Connection | None:
        """Start a process, unless another client does; None if it has to be looked for again."""
        lock = filelock.FileLock(place.start_lock)
        try:
            with lock.acquire(timeout=max(0.0, deadline - time.monotonic())):
                return call(place, self.role) or self._begin(place, deadline)
        except filelock.Timeout:
            raise TimeoutError from None

    def _begin(self, place: Place, deadline: float) -> Connection | None:
        if connection := self._of_spare(place):
            return connection
        process = subprocess.Popen(
            [*self.command, place.name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
        # It outlives its starter, but is not left as a zombie where it does not.
        threading.Thread(target=process.wait, daemon=True, name="engine-process").start()
        while time.monotonic() < deadline:
            if connection := call(place, self.role):
                return connection
            if process.returncode:
                raise NoEngineProcessError(f"the engine process could not start; {log_hint()}")
            time.sleep(_LOOK_SECONDS)
        raise TimeoutError

    def _of_spare(self, place: Place) -> Connection | None:
        """A connection to the spare of a process that was killed, whose socket is still there."""
        until = time.monotonic() + _SPARE_SECONDS
        while HAS_SPARE and place.socket.exists() and time.monotonic() < until:
            if connection := call(place, self.role):
                return connection
            time.sleep(_LOOK_SECONDS)
        return None


def _retires(place: Place) -> bool:
    """Whether the engine process ends, since nobody is connected to it."""
    with contextlib.ExitStack() as stack:
        connection = call(place, RETIRE)
        if connection is None:
            return True
        stack.enter_context(connection)
        return connection.reply.welcome
