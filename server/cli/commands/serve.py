"""Run the language server on standard input and output, for editors.

All editors of a user share one engine process, which the first one starts: the model is in memory
once. --own keeps an engine in this process instead.

Settings come from the editor, under `midline`; --print-settings lists them. --tcp waits for one
client on this machine, with an engine of its own, or on the address HOST, which needs a token: the
client sends it as initializationOptions.token. --http serves any number of
other clients with the model of the editors, or with one of its own; docs/http.md describes the
endpoints, which are those of OpenAI and of llama.cpp's editor plug-ins.

examples:
  midline serve
  midline serve --own
  midline serve --tcp 5007
  midline serve --http 127.0.0.1:8012
  midline serve --http 127.0.0.1:8012 --own --model qwen2.5-coder-1.5b
  midline serve --print-settings
"""

import argparse
import socket
import sys
from typing import TYPE_CHECKING

from midline.model.errors import UsageError
from midline.server.http.serving import add_http_arguments
from midline.server.logs import LOGGER
from midline.server.lsp.libraries import log_libraries
from midline.server.lsp.network_address import parse_address

if TYPE_CHECKING:
    from midline.model.engines.base import Engine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the transport and the listing of settings."""
    parser.add_argument("--tcp", metavar="[HOST:]PORT", help="serve one client on a TCP port")
    add_http_arguments(parser)
    parser.add_argument(
        "--own",
        action="store_true",
        help="load the model into this process, for its own clients only",
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
    address = None if args.tcp is None else parse_address(args.tcp, "--tcp")
    log_libraries()
    if args.http is not None:
        return _serve_http(args)
    if address is None and not args.own:
        from midline.server.daemon.serving import serve_through_engine
        from midline.server.daemon.starting import Starter

        return serve_through_engine(Starter().connect, _serve_alone)
    if address is None:
        return _serve_alone()
    from midline.server.http.token import find_token
    from midline.server.lsp.server import create_server

    token = find_token(address[0], args.token_file)
    return create_server().serve_tcp(*address, token)


def _serve_alone(notice: str = "") -> int:
    """Serve with an engine in this process; `notice` is shown to the user first."""
    from midline.server.lsp.server import create_server

    server = create_server()
    server.notice = notice
    return server.serve_stdio()


def _serve_http(args: argparse.Namespace) -> int:
    """Serve HTTP clients until an interrupt."""
    from midline.server.http.serving import check_packages, listen
    from midline.server.http.token import find_token

    if args.tcp is not None:
        raise UsageError("--tcp and --http are two servers; start one of them")
    host, port = parse_address(args.http, "--http")
    check_packages()
    token = find_token(host, args.token_file)
    with listen(host, port) as listening:
        if args.own:
            return _serve_http_alone(listening, host, token, args)
        from midline.server.daemon.handing_over import Wanted
        from midline.server.daemon.handshake import HTTP
        from midline.server.daemon.http_front import serve_http_through_engine
        from midline.server.daemon.places import NoEngineProcessError
        from midline.server.daemon.starting import Starter

        wanted = Wanted(host, token, args.model, args.threads)
        try:
            return serve_http_through_engine(listening, wanted, Starter(role=HTTP).connect)
        except NoEngineProcessError as error:
            LOGGER.warning("%s", error)
            print(f"midline: {error}; this server has a model of its own", file=sys.stderr)
            return _serve_http_alone(listening, host, token, args)


def _serve_http_alone(
    listening: socket.socket, host: str, token: str | None, args: argparse.Namespace
) -> int:
    """Serve HTTP with an engine in this process."""
    from midline.server.http.serving import serve_alone

    def load() -> "Engine":
        from midline.model.catalog.catalog import DEFAULT_MODEL
        from midline.model.engines.load import load_engine

        engine = load_engine(args.model or DEFAULT_MODEL, threads=args.threads)
        engine.warm_up()
        return engine

    return serve_alone(listening, host, token, load)
