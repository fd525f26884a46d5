"""Errors in the shape that OpenAI's clients read: one sentence, with a status that fits."""

from starlette.responses import JSONResponse

from midline.model.errors import MidlineError

_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error"}


class HttpError(MidlineError):
    """A request that is answered with `status` and one sentence; `field` names the culprit."""

    def __init__(self, status: int, sentence: str, field: str | None = None) -> None:
        super().__init__(sentence)
        self.status, self.field = status, field


def error_object(error: MidlineError) -> dict[str, object]:
    """The `error` object of an answer."""
    status = status_of(error)
    kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    field = error.field if isinstance(error, HttpError) else None
    return {"message": str(error), "type": kind, "param": field, "code": status}


def error_response(error: MidlineError, *, close: bool = False) -> JSONResponse:
    """The answer to a request that failed; with `close` the connection ends behind it."""
    status = status_of(error)
    headers = {"connection": "close"} if close else {}
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    return JSONResponse({"error": error_object(error)}, status, headers)


def status_of(error: MidlineError) -> int:
    """The HTTP status of an error: what the engine refuses is the request's fault."""
    return error.status if isinstance(error, HttpError) else 400
