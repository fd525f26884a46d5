"""Run the language server on standard input and output, for editors.

Settings come from the editor, under `midline`; --print-settings lists them. --tcp waits for one
client of this machine; with a HOST before the port, at that address of it. Whoever can connect to
the port is served: there is no password.

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
    parser.add_argument("--tcp", metavar="[HOST:]PORT", help="wait for one client at this port")
    parser.add_argument(
        "--print-settings", action="store_true", help="print every setting as JSON, and leave"
    )
    # Many clients add it; standard input and output are used anyway.
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
    """Host and port; without a host, those of this machine alone can connect."""
    host, _, port = text.rpartition(":")
    is_port = port.isdecimal() and len(port) <= 5 and int(port) <= 65535
    if not is_port:
        raise UsageError(f"--tcp {text!r:.60} is not of the form [HOST:]PORT, as in 127.0.0.1:5007")
    return host.strip("[]") or LOOPBACK, int(port)


def _log_libraries() -> None:
    """What pygls and asyncio complain about goes to the log file, and never to standard error."""
    for name in ("pygls", "asyncio"):
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.setLevel(logging.WARNING)
        logger.handlers = [_ToMidline()]


class _ToMidline(logging.Handler):
    """Hands records over to the log of Midline, whatever its file is by then."""

    def emit(self, record: logging.LogRecord) -> None:
        """Let Midline's handlers keep the record."""
        LOGGER.handle(record)
