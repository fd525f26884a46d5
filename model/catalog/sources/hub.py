"""The model hub over HTTPS, resuming with byte ranges.

Networks that cannot reach the hub are common, so a failure to connect is detected within seconds,
however many addresses its name has.
"""

import http.client
import os
import re
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, urlsplit

from midline.model.catalog.catalog import ModelEntry
from midline.model.catalog.sources import Report, SourceError

ENDPOINT_VARIABLE = "HF_ENDPOINT"
TOKEN_VARIABLE = "HF_TOKEN"
DEFAULT_ENDPOINT = "https://huggingface.co"
ANSWER_SECONDS = 6.0
STALL_SECONDS = 30.0
CHUNK_BYTES = 1 << 20
TRIES = 4


class HubSource:
    """`endpoint` is the URL of the hub; `answer_seconds` bounds the wait for its first response."""

    name = "hub"

    def __init__(self, endpoint: str | None = None, answer_seconds: float = ANSWER_SECONDS) -> None:
        self.endpoint = (endpoint or os.environ.get(ENDPOINT_VARIABLE) or DEFAULT_ENDPOINT).rstrip(
            "/"
        )
        self.answer_seconds = answer_seconds

    def announcement(self, entry: ModelEntry) -> str:
        """Nothing: the user named this place, or the publisher keeps it."""
        return ""

    def fetch(self, entry: ModelEntry, folder: Path, report: Report) -> Path:
        """Download, resuming a partial file in `folder`.

        A connection that breaks during the download is reopened, up to `TRIES` times.
        """
        partial = folder / "hub"
        for attempt in range(1, TRIES + 1):
            begun = _size(partial)
            try:
                self._continue(entry, partial, report)
                break
            except SourceError:
                if _size(partial) <= begun or attempt == TRIES:
                    raise
        return partial

    def _continue(self, entry: ModelEntry, partial: Path, report: Report) -> None:
        start = _size(partial)
        if start > entry.bytes:
            partial.unlink()
            start = 0
        if start == entry.bytes:
            return
        response = self._open(entry, start)
        with response:
            start = self._accept(response, entry, start)
            with partial.open("r+b" if start else "wb") as target:
                target.seek(start)
                self._copy(response, target, entry, report)

    def _open(self, entry: ModelEntry, start: int) -> http.client.HTTPResponse:
        url = f"{self.endpoint}/{entry.hub_repository}/resolve/main/{quote(entry.file)}"
        headers = {"User-Agent": "midline", "Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        request = urllib.request.Request(url, headers=headers)
        token = os.environ.get(TOKEN_VARIABLE)
        if token and url.startswith("https:"):
            # The file itself lies on another host, which is not to learn the token.
            request.add_unredirected_header("Authorization", f"Bearer {token}")
        return _answer(request, self.answer_seconds)

    def _accept(self, response: http.client.HTTPResponse, entry: ModelEntry, start: int) -> int:
        """The offset of the response's first byte; SourceError unless it ends with the model."""
        if response.status == http.client.PARTIAL_CONTENT:
            found = re.fullmatch(
                r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", "")
            )
            if not found or int(found[1]) != start:
                raise SourceError(f"{self._host} answered another byte range than asked")
            total = found[2]
        else:
            start = 0
            total = response.headers.get("Content-Length") or "*"
        if total != "*" and int(total) != entry.bytes:
            raise SourceError(
                f"{self._host} has {entry.file} with {total} bytes instead of {entry.bytes}"
            )
        return start

    def _copy(
        self,
        response: http.client.HTTPResponse,
        target: BinaryIO,
        entry: ModelEntry,
        report: Report,
    ) -> None:
        while True:
            try:
                chunk = response.read(CHUNK_BYTES)
            except (OSError, http.client.HTTPException) as error:
                raise SourceError(f"{self._host} stopped sending ({_reason(error)})") from error
            if not chunk:
                break
            target.write(chunk)
            if target.tell() > entry.bytes:
                target.truncate(0)
                raise SourceError(f"{self._host} sent more than the {entry.bytes} bytes expected")
            report(target.tell())
        if target.tell() < entry.bytes:
            raise SourceError(f"{self._host} stopped sending at byte {target.tell()}")

    @property
    def _host(self) -> str:
        return urlsplit(self.endpoint).netloc


def _answer(request: urllib.request.Request, seconds: float) -> http.client.HTTPResponse:
    """Open `request`, or raise SourceError within about `seconds`.

    The request runs in a thread of its own, because name resolution has no timeout and the socket's
    timeout applies to each address of a name separately.
    """
    outcome: list[http.client.HTTPResponse | Exception] = []

    def work() -> None:
        try:
            outcome.append(urllib.request.urlopen(request, timeout=STALL_SECONDS))
        except Exception as error:  # noqa: BLE001 - raised again by the waiting thread
            outcome.append(error)

    thread = threading.Thread(target=work, daemon=True, name="midline-hub")
    thread.start()
    thread.join(seconds)
    host = urlsplit(request.full_url).netloc
    if not outcome:
        raise SourceError(f"{host} did not answer within {seconds:g} s")
    result = outcome[0]
    if isinstance(result, urllib.error.HTTPError):
        result.close()
        raise SourceError(f"{host} answered {result.code} {result.reason}") from result
    if isinstance(result, Exception):
        raise SourceError(f"cannot reach {host} ({_reason(result)})") from result
    return result


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    if isinstance(reason, TimeoutError):
        return "timed out"
    text = getattr(reason, "strerror", None) or str(reason)
    return str(text) or type(error).__name__


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
