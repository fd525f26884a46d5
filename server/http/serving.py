"""`midline serve --http`: one model behind HTTP until an interrupt."""

import argparse
import asyncio
import socket
import sys
from collections.abc import Callable
from concurrent.futures import Future
from importlib.util import find_spec
from typing import TYPE_CHECKING

from midline.model.errors import UsageError

if TYPE_CHECKING:
    from midline.model.engines.base import Engine
    from midline.server.lsp.engine_thread import EngineThread

_NEEDED = ("starlette", "uvicorn", "prometheus_client")
_MOST_CONNECTIONS = 256
_GRACE_SECONDS = 2
_REST_SECONDS = 5.0


def add_http_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the address, the token and the model."""
    add = parser.add_argument
    add("--http", metavar="[HOST:]PORT", help="serve HTTP clients, many at once (see docs/http.md)")
    add("--token-file", metavar="FILE", help="with --http: a file with the token to ask for")
    add("--model", metavar="NAME", help="with --http: the model to load (the default one)")
    add("--threads", type=int, metavar="N", help="with --http: number of threads")


def serve_http(host: str, port: int, token_file: str | None, load: "Callable[[], Engine]") -> int:
    """Serve until an interrupt; raises UsageError for an address or a token that will not do."""
    if any(find_spec(name) is None for name in _NEEDED):
        raise UsageError("HTTP needs more packages; install them with pip install 'midline[http]'")
    from midline.server.http.token import find_token
    from midline.server.lsp.engine_thread import EngineThread

    token = find_token(host, token_file)
    listening = _listening(host, port)
    engine = EngineThread()
    try:
        loading = engine.load(load)
        asyncio.run(_serve(engine, loading, listening, host, token))
        if loading.done() and (error := loading.exception()) is not None:
            raise error
    finally:
        engine.close(_REST_SECONDS)
    return 0


def _listening(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=_MOST_CONNECTIONS)
    except OSError as error:
        raise UsageError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error


async def _serve(
    engine: "EngineThread",
    loading: "Future[Engine]",
    listening: socket.socket,
    host: str,
    token: str | None,
) -> None:
    import uvicorn

    from midline.server.http.app import create_app
    from midline.server.http.connections import LimitedConnection
    from midline.server.http.service import Service

    service = Service(engine.client(), loading)
    config = uvicorn.Config(
        create_app(service, host, token),
        http=LimitedConnection,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = uvicorn.Server(config)

    def loaded(done: "Future[Engine]") -> None:
        if done.cancelled() or done.exception() is not None:
            server.should_exit = True

    loading.add_done_callback(loaded)
    address, at = listening.getsockname()[:2]
    shown = f"[{address}]" if ":" in address else address
    print(f"midline: serving http://{shown}:{at}", file=sys.stderr, flush=True)
    try:
        await server.serve(sockets=[listening])
    finally:
        service.batcher.abandon()
