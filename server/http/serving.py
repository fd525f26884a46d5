"""`midline serve --http`: HTTP until an interrupt, with the engine process or without.

The socket that listens is this process's. It is handed to the engine process, which answers the
requests, so that all clients of a user share one model; when that process is gone, the next one
gets it, and clients that connect meanwhile wait in its queue.
"""

import argparse
import asyncio
import socket
import sys
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from typing import TYPE_CHECKING

from midline.model.errors import UsageError

if TYPE_CHECKING:
    import uvicorn

    from midline.model.engines.base import Engine
    from midline.server.http.service import Service

_NEEDED = ("starlette", "uvicorn", "prometheus_client")
MOST_CONNECTIONS = 256
_GRACE_SECONDS = 2
_REST_SECONDS = 5.0


def add_http_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the address, the token and the model."""
    add = parser.add_argument
    add("--http", metavar="[HOST:]PORT", help="serve HTTP clients, many at once (see docs/http.md)")
    add("--token-file", metavar="FILE", help="with --http or --tcp: the token to ask for")
    add("--model", metavar="NAME", help="with --http: the model to load for all clients")
    add("--threads", type=int, metavar="N", help="with --http: number of threads")


def check_packages() -> None:
    """Raise UsageError where the packages of the extra are missing."""
    if any(find_spec(name) is None for name in _NEEDED):
        raise UsageError("HTTP needs more packages; install them with pip install 'midline[http]'")


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens, whose address is said on standard error. Raises UsageError."""
    listening = bound(host, port)
    print(f"midline: serving http://{shown(listening)}", file=sys.stderr, flush=True)
    return listening


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises UsageError."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=MOST_CONNECTIONS)
    except (OSError, ValueError) as error:  # a name that cannot be one is a ValueError
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot listen on {host:.80}:{port}: {reason}") from error


def shown(listening: socket.socket) -> str:
    """Host and port of a socket that listens, as in an address."""
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def serve_alone(
    listening: socket.socket, host: str, token: str | None, load: "Callable[[], Engine]"
) -> int:
    """Serve with an engine of this process until an interrupt; raises what loading raises."""
    from midline.server.http.service import Service
    from midline.server.lsp.engine_thread import EngineThread

    engine = EngineThread()
    try:
        loading = engine.load(load)
        asyncio.run(_serve(Service(engine), loading, listening, host, token))
        if loading.done() and (error := loading.exception()) is not None:
            raise error
    finally:
        engine.close(_REST_SECONDS)
    return 0


async def _serve(
    service: "Service",
    loading: "Future[Engine]",
    listening: socket.socket,
    host: str,
    token: str | None,
) -> None:
    server = http_server(service, host, token)

    def loaded(done: "Future[Engine]") -> None:
        if done.cancelled() or done.exception() is not None:
            server.should_exit = True

    loading.add_done_callback(loaded)
    try:
        await server.serve(sockets=[listening])
    finally:
        service.close()


def http_server(
    service: "Service", host: str, token: str | None, *, takes_signals: bool = True
) -> "uvicorn.Server":
    """The server of a service; it ends when its `should_exit` is set, or by a signal."""
    import uvicorn

    from midline.server.http.app import create_app
    from midline.server.http.connections import LimitedConnection

    class Quiet(uvicorn.Server):
        """Leaves signals to the process that it is a part of."""

        def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
            return nullcontext()

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
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    return (uvicorn.Server if takes_signals else Quiet)(config)
