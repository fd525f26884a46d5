"""Numbers about the requests, in the form that Prometheus reads."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from midline.server.http.batching import Batcher

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)


class Metrics:
    """The counters of one server; they hold no text and no name of a file."""

    def __init__(self, batchers: "Sequence[Batcher]") -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "midline_http_requests", "Requests answered.", ["path", "status"], registry=registry
        )
        self._seconds = Histogram(
            "midline_http_request_seconds",
            "Time until an answer was complete, or its stream began.",
            ["path"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._first = Histogram(
            "midline_first_token_seconds",
            "Time from a request's turn to wait until its first token.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._prompt = Counter("midline_prompt_tokens", "Tokens of prompts.", registry=registry)
        self._cached = Counter(
            "midline_cached_prompt_tokens",
            "Tokens of prompts that were found in the prefix cache.",
            registry=registry,
        )
        self._generated = Counter("midline_generated_tokens", "Tokens written.", registry=registry)
        running = Gauge("midline_requests_running", "Requests being decoded.", registry=registry)
        running.set_function(lambda: sum(batcher.running for batcher in batchers))
        waiting = Gauge("midline_requests_waiting", "Requests waiting for room.", registry=registry)
        waiting.set_function(lambda: sum(batcher.waiting for batcher in batchers))

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def began(self, seconds: float) -> None:
        """Record the time that a first token took."""
        self._first.observe(seconds)

    def generated(self, prompt: int, cached: int, written: int) -> None:
        """Count the tokens of a request."""
        self._prompt.inc(prompt)
        self._cached.inc(cached)
        self._generated.inc(written)

    def text(self) -> bytes:
        """All numbers."""
        return generate_latest(self._registry)
