"""The log records of the libraries that the servers are built on."""

import logging

from midline.server.logs import LOGGER


def log_libraries() -> None:
    """Send the records of libraries to Midline's log file instead of standard error."""
    for name in ("pygls", "asyncio", "uvicorn"):
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.setLevel(logging.WARNING)
        logger.handlers = [_ToMidline()]


class _ToMidline(logging.Handler):
    """Forwards log records to Midline's logger, whose file may change while the server runs.

    Without their arguments: pygls logs the parameters of a message, which have the user's text.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Pass the record to Midline's handlers."""
        bare = logging.makeLogRecord(record.__dict__)
        bare.args = None  # the message stays as it is, with its placeholders
        LOGGER.handle(bare)
