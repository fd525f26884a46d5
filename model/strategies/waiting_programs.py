"""Executions whose sandbox and interpreter are started in advance, while a model writes.

Starting both takes longer than most candidates run. The interpreter waits, with its modules
imported, for the end of its standard input, and then executes the file that is there by then. What
isolates it is the same as without waiting, and so are its limits from then on.
"""

import threading
from concurrent.futures import Future, wait
from dataclasses import replace
from pathlib import Path

from midline.model.sandbox import Limits, Sandbox
from midline.model.sandbox.execution import Outcome, execute
from midline.model.strategies.programs import (
    CANDIDATES,
    Programs,
    command_of,
    policy_of,
    private_folder,
)

POLL_SECONDS = 0.05
LONGEST_SECONDS = 120.0
"""Most seconds: the limit of processor time is set before the number of candidates is known."""
_WAITING = """\
import json, os, resource, signal, sys
sys.stdin.read()
with open(sys.argv[1], encoding="utf-8", errors="surrogatepass") as file:
    source = file.read()
exec(compile(source, "candidates", "exec"))
"""


class WaitingPrograms(Programs):
    """`Programs` with at most one interpreter that waits. Only Python's does."""

    _next: "_Waiting | None" = None

    def prepare(self, language: str) -> None:
        """Start an interpreter, unless one waits already."""
        if language == "python" and self._next is None:
            self._next = _Waiting(self.sandbox, self.limits, self.stop)

    def close(self) -> None:
        """End the one that waits."""
        if self._next is not None:
            self._next.end()
            self._next = None

    def output(self, language: str, source: bytes, seconds: float) -> bytes:
        """See `Programs`."""
        waiting, self._next = self._next, None
        if waiting is None or language != "python":
            return super().output(language, source, seconds)
        return waiting.output(source, min(seconds, LONGEST_SECONDS))


class _Waiting:
    """A sandbox with an interpreter in it, on a thread of its own."""

    def __init__(self, sandbox: Sandbox, limits: Limits, stop: threading.Event | None) -> None:
        self._sandbox, self._stop = sandbox, stop
        self._limits = replace(limits, seconds=LONGEST_SECONDS)
        self._asked: Future[tuple[bytes | None, float]] = Future()
        self._ended: Future[Outcome] = Future()
        threading.Thread(target=self._run, name="sandbox").start()

    def output(self, source: bytes, seconds: float) -> bytes:
        """Execute a program and wait for its end."""
        self._asked.set_result((source, seconds))
        return self._ended.result().stdout

    def end(self) -> None:
        """End the interpreter, without waiting for that."""
        self._asked.set_result((None, 0.0))

    def _run(self) -> None:
        try:
            with private_folder() as folder:
                path = folder / "program" / CANDIDATES
                command = command_of("python")
                policy = policy_of(folder, command[0], self._limits)
                argv = [*command, "-c", _WAITING, str(path)]
                outcome = execute(
                    self._sandbox, argv, policy, stop=self._stop, ready=lambda: self._ready(path)
                )
            self._ended.set_result(outcome)
        except BaseException as error:  # noqa: BLE001 - whoever asks gets it
            self._ended.set_exception(error)

    def _ready(self, path: Path) -> float:
        """Seconds for what was asked, once its source is there; 0 if nothing will be."""
        while not self._asked.done():
            if self._stop is not None and self._stop.is_set():
                return 0.0
            wait((self._asked,), POLL_SECONDS)
        source, seconds = self._asked.result()
        if source is None:
            return 0.0
        path.write_bytes(source)
        return seconds
