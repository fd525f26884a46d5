"""Run the language server on standard input and output, for editors.

Settings come from the editor, under `midline`; --print-settings lists them.

examples:
  midline serve
  midline serve --tcp 127.0.0.1:5007
  midline serve --print-settings
"""

import argparse
import logging

from midline.model.errors import UsageError
from midline.server.logs import LOGGER
from midline.server.lsp.settings import settings_as_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the transport and the listing of settings."""
    parser.add_argument("--tcp", metavar="HOST:PORT", help="wait for one client at this address")
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
    _log_pygls()
    from midline.server.lsp.server import create_server

    server = create_server()
    return server.serve_stdio() if address is None else server.serve_tcp(*address)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise UsageError(f"--tcp {text!r} is not of the form HOST:PORT, as in 127.0.0.1:5007")
    return host.strip("[]"), int(port)


def _log_pygls() -> None:
    """What pygls has to complain about goes to the log file, and never to standard error."""
    pygls = logging.getLogger("pygls")
    pygls.propagate = False
    pygls.setLevel(logging.WARNING)
    pygls.handlers = [_ToMidline()]


class _ToMidline(logging.Handler):
    """Hands records over to the log of Midline, whatever its file is by then."""

    def emit(self, record: logging.LogRecord) -> None:
        """Let Midline's handlers keep the record."""
        LOGGER.handle(record)
