"""Run the language server on standard input and output, for editors.

Settings come from the editor, under `midline`; --print-settings lists them. --tcp waits for one
client on this machine, or on the address HOST. There is no authentication: any process that can
connect to the port is served.

examples:
  midline serve
  midline serve --tcp 5007
  midline serve --print-settings
"""

import argparse
import logging

from midline.model.errors import UsageError
from midline.server.logs import LOGGER
from midline.server.lsp.settings import settings_as_json
from midline.server.lsp.transports import LOOPBACK


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the transport and the listing of settings."""
    parser.add_argument("--tcp", metavar="[HOST:]PORT", help="serve one client on a TCP port")
    parser.add_argument(
        "--print-settings",
        action="store_true",
        help="print all settings with their defaults as JSON and exit",
    )
    # Accepted because many clients pass it; standard input and output are the default anyway.
    parser.add_argument("--stdio", action="store_true", help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Serve one client until it leaves."""
    if args.print_settings:
        print(settings_as_json())
        return 0
    address = None if args.tcp is None else _address(args.tcp)
    _log_libraries()
    from midline.server.lsp.server import create_server

    server = create_server()
    return server.serve_stdio() if address is None else server.serve_tcp(*address)


def _address(text: str) -> tuple[str, int]:
    """Host and port; the host defaults to the loopback address."""
    host, _, port = text.rpartition(":")
    is_port = port.isdecimal() and len(port) <= 5 and int(port) <= 65535
    if not is_port:
        raise UsageError(f"--tcp {text!r:.60} is not of the form [HOST:]PORT, as in 127.0.0.1:5007")
    return host.strip("[]") or LOOPBACK, int(port)


def _log_libraries() -> None:
    """Send the log records of pygls and asyncio to Midline's log file instead of standard error."""
    for name in ("pygls", "asyncio"):
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.setLevel(logging.WARNING)
        logger.handlers = [_ToMidline()]


class _ToMidline(logging.Handler):
    """Forwards log records to Midline's logger, whose file may change while the server runs."""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass the record to Midline's handlers."""
        LOGGER.handle(record)
