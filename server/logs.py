"""The log file, which has the details that one-sentence errors leave out."""

import contextlib
import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

from midline.model.paths import log_folder

LOGGER = logging.getLogger("midline")
_FORMAT = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"
_MAX_BYTES = 2_000_000
_BACKUPS = 3


def log_path() -> Path:
    """The file that `log_to_file` writes to."""
    return log_folder() / "midline.log"


def log_to_file(level: int = logging.INFO) -> None:
    """Send the records of every `midline.*` logger to `log_path()`, and nowhere else.

    The file is created with the first record. If it cannot be written, the command continues
    without a log, and `log_hint` says so.
    """
    close_log()
    LOGGER.setLevel(level)
    LOGGER.propagate = False
    LOGGER.addHandler(_LogFile(log_path(), level))


def close_log() -> None:
    """Detach and close the log file, so that another may be opened."""
    LOGGER.propagate = True
    for handler in [h for h in LOGGER.handlers if isinstance(h, _LogFile)]:
        LOGGER.removeHandler(handler)
        handler.close()


def log_hint() -> str:
    """End of an error sentence: where the rest is, or that it could not be kept."""
    path = log_path()
    return f"see {path}" if path.exists() else f"and the log {path} could not be written"


class _LogFile(RotatingFileHandler):
    """A rotating file opened at the first record, silent about a disk that refuses it."""

    def __init__(self, path: Path, level: int) -> None:
        super().__init__(
            path, maxBytes=_MAX_BYTES, backupCount=_BACKUPS, encoding="utf-8", delay=True
        )
        self.setLevel(level)
        self.setFormatter(logging.Formatter(_FORMAT))

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError):
            Path(self.baseFilename).parent.mkdir(0o700, parents=True, exist_ok=True)
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """A record that cannot be written is dropped; standard error belongs to the user."""
