"""`GET /metrics`: numbers about the requests, for Prometheus."""

from starlette.requests import Request
from starlette.responses import Response

from midline.server.http.metrics import CONTENT_TYPE
from midline.server.http.service import Service

PATH, METHOD = "/metrics", "GET"


async def answer(service: Service, request: Request) -> Response:
    """All numbers as text."""
    return Response(service.metrics.text(), headers={"content-type": CONTENT_TYPE})
