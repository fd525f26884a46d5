"""A loaded model: prompts in, completions out. The one door by which the rest uses the engine."""

import contextlib
import threading
import time
from collections.abc import Callable
from collections.abc import Sequence as Ids
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from midline import kernels
from midline.model.catalog.catalog import CATALOGUE, resolve
from midline.model.decoding.continuous_batching import Decoding
from midline.model.decoding.request import (
    Batch,
    Completion,
    GenerateOptions,
    Generation,
    OnDone,
    OnToken,
    Stop,
    Timings,
)
from midline.model.decoding.speculative.prompt_lookup import Drafter, LookupDrafter
from midline.model.decoding.speculative.self_speculation import LEAST_GAIN, LookupFirst, SelfDrafter
from midline.model.engines.native.policy import Policy, policy_of
from midline.model.errors import MidlineError, ModelFileError
from midline.model.runtime.kv_cache import Sequence
from midline.model.runtime.transformer import (
    CACHE_TOKENS,
    TAIL_TOKENS,
    Cancellation,
    Cancelled,
    StepOptions,
    Transformer,
)
from midline.model.teal.profile import Profile, find_profile
from midline.model.threads import thread_count
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.config import ModelConfig
from midline.model.weights.gguf import read_gguf
from midline.model.weights.packed_file import ReadTime

CancelFlag = kernels.CancelFlag
DEFAULTS = GenerateOptions()

__all__ = [
    "CancelFlag",
    "Cancellation",
    "Completion",
    "Engine",
    "GenerateOptions",
    "Generation",
    "Timings",
]


class Engine:
    """One model in memory with its tokenizer and prefix cache; requests run one after the other."""

    def __init__(
        self, name: str, path: Path, transformer: Transformer, tokenizer: Tokenizer
    ) -> None:
        self.name = name
        self.path = path
        self.transformer = transformer
        self.tokenizer = tokenizer
        self.load_ms = 0.0
        self.policy: Policy = policy_of(path)
        self._profiles: dict[float, Profile | None] = {}
        self._lock = threading.Lock()

    @classmethod
    def load(
        cls,
        model: str | Path,
        *,
        threads: int | None = None,
        progress: Callable[[float], None] | None = None,
        cache_tokens: int = CACHE_TOKENS,
        tail_tokens: int = TAIL_TOKENS,
        sparsity: float | None = 0.0,
    ) -> "Engine":
        """Loads a catalogue name or the path of a GGUF file; `progress` hears shares from 0 to 1.

        Keys and values of `cache_tokens` are kept, and of `tail_tokens` that samples write besides;
        what is not used takes no memory.
        `sparsity` is what will be asked for: that there is no profile of it is said at once. None
        is the level of the model's `policy`.
        Raises MidlineError (not pulled, memory too small), ModelFileError, UsageError.
        """
        started = time.perf_counter()
        path = resolve(model)
        level = policy_of(path).sparsity if sparsity is None else sparsity
        profile = find_profile(path, level)
        try:
            kernels.kernel_name()
        except ValueError as error:
            raise MidlineError(str(error)) from error
        file = read_gguf(path)
        transformer = Transformer(file, thread_count(threads), progress, cache_tokens, tail_tokens)
        tokenizer = Tokenizer.from_gguf(file)
        if tokenizer.vocab_size != transformer.config.vocab:
            raise ModelFileError(
                f"{path} has {tokenizer.vocab_size} tokens and embeds {transformer.config.vocab}; "
                "pull it again"
            )
        name = str(model) if str(model) in CATALOGUE else path.stem
        engine = cls(name, path, transformer, tokenizer)
        engine._profiles[level] = profile
        engine.load_ms = (time.perf_counter() - started) * 1e3
        return engine

    @property
    def note(self) -> str:
        """A sentence for the user, mostly "": packed weights were damaged and are packed again."""
        return self.transformer.weights.note

    @property
    def read_time(self) -> ReadTime | None:
        """How long reading the packed weights took; None if they had to be packed."""
        return self.transformer.weights.read

    @property
    def config(self) -> ModelConfig:
        """Sizes of the model."""
        return self.transformer.config

    @property
    def context_length(self) -> int:
        """Most tokens a prompt and its completion can have together."""
        return self.transformer.context_length

    def generate(
        self,
        prompt_ids: Ids[int],
        options: GenerateOptions = DEFAULTS,
        *,
        cancel: Cancellation | None = None,
        stop: Stop | None = None,
        align: bytes = b"",
        on_token: OnToken | None = None,
    ) -> Generation:
        """Draws `options.samples` completions of one prompt; their ids begin with those of `align`.

        stop(sample, ids) is asked after every token outside `align`; on_token(sample, id) hears
        each token as it is drawn. Raises UsageError (options), MidlineError (context, cache full).
        """
        return self.batch_generate(
            [prompt_ids], options, cancel=cancel, stop=stop, aligns=[align], on_token=on_token
        )[0]

    def batch_generate(
        self,
        prompts: Ids[Ids[int]],
        options: GenerateOptions = DEFAULTS,
        *,
        cancel: Cancellation | None = None,
        stop: Stop | None = None,
        aligns: Ids[bytes] | None = None,
        on_token: OnToken | None = None,
        stops: Ids[Stop] | None = None,
        seeds: Ids[int] = (),
        streams: int | None = None,
        on_done: OnDone | None = None,
    ) -> list[Generation]:
        """Draws completions of several prompts together, in the order of the prompts.

        `stop` serves all prompts; `stops` gives each its own. Timings are of the whole batch. For
        `seeds`, `streams` and `on_done` see `Batch`.
        """
        options.check()
        profile = self.profile(self.level(options))
        for prompt in prompts:
            self._check_prompt(prompt)
        stops = stops or ([stop] * len(prompts) if stop else ())
        batch = Batch(prompts, aligns or (), stops, seeds, streams, on_done)
        with self._lock:
            decoding = Decoding(
                self.transformer,
                self.tokenizer,
                options,
                batch,
                cancel=cancel,
                on_token=on_token,
                drafter=self._drafter(options, len(prompts), profile, cancel),
                profile=profile,
            )
            return decoding.run()

    def _drafter(
        self,
        options: GenerateOptions,
        prompts: int,
        profile: Profile | None,
        cancel: Cancellation | None,
    ) -> Drafter | None:
        """Company makes steps of several rows anyway; random draws are seldom what was before."""
        draft = options.draft or self.policy.draft
        if prompts > 1 or options.samples > 1 or options.temperature > 0 or draft == "none":
            return None
        lookup = LookupDrafter(self.policy.costs)
        sparser = self.profile(self.policy.draft_sparsity) if draft in ("self", "both") else None
        if sparser is None or profile is not None:
            return None if draft == "self" else lookup
        own = SelfDrafter(
            self.transformer,
            self.transformer.thresholds(sparser),
            self.policy.costs,
            end_tokens=self.tokenizer.end_tokens,
            least_gain=0.0 if draft == "self" else LEAST_GAIN,
            cancel=cancel,
        )
        return own if draft == "self" else LookupFirst(lookup, own)

    def known_tokens(self, prompt_ids: Ids[int]) -> int:
        """How many tokens of a prompt are in the prefix cache and would not be computed again."""
        with self._lock:
            return self.transformer.cache.known(prompt_ids)

    def read(self, prompt_ids: Ids[int], *, cancel: Cancellation | None = None) -> None:
        """Computes a prompt into the prefix cache, so that a request finds it there.

        A cancelled call keeps the whole native steps it has done.
        """
        self._check_prompt(prompt_ids)
        with self._lock, contextlib.suppress(Cancelled):
            sequence = self.transformer.cache.start(prompt_ids)
            try:
                rest = prompt_ids[len(sequence.tokens) :]
                self.transformer.forward([(sequence, rest)], logits="none", cancel=cancel)
            finally:
                self.transformer.cache.finish(sequence)

    def level(self, options: GenerateOptions) -> float:
        """The share of weights that is skipped in decoding what `options` ask for."""
        if options.samples > 1:
            return 0.0
        if options.sparsity is not None:
            return options.sparsity
        # A seed writes the same text alone and beside others, which are dense.
        is_greedy = options.temperature == 0 or options.greedy_first
        return self.policy.sparsity if is_greedy else 0.0

    def profile(self, level: float) -> Profile | None:
        """The sparsity profile at `level`, None at 0; errors as `find_profile` raises them."""
        if level not in self._profiles:
            self._profiles[level] = find_profile(self.path, level)
        return self._profiles[level]

    def _check_prompt(self, prompt: Ids[int]) -> None:
        if not prompt:
            raise MidlineError("the prompt is empty; give the model at least one token to go on")
        if len(prompt) >= self.context_length:
            raise MidlineError(
                f"the prompt has {len(prompt)} tokens and the context holds {self.context_length}; "
                "shorten it"
            )

    def new_sequence(self) -> Sequence:
        """An empty sequence for `transformer.forward`, outside the prefix cache."""
        return Sequence()

    def release(self, sequence: Sequence) -> None:
        """Gives a sequence's pages back without remembering its tokens."""
        self.transformer.cache.finish(sequence, remember=False)

    def logits(
        self, ids: Ids[int], *, float_activations: bool = False, exact: bool = True
    ) -> NDArray[np.float32]:
        """Logits at every position of `ids`, float32 [n, vocab], without the prefix cache."""
        self._check_prompt(ids)
        options = StepOptions(exact=exact, float_activations=float_activations)
        sequence = self.new_sequence()
        with self._lock:
            try:
                return self.transformer.forward([(sequence, ids)], logits="all", options=options)
            finally:
                self.release(sequence)
