"""`GET /health`: whether the model is loaded; it needs no token."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from midline.server.http.errors import HttpError, error_object
from midline.server.http.service import Service

PATH, METHOD = "/health", "GET"


async def answer(service: Service, request: Request) -> Response:
    """200 with `{"status":"ok"}`, or 503 while the model is being loaded."""
    if service.is_ready:
        return JSONResponse({"status": "ok"})
    error = error_object(HttpError(503, "the model is being loaded"))
    return JSONResponse({"status": "loading", "error": error}, 503)
