"""Run the language server on standard input and output, for editors.

All editors of a user share one engine process, which the first one starts: the model is in memory
once. --own keeps an engine in this process instead.

Settings come from the editor, under `midline`; --print-settings lists them. --tcp waits for one
client on this machine, or on the address HOST, with an engine of its own. There is no
authentication: any process that can connect to the port is served. --http serves any number of
other clients, with the endpoints of OpenAI and of llama.cpp's editor plug-ins; docs/http.md
describes them.

examples:
  midline serve
  midline serve --own
  midline serve --tcp 5007
  midline serve --http 127.0.0.1:8012
  midline serve --print-settings
"""

import argparse
from typing import TYPE_CHECKING

from midline.model.errors import UsageError
from midline.server.http.serving import add_http_arguments, serve_http
from midline.server.lsp.libraries import log_libraries
from midline.server.lsp.transports import LOOPBACK

if TYPE_CHECKING:
    from midline.model.engines.base import Engine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the transport and the listing of settings."""
    parser.add_argument("--tcp", metavar="[HOST:]PORT", help="serve one client on a TCP port")
    add_http_arguments(parser)
    parser.add_argument(
        "--own", action="store_true", help="load the model into this process, for this editor only"
    )
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
        from midline.server.lsp.settings import settings_as_json

        print(settings_as_json())
        return 0
    address = None if args.tcp is None else _address(args.tcp)
    log_libraries()
    if args.http is not None:
        return _serve_http(args)
    if address is None and not args.own:
        from midline.server.daemon.serving import serve_through_engine
        from midline.server.daemon.starting import Starter

        return serve_through_engine(Starter().connect, _serve_alone)
    if address is None:
        return _serve_alone()
    from midline.server.lsp.server import create_server

    return create_server().serve_tcp(*address)


def _serve_alone(notice: str = "") -> int:
    """Serve with an engine in this process; `notice` is shown to the user first."""
    from midline.server.lsp.server import create_server

    server = create_server()
    server.notice = notice
    return server.serve_stdio()


def _serve_http(args: argparse.Namespace) -> int:
    """Serve HTTP clients until an interrupt."""
    if args.tcp is not None:
        raise UsageError("--tcp and --http are two servers; start one of them")

    def load() -> "Engine":
        from midline.model.catalog.catalog import DEFAULT_MODEL
        from midline.model.engines.load import load_engine

        engine = load_engine(args.model or DEFAULT_MODEL, threads=args.threads)
        engine.warm_up()
        return engine

    return serve_http(*_address(args.http, "--http"), args.token_file, load)


def _address(text: str, option: str = "--tcp") -> tuple[str, int]:
    """Host and port; the host defaults to the loopback address."""
    host, _, port = text.rpartition(":")
    is_port = port.isdecimal() and len(port) <= 5 and int(port) <= 65535
    if not is_port:
        raise UsageError(
            f"{option} {text!r:.60} is not of the form [HOST:]PORT, as in 127.0.0.1:5007"
        )
    return host.strip("[]") or LOOPBACK, int(port)
