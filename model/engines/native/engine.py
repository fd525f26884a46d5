"""The native engine: one GGUF model on Midline's own CPU kernels."""

import contextlib
import threading
import time
from collections.abc import Callable
from collections.abc import Sequence as Ids
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from midline import kernels
from midline.model.cancellation import Cancellation, Cancelled
from midline.model.catalog.catalog import CATALOGUE, resolve
from midline.model.decoding.batch import Batch
from midline.model.decoding.breaks import step_between
from midline.model.decoding.continuous_batching import Decoding
from midline.model.decoding.options import NativeOptions, SamplingOptions
from midline.model.decoding.request import Generation, More, OnDone, OnToken, Request
from midline.model.decoding.speculative.prompt_lookup import Drafter, LookupDrafter
from midline.model.decoding.speculative.self_speculation import LEAST_GAIN, LookupFirst, SelfDrafter
from midline.model.engines.base import GREEDY, Capabilities, Engine, Prefill
from midline.model.engines.native.policy import Policy, policy_of
from midline.model.errors import MidlineError, ModelFileError, UsageError
from midline.model.runtime.decoder import CACHE_TOKENS, TAIL_TOKENS, Decoder, StepOptions
from midline.model.runtime.kv_cache import Sequence
from midline.model.teal.profile import Profile, find_profile
from midline.model.threads import thread_count
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.config import ModelConfig
from midline.model.weights.gguf import read_gguf

_NO_TOKEN = -1


class NativeEngine(Engine):
    """See `Engine`. It takes `NativeOptions`.

    It owns the decoder (weights, KV cache, prefix tree), the tokenizer, the policy and the sparsity
    profiles it has read, all guarded by one lock: calls from several threads take turns.
    """

    kind = "native"
    capabilities = Capabilities(
        prefill=True, token_healing=True, streaming=True, logprobs=True, sparsity=True, resume=True,
        joining=True,
    )  # fmt: skip

    def __init__(self, name: str, path: Path, decoder: Decoder, tokenizer: Tokenizer) -> None:
        self.name = name
        self.path = path
        self.tokenizer: Tokenizer = tokenizer
        self.load_ms = 0.0
        self.policy: Policy = policy_of(path)
        self.config: ModelConfig = decoder.config
        self.context_length = decoder.context_length
        self._decoder: Decoder | None = decoder
        self._profiles: dict[float, Profile | None] = {}
        self._lock = threading.RLock()  # breaks call again

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
        kept_bytes: int | None = None,
    ) -> "NativeEngine":
        """The engine of a model by its catalogue name or the path of a GGUF file.

        threads: None for one a physical core. progress: called with shares from 0 to 1.
        cache_tokens: tokens whose keys and values are kept; tail_tokens: room for those of samples
        in addition; kept_bytes: see `Decoder`. Memory is committed only as it is used.
        sparsity: the level that will be asked for, so that a missing profile is reported at once;
        None is the level of the policy.
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
        sizes = cache_tokens, tail_tokens, kept_bytes
        decoder = Decoder(file, thread_count(threads), progress, *sizes)
        tokenizer = Tokenizer.from_gguf(file)
        if tokenizer.vocab_size != decoder.config.vocab:
            raise ModelFileError(
                f"{path} has {tokenizer.vocab_size} tokens and embeds {decoder.config.vocab}; "
                "pull it again"
            )
        name = str(model) if str(model) in CATALOGUE else path.stem
        engine = cls(name, path, decoder, tokenizer)
        engine._profiles[level] = profile
        engine.load_ms = (time.perf_counter() - started) * 1e3
        return engine

    @property
    def note(self) -> str:
        """See `Engine`: packed weights that were damaged and had to be packed again."""
        return self.decoder.weights.note

    @property
    def load_details(self) -> str:
        """See `Engine`: reading and verifying the packed weights, or packing them."""
        read = self.decoder.weights.read
        if read is None:
            return "its weights were packed"
        return f"{read.seconds:.2f} s of it reading weights, {read.verify_seconds:.3f} s checksums"

    @property
    def decoder(self) -> Decoder:
        """The decoder, for measurements of the native engine itself; not to be used meanwhile."""
        if self._decoder is None:
            raise MidlineError(f"the engine of {self.name} is closed; load the model again")
        return self._decoder

    def batch(
        self,
        requests: Ids[Request],
        options: SamplingOptions = GREEDY,
        *,
        cancel: Cancellation | None = None,
        on_token: OnToken | None = None,
        on_done: OnDone | None = None,
        streams: int | None = None,
        more: More | None = None,
    ) -> list[Generation]:
        """See `Engine`."""
        self.check_requests(requests, options)
        profile = self.profile(self.sparsity(options))
        batch = Batch(requests, streams, cancel, on_token, on_done, more, self.breaks)
        with self._lock:
            drafter = self._drafter(options, requests, profile, cancel)
            decoding = Decoding(
                self.decoder, self.tokenizer, options, batch, drafter=drafter, profile=profile
            )
            return decoding.run()

    def _drafter(
        self,
        options: SamplingOptions,
        requests: Ids[Request],
        profile: Profile | None,
        cancel: Cancellation | None,
    ) -> Drafter | None:
        """None where drafts do not pay: in batches, whose steps have several rows without them, and
        for random samples, which seldom repeat what was written before, unless the request says
        so."""
        draft = options.of_engine(NativeOptions).draft or self.policy.draft
        known = requests[0].drafts if requests else ()
        if len(requests) > 1 or options.samples > 1 or draft == "none":
            return None
        if options.temperature > 0 and not known:
            return None
        lookup = LookupDrafter(self.policy.costs, known)
        if options.temperature > 0:
            return lookup
        sparser = self.profile(self.policy.draft_sparsity) if draft in ("self", "both") else None
        if sparser is None or profile is not None:
            return None if draft == "self" else lookup
        own = SelfDrafter(
            self.decoder,
            self.decoder.thresholds(sparser),
            self.policy.costs,
            end_tokens=self.tokenizer.end_tokens,
            least_gain=0.0 if draft == "self" else LEAST_GAIN,
            cancel=cancel,
        )
        return own if draft == "self" else LookupFirst(lookup, own)

    def cached_tokens(self, prompt: Ids[int]) -> int:
        """See `Engine`; tokens that were computed sparsely do not count."""
        with self._lock:
            return self.decoder.cache.known(prompt)

    def prefill(
        self,
        prompt: Ids[int],
        *,
        cancel: Cancellation | None = None,
        step_tokens: int | None = None,
    ) -> Prefill:
        """See `Engine`. The most efficient step has 512 tokens."""
        self.check_prompt(prompt)
        if step_tokens is not None and step_tokens < 1:
            raise UsageError(f"step_tokens is {step_tokens}, it must be at least 1")
        with self._lock:
            # One more token, so that the prompt's last one is looked up in the cache, too.
            sequence = self.decoder.cache.start([*prompt, _NO_TOKEN])
            cached = at = len(sequence.tokens)
            try:
                with contextlib.suppress(Cancelled):
                    while at < len(prompt):
                        step = step_between(self.breaks, step_tokens) or len(prompt)
                        if self.breaks is not None:
                            self.breaks()
                        piece = prompt[at : (at // step + 1) * step]
                        self.decoder.forward([(sequence, piece)], logits="none", cancel=cancel)
                        at += len(piece)
                computed = len(sequence.tokens) - cached
            finally:
                self.decoder.cache.finish(sequence)
        return Prefill(len(prompt), cached, computed)

    def sparsity(self, options: SamplingOptions) -> float:
        """See `Engine`; several samples of one prompt are decoded densely."""
        level = options.of_engine(NativeOptions).sparsity
        if options.samples > 1:
            return 0.0
        if level is not None:
            return level
        # The same seed has to give the same text alone and beside other samples, which are dense.
        is_greedy = options.temperature == 0 or options.greedy_first
        return self.policy.sparsity if is_greedy else 0.0

    def profile(self, level: float) -> Profile | None:
        """The sparsity profile of a level, None of level 0. Raises what `find_profile` raises."""
        if level not in self._profiles:
            self._profiles[level] = find_profile(self.path, level)
        return self._profiles[level]

    def warm_up(self) -> None:
        """Sorts the vocabulary for the prefix look-up of token healing."""
        self.tokenizer.tokens_with_prefix(b"\n")

    def close(self) -> None:
        """See `Engine`; it waits for a call in another thread."""
        with self._lock:
            self._decoder = None

    def new_sequence(self) -> Sequence:
        """An empty sequence for `decoder.forward`, outside the prefix tree."""
        return Sequence()

    def release(self, sequence: Sequence) -> None:
        """Frees a sequence's pages; its tokens are not remembered."""
        self.decoder.cache.finish(sequence, remember=False)

    def logits(
        self, ids: Ids[int], *, float_activations: bool = False, exact: bool = True
    ) -> NDArray[np.float32]:
        """Logits at every position of `ids`, float32 [n, vocab], without the prefix tree."""
        self.check_prompt(ids)
        options = StepOptions(exact=exact, float_activations=float_activations)
        sequence = self.new_sequence()
        with self._lock:
            try:
                return self.decoder.forward([(sequence, ids)], logits="all", options=options)
            finally:
                self.release(sequence)
