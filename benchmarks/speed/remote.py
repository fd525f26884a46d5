"""An engine in a process of its own, driven through a pipe (the parent's side of `worker.py`)."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

from midline.model.errors import MidlineError, UsageError


class RemoteEngine:
    """An engine in its own process; `call` runs one of its methods there.

    `settings` and `resident_bytes` are those reported with the last answer. `environment` holds
    variables of that process that differ from this one's.
    """

    def __init__(
        self,
        name: str,
        model: Path,
        threads: int,
        options: dict[str, Any],
        environment: dict[str, str] | None = None,
    ) -> None:
        self.name = name
        self.settings: dict[str, Any] = {}
        self.resident_bytes: int | None = None
        self._log = tempfile.TemporaryFile(mode="w+")  # noqa: SIM115 - closed in __exit__
        command = [sys.executable, "-P", "-m", "midline.benchmarks.speed.worker"]
        self._process = subprocess.Popen(
            [*command, name, str(model), str(threads), json.dumps(options)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True,
            env={**os.environ, **(environment or {})},
        )  # fmt: skip
        self.versions: dict[str, str] = self._read()["versions"]

    @property
    def pid(self) -> int:
        """Process the engine runs in."""
        return self._process.pid

    def call(self, method: str, **arguments: Any) -> Any:
        """What `method` of the engine returns; MidlineError carries the engine's own sentence."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"call": method, "arguments": arguments}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._stopped() from None
        answer = self._read()
        self.settings = answer["settings"]
        self.resident_bytes = answer["resident_bytes"]
        return answer["value"]

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._stopped()
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            kind = UsageError if answer["exit_status"] == 2 else MidlineError
            raise kind(answer["error"])
        return answer

    def _stopped(self) -> MidlineError:
        return MidlineError(f"the engine {self.name} stopped: {self._last_words()}")

    def _last_words(self) -> str:
        self._process.wait()
        self._log.seek(0)
        lines = [line.strip() for line in self._log if line.strip()]
        errors = [line for line in lines if "Error" in line.partition(":")[0]]
        return (errors or lines or [f"exit status {self._process.returncode}"])[-1]

    def __enter__(self) -> "RemoteEngine":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process, at once if the measurement was broken off."""
        if error is not None:
            self._process.kill()
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._log.close()
