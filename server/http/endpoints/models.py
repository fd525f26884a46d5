"""`GET /v1/models`: the one model that is loaded, whatever name a request gives."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from midline.server.http.service import Service

PATH, METHOD = "/v1/models", "GET"


async def answer(service: Service, request: Request) -> Response:
    """A list of one; `meta` has its context length, and whether it fills in the middle."""
    engine = await service.engine()
    model = {
        "id": engine.name,
        "object": "model",
        "created": service.started,
        "owned_by": "midline",
        "meta": {"n_ctx": engine.context_length, "fim": engine.tokenizer.fim is not None},
    }
    return JSONResponse({"object": "list", "data": [model]})
