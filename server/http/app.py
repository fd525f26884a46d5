"""The ASGI application: the guard in front, the endpoints behind it, every failure a sentence."""

import time
from collections.abc import Awaitable, Callable
from types import ModuleType

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from midline.model.cancellation import Cancelled
from midline.model.errors import MidlineError
from midline.server.http.endpoints import (
    chat_completions,
    completions,
    health,
    infill,
    metrics,
    models,
)
from midline.server.http.errors import HttpError, error_response
from midline.server.http.guard import Guard
from midline.server.http.service import Service
from midline.server.logs import LOGGER, log_hint

ENDPOINTS: tuple[ModuleType, ...] = (
    chat_completions, completions, health, infill, metrics, models,
)  # fmt: skip
_CLOSING = {408, 413}
"""Statuses behind which the rest of the request is not read."""


def create_app(service: Service, host: str, token: str | None = None) -> ASGIApp:
    """The application of a server that is bound to `host`."""
    routes = [
        Route(endpoint.PATH, _handler(service, endpoint), methods=[endpoint.METHOD])
        for endpoint in ENDPOINTS
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _not_there})
    return Guard(app, host, token)


def _handler(service: Service, endpoint: ModuleType) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        began = time.perf_counter()
        response = await _answered(service, endpoint, request)
        seconds = time.perf_counter() - began
        service.metrics.answered(endpoint.PATH, response.status_code, seconds)
        return response

    return handle


async def _answered(service: Service, endpoint: ModuleType, request: Request) -> Response:
    """What the endpoint answers, or an error in OpenAI's shape."""
    try:
        response: Response = await endpoint.answer(service, request)
        return response
    except MidlineError as error:
        LOGGER.info("%s: %s", endpoint.PATH, error, exc_info=error.__cause__)
        status = error.status if isinstance(error, HttpError) else 400
        return error_response(error, close=status in _CLOSING)
    except Cancelled:
        return error_response(HttpError(503, "the server is being stopped; try again"))
    except Exception as error:  # noqa: BLE001 - the log has it, the client a sentence
        LOGGER.exception("%s", endpoint.PATH)
        return error_response(HttpError(500, f"unexpected {type(error).__name__}; {log_hint()}"))


async def _not_there(request: Request, error: Exception) -> Response:
    """An unknown path or a wrong method."""
    assert isinstance(error, HTTPException)
    known = ", ".join(f"{endpoint.METHOD} {endpoint.PATH}" for endpoint in ENDPOINTS)
    sentence = f"there is no such endpoint; there is {known}"
    return error_response(HttpError(error.status_code, sentence))
