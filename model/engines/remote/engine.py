"""The remote engine: a model behind OpenAI's `/v1/completions`, wherever it runs."""

import http.client
import json
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from midline.model.cancellation import Cancellation
from midline.model.decoding.options import SamplingOptions
from midline.model.decoding.request import Generation, More, OnDone, OnToken, Request
from midline.model.engines.base import GREEDY, Capabilities, Engine, Prefill
from midline.model.engines.remote.endpoint import (
    CONTENT,
    Endpoint,
    RemoteOptions,
    find_endpoint,
)
from midline.model.engines.remote.exchange import Exchange
from midline.model.engines.remote.fim_texts import fim_texts
from midline.model.engines.remote.streams import checked, unreachable
from midline.model.engines.remote.text_tokenizer import TextTokenizer
from midline.model.errors import MidlineError, UsageError
from midline.model.tokenizer.base import TokenizerBase

_UNKNOWN_CONTEXT = 8192
"""Tokens of context where the server does not say."""
_PIECES_PER_TOKEN = 0.5
"""Pieces of text that a token of context is counted for, so that no prompt is too long."""
_MOST_ANSWER = 1 << 22


class RemoteEngine(Engine):
    """See `Engine`; its tokens are pieces of text (`text_tokenizer.py`).

    Every call makes its own connections, and calls from several threads take turns. A completion
    that is resumed is written again from its beginning, for the same random numbers.
    """

    kind = "remote"
    capabilities = Capabilities(streaming=True)

    def __init__(
        self, endpoint: Endpoint, model: Mapping[str, Any], options: RemoteOptions
    ) -> None:
        self.endpoint = endpoint
        self.name = str(model["id"])
        self.load_ms = 0.0
        self.context_length = options.context_length or _context_length(model)
        self.tokenizer: TokenizerBase = TextTokenizer(self.name, fim_texts(self.name))
        self._common: dict[str, Any] = {"model": self.name}
        if model.get("owned_by") == "midline":
            self._common["raw"] = True  # its own rules are applied here
        self._lock = threading.Lock()
        self._is_closed = False

    @classmethod
    def load(cls, model: str, options: RemoteOptions) -> "RemoteEngine":
        """The engine of `model` at the endpoint, or of the first model there if it has no such.

        Raises UsageError (see `find_endpoint`), MidlineError (no answer, no model).
        """
        began = time.perf_counter()
        options.check()
        endpoint = find_endpoint(options)
        models = _models(endpoint)
        chosen = next((each for each in models if each["id"] == model), models[0])
        engine = cls(endpoint, chosen, options)
        engine.load_ms = (time.perf_counter() - began) * 1e3
        return engine

    @property
    def note(self) -> str:
        """See `Engine`: what leaves this machine, and where to."""
        if self.endpoint.is_local:
            return ""
        clear = "" if self.endpoint.scheme == "https" else ", unencrypted"
        return f"{CONTENT} are sent to {self.endpoint}{clear}, as you agreed to"

    def batch(
        self,
        requests: Sequence[Request],
        options: SamplingOptions = GREEDY,
        *,
        cancel: Cancellation | None = None,
        on_token: OnToken | None = None,
        on_done: OnDone | None = None,
        streams: int | None = None,
        more: More | None = None,
    ) -> list[Generation]:
        """See `Engine`."""
        options.check()
        self._check_open()
        self.check_joining(requests, more)
        for request in requests:
            self.check_prompt(request.prompt)
            if request.resume is not None and options.samples > 1:
                raise UsageError("a completion is resumed alone; ask for one sample")
        with self._lock:
            exchange = Exchange(
                self.endpoint, self.tokenizer, self._common, options, self.context_length
            )
            return exchange.run(requests, cancel, on_token, on_done, streams)

    def prefill(
        self,
        prompt: Sequence[int],
        *,
        cancel: Cancellation | None = None,
        step_tokens: int | None = None,
    ) -> Prefill:
        """See `Engine`; nothing is sent."""
        self._check_open()
        return super().prefill(prompt, cancel=cancel, step_tokens=step_tokens)

    def cached_tokens(self, prompt: Sequence[int]) -> int:
        """See `Engine`; what the server keeps is not known."""
        self._check_open()
        return 0

    def close(self) -> None:
        """See `Engine`."""
        self._is_closed = True

    def _check_open(self) -> None:
        if self._is_closed:
            raise MidlineError(f"the engine of {self.name} is closed; load the model again")


def _models(endpoint: Endpoint) -> list[Mapping[str, Any]]:
    """What the endpoint serves, at least one."""
    connection = endpoint.connect()
    try:
        connection.request("GET", f"{endpoint.path}/models", headers=endpoint.headers())
        body = checked(endpoint, connection.getresponse()).read(_MOST_ANSWER)
        found = [model for model in json.loads(body)["data"] if "id" in model]
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError) as error:
        raise unreachable(endpoint, error) from error
    finally:
        connection.close()
    if not found:
        raise MidlineError(f"{endpoint} serves no model; load one there")
    return found


def _context_length(model: Mapping[str, Any]) -> int:
    meta = model.get("meta")
    said = [model.get("max_model_len"), model.get("context_length")]
    said += [meta.get("n_ctx"), meta.get("n_ctx_train")] if isinstance(meta, Mapping) else []
    tokens = next((n for n in said if isinstance(n, int) and n > 0), _UNKNOWN_CONTEXT)
    return max(64, int(tokens * _PIECES_PER_TOKEN))
