"""The ONNX engine: see `Engine`. Decoding, token healing and ranking are the native engine's."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from midline.model.cancellation import Cancellation, Cancelled
from midline.model.catalog.catalog import CATALOGUE, resolve
from midline.model.decoding.batch import Batch
from midline.model.decoding.breaks import step_between
from midline.model.decoding.continuous_batching import Decoding
from midline.model.decoding.options import NativeOptions, SamplingOptions
from midline.model.decoding.request import Generation, More, OnDone, OnToken, Request
from midline.model.engines.base import GREEDY, Capabilities, Engine, Prefill
from midline.model.engines.onnx.decoder import CAPACITY, OnnxDecoder
from midline.model.engines.onnx.export import export_key, export_model
from midline.model.engines.onnx.files import CONFIG, TOKENIZER
from midline.model.engines.onnx.form import DEFAULT_FORM
from midline.model.errors import MidlineError, UsageError
from midline.model.paths import cache_folder
from midline.model.runtime.decoder import Decoder
from midline.model.threads import thread_count
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf

_NO_TOKEN = -1


class OnnxEngine(Engine):
    """See `Engine`. It owns the decoder and the tokenizer; calls of several threads take turns."""

    kind = "onnx"
    capabilities = Capabilities(
        prefill=True, token_healing=True, streaming=True, logprobs=True, resume=True, joining=True
    )

    def __init__(self, name: str, folder: Path, decoder: OnnxDecoder) -> None:
        self.name = name
        self.path = folder
        self.tokenizer: Tokenizer = Tokenizer.from_gguf(read_gguf(folder / TOKENIZER))
        self.load_ms = 0.0
        self.context_length = decoder.context_length
        self._decoder: OnnxDecoder | None = decoder
        self._lock = threading.RLock()  # breaks call again

    @classmethod
    def load(
        cls,
        model: str | Path,
        *,
        threads: int | None = None,
        progress: Callable[[float], None] | None = None,
        capacity: int = CAPACITY,
    ) -> "OnnxEngine":
        """The engine of a model: a catalogue name, a GGUF file, or the folder of an export.

        A name or a file is exported once into the cache folder, in `DEFAULT_FORM`; progress tells
        of that. capacity: most tokens of a sequence. Raises what `export_model` raises.
        """
        folder = exported_folder(model, progress or (lambda _: None))
        started = time.perf_counter()
        decoder = OnnxDecoder(folder, thread_count(threads), capacity)
        name = str(model) if str(model) in CATALOGUE else Path(model).stem
        engine = cls(name, folder, decoder)
        engine.load_ms = (time.perf_counter() - started) * 1e3
        return engine

    @property
    def decoder(self) -> OnnxDecoder:
        """The decoder, for measurements; not to be used meanwhile."""
        if self._decoder is None:
            raise MidlineError(f"the engine of {self.name} is closed; load the model again")
        return self._decoder

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
        self.check_requests(requests, options)
        batch = Batch(requests, streams, cancel, on_token, on_done, more, self.breaks)
        with self._lock:
            decoder = cast(Decoder, self.decoder)  # the same surface, as far as decoding uses it
            return Decoding(decoder, self.tokenizer, options, batch).run()

    def cached_tokens(self, prompt: Sequence[int]) -> int:
        """See `Engine`."""
        with self._lock:
            return self.decoder.cache.known(prompt)

    def prefill(
        self,
        prompt: Sequence[int],
        *,
        cancel: Cancellation | None = None,
        step_tokens: int | None = None,
    ) -> Prefill:
        """See `Engine`."""
        self.check_prompt(prompt)
        if step_tokens is not None and step_tokens < 1:
            raise UsageError(f"step_tokens is {step_tokens}, it must be at least 1")
        with self._lock:
            cache = self.decoder.cache
            sequence = cache.start([*prompt, _NO_TOKEN])
            cached = at = len(sequence.tokens)
            try:
                while at < len(prompt):
                    step = step_between(self.breaks, step_tokens) or len(prompt)
                    if self.breaks is not None:
                        self.breaks()
                    piece = prompt[at : (at // step + 1) * step]
                    self.decoder.forward([(sequence, piece)], logits="none", cancel=cancel)
                    at += len(piece)
            except Cancelled:
                pass
            finally:
                computed = len(sequence.tokens) - cached
                cache.finish(sequence)
        return Prefill(len(prompt), cached, computed)

    def close(self) -> None:
        """See `Engine`; it waits for a call in another thread."""
        with self._lock:
            self._decoder = None


def exported_folder(model: str | Path, progress: Callable[[float], None]) -> Path:
    """The folder of an exported model: the one that is named, or the export in the cache."""
    if (Path(model) / CONFIG).is_file():
        return Path(model)
    source = resolve(model)
    key = export_key(source, DEFAULT_FORM)
    folder = cache_folder() / "onnx" / f"{source.stem}-{key[:12]}"
    export_model(source, folder, DEFAULT_FORM, progress=progress)
    return folder


def load_onnx(
    model: str | Path,
    options: SamplingOptions,
    threads: int | None,
    progress: Callable[[float], None] | None,
    cache_tokens: int | None,
) -> OnnxEngine:
    """See `midline.model.engines.load`; every sequence has room for CAPACITY tokens."""
    if options.of_engine(NativeOptions).sparsity:
        raise UsageError("the ONNX engine computes densely; leave out --sparsity")
    return OnnxEngine.load(model, threads=threads, progress=progress)
