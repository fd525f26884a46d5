"""An engine whose calls are kept: what was drawn once is not drawn again.

Calls of many runs are decoded together. A run has a recorded engine of its own for each model,
which knows the prompts of that run alone: the cached tokens it tells are those that the run would
have found if it had the model to itself, whatever was decoded beside it.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from midline.benchmarks.budget.store import Store
from midline.benchmarks.quality.typing.remembering import common_ids
from midline.model.cancellation import Cancellation
from midline.model.engines.base import (
    GREEDY,
    Completion,
    Engine,
    Generation,
    More,
    OnDone,
    OnToken,
    Request,
    SamplingOptions,
    Timings,
)
from midline.server.http.batching import Batcher, Work
from midline.server.lsp.scheduler import Priority

NO_TIMINGS = Timings(0.0, 0.0, 0.0, 0.0, 0.0)


class EngineThread:
    """Runs the batches of a `Batcher` on one thread."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="engine")

    def run(self, task: Callable[[Engine], Any], work: Work, priority: Priority) -> "Future[Any]":
        """See `Runner`."""
        return self._pool.submit(lambda: None if work.stale else task(self.engine))

    @property
    def turn_is_wanted(self) -> bool:
        """See `Runner`: there is nobody else."""
        return False

    @property
    def is_idle_time(self) -> bool:
        """See `Runner`."""
        return True

    def serves(self, engine: Engine) -> bool:
        """See `Runner`."""
        return engine is self.engine


class SharedModel:
    """One model for many runs: the engine, those who wait for it, and the calls that are kept."""

    def __init__(self, engine: Engine, store: Store) -> None:
        self.engine, self.store = engine, store
        self.batcher = Batcher(EngineThread(engine), room=engine.context_length * 7 // 8)

    def call(self, request: Request, options: SamplingOptions) -> dict[str, Any]:
        """The kept row of a call; drawn now if there is none."""
        key = call_key(self.engine.name, request, options)
        kept = self.store.get(key)
        if kept is not None:
            return kept
        found = self.batcher.submit(self.engine, request, options).result()
        rows = [asdict(completion) for completion in found.completions]
        for row in rows:
            del row["logprobs"]
        return self.store.add(key, {"model": self.engine.name, "completions": rows})


def call_key(model: str, request: Request, options: SamplingOptions) -> str:
    """Hash of all that decides what a call yields but its stop condition, which the prompt does."""
    what = [model, list(request.prompt), asdict(options), request.stop is not None]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:32]


class RecordedEngine(Engine):
    """See the module. It takes `generate` of one prompt, without alignment and resumption."""

    kind = "recorded"
    load_ms = 0.0

    def __init__(self, shared: SharedModel) -> None:
        self.shared = shared
        self.name = shared.engine.name
        self.tokenizer = shared.engine.tokenizer
        self.context_length = shared.engine.context_length
        self.capabilities = shared.engine.capabilities
        self.config = getattr(shared.engine, "config", None)
        self._known: list[tuple[int, ...]] = []

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
        """See `Engine`; tokens are not heard of one by one."""
        return [self._answer(request, options) for request in requests]

    def cached_tokens(self, prompt: Sequence[int]) -> int:
        """What the run's earlier calls left in a prefix cache of this run alone."""
        ids = tuple(prompt)
        return min(max((common_ids(ids, known) for known in self._known), default=0), len(ids) - 1)

    def close(self) -> None:
        """Nothing: the engine belongs to all runs."""

    def _answer(self, request: Request, options: SamplingOptions) -> Generation:
        prompt = list(request.prompt)
        cached = self.cached_tokens(prompt)
        row = self.shared.call(request, options)
        completions = [Completion(**each) for each in row["completions"]]
        self._known += [(*prompt, *completion.ids) for completion in completions]
        return Generation(completions, len(prompt), cached, NO_TIMINGS)
