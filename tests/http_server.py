"""The HTTP server in a thread of the test, on a free port, with a fake or a tiny engine."""

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import Callable, Collection, Iterator
from typing import Any
from urllib.request import Request as UrlRequest
from urllib.request import urlopen

import uvicorn

from midline.model.engines.base import Engine
from midline.server.http.app import create_app
from midline.server.http.connections import LimitedConnection
from midline.server.http.service import Service
from midline.server.lsp.engine_thread import EngineThread


class HttpServer:
    """`url` is its address; `service` and `engine` are what it serves with; `connections` are
    those that are open."""

    def __init__(
        self, url: str, service: Service, engine: Engine, connections: Collection[object]
    ) -> None:
        self.url, self.service, self.engine = url, service, engine
        self.connections = connections

    def post(self, path: str, body: Any, **headers: str) -> Any:
        """The JSON answer to a JSON body; HTTPError for an error."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        with urlopen(UrlRequest(self.url + path, data, headers), timeout=60) as answer:
            return json.loads(answer.read())

    def get(self, path: str) -> str:
        """The text at a path."""
        with urlopen(self.url + path, timeout=60) as answer:
            return str(answer.read().decode())

    def events(self, path: str, body: Any) -> list[Any]:
        """The objects of a stream, which has to end with `[DONE]`."""
        with urlopen(UrlRequest(self.url + path, json.dumps(body).encode()), timeout=60) as answer:
            text = answer.read().decode()
        lines = [line.removeprefix("data: ") for line in text.split("\n\n") if line]
        assert lines.pop() == "[DONE]"
        return [json.loads(line) for line in lines]

    def connect(self) -> socket.socket:
        """A bare connection."""
        host, port = self.url.removeprefix("http://").split(":")
        return socket.create_connection((host, int(port)), timeout=30)


@contextlib.contextmanager
def http_server(load: Callable[[], Engine], token: str | None = None) -> Iterator[HttpServer]:
    """A server that has loaded its engine, ended behind the block."""
    thread = EngineThread()
    loading = thread.load(load)
    service = Service(thread)
    config = uvicorn.Config(
        create_app(service, "127.0.0.1", token), http=LimitedConnection, ws="none", lifespan="off",
        log_config=None, access_log=False, timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    url = "http://{}:{}".format(*listening.getsockname())
    running = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
    running.start()
    try:
        yield HttpServer(url, service, loading.result(60), server.server_state.connections)
    finally:
        server.should_exit = True
        running.join(30)
        service.close()
        thread.close(10)
