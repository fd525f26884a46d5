"""Prompt tokens that a server has computed, by what its log says of them."""

import re
from pathlib import Path

READ = re.compile(r"(\d+) prompt tokens(?: read ahead|\b.*?(\d+) cached)")


class TokensRead:
    """Counts along a log file and the one that takes its place when that is full."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self._at = 0
        """Bytes of the log that were counted."""
        self._tokens = 0

    def count(self) -> int | None:
        """Those so far; None without a log."""
        if not self.log.exists():
            return None
        if self.log.stat().st_size < self._at:  # the log has a new file
            old = self.log.with_name(self.log.name + ".1")
            self._read(old if old.exists() else self.log)
            self._at = 0
        self._read(self.log)
        return self._tokens

    def _read(self, path: Path) -> None:
        """Count what was written to a file since the last time, whole lines only."""
        with path.open("rb") as file:
            file.seek(self._at)
            data = file.read()
        data = data[: data.rfind(b"\n") + 1]
        self._at += len(data)
        for match in READ.finditer(data.decode("utf-8", "replace")):
            self._tokens += int(match[1]) - int(match[2] or 0)
