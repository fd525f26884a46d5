"""llama.cpp's server as far as its /infill endpoint answers one editor, on the decode calls.

Written after the behaviour of `tools/server` (late 2025): the prompt is repository, extra chunks,
file, prefix with the current line's beginning, suffix; prefix and suffix together fit one batch, 3
to 1; tokens that begin as those in the cache are kept, and runs of `CACHE_REUSE` tokens that have
moved are moved in the cache; `t_max_predict_ms` ends an answer once it has a line end, and a line
indented less than `n_indent` ends it before that line. A request that has begun is finished.
"""

import time
from collections.abc import Sequence
from pathlib import Path

import llama_cpp

from midline.benchmarks.quality.typing.infill_request import InfillRequest
from midline.benchmarks.speed.engines.llama_cpp import LlamaContext, LlamaModel, Variant
from midline.model.errors import UsageError
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf

CONTEXT, BATCH, CACHE_REUSE = 16384, 1024, 256
"""The presets for small FIM models use this batch and this reuse, and the model's whole context."""
TOP_K, TOP_P, SEED = 40, 0.9, 0


class InfillServer:
    """One slot with its cache. Raises UsageError for a model without FIM tokens."""

    def __init__(self, path: Path, threads: int) -> None:
        self.model = LlamaModel(path)
        self.tokenizer = Tokenizer.from_gguf(read_gguf(path))
        if self.tokenizer.fim is None:
            raise UsageError(f"{path} has no fill-in-the-middle tokens; llama.vim needs them")
        variant = Variant(micro_batch=BATCH)
        self.context = LlamaContext(
            self.model, cells=CONTEXT, sequences=1, threads=threads, variant=variant
        )
        self.cached: list[int] = []
        self.tokens_read = 0
        self._sampler = _sampler(self.model)

    def close(self) -> None:
        """Free the context."""
        llama_cpp.llama_sampler_free(self._sampler)
        self.context.close()

    def infill(self, request: InfillRequest) -> str:
        """The text of the answer."""
        self._read(self.prompt(request))
        return self._write(request) if request.predict else ""

    def prompt(self, request: InfillRequest) -> list[int]:
        """The tokens of a request."""
        fim, encode = self.tokenizer.fim, self.tokenizer.encode
        assert fim is not None
        head: list[int] = []
        if fim.repo_name is not None:
            head = [fim.repo_name, *encode(b"myproject\n")]
        for chunk in request.extra:
            if fim.file_sep is not None:
                head += [fim.file_sep, *encode(f"{chunk.filename}\n".encode())]
            head += encode(chunk.text.encode())
        if fim.file_sep is not None:
            head += [fim.file_sep, *encode(b"filename\n")]
        prefix, suffix = encode(request.prefix.encode()), encode(request.suffix.encode())
        line = encode(request.prompt.encode())
        prefix = prefix[max(0, len(prefix) - 3 * (BATCH // 4)) :]
        suffix = suffix[: max(0, BATCH // 4 - (2 + len(line)))]
        head = head[max(0, len(head) - max(0, CONTEXT - BATCH - 2 * request.predict)) :]
        return [*head, fim.prefix, *prefix, *line, fim.suffix, *suffix, fim.middle]

    def _read(self, ids: list[int]) -> None:
        """Bring the cache to `ids`, all but computed tokens of which are kept."""
        past = _common(self.cached, ids)
        past = self._reuse(ids, past)
        past = min(past, len(ids) - 1)
        self.context.truncate(0, past)
        self.tokens_read += len(ids) - past
        for start in range(past, len(ids), BATCH):
            piece = ids[start : start + BATCH]
            last = len(ids) - 1
            self.context.decode(
                [(id, start + n, 0, start + n == last) for n, id in enumerate(piece)]
            )
        self.cached = list(ids)

    def _reuse(self, ids: list[int], past: int) -> int:
        """Move runs of cached tokens to where `ids` has them; how many of `ids` are there then."""
        memory, cached = self.context.memory, self.cached
        at, into = past, past
        while at < len(cached) and into < len(ids):
            run = _common(cached[at:], ids[into:])
            if run < CACHE_REUSE:
                at += 1
                continue
            if at != into:
                llama_cpp.llama_memory_seq_rm(memory, 0, into, at)
                llama_cpp.llama_memory_seq_add(memory, 0, at, at + run, into - at)
            at, into = at + run, into + run
        return into

    def _write(self, request: InfillRequest) -> str:
        vocabulary = llama_cpp.llama_model_get_vocab(self.model.handle)
        began, data, has_line, line_at = time.perf_counter(), b"", False, 0
        for count in range(request.predict):
            id = llama_cpp.llama_sampler_sample(self._sampler, self.context.handle, -1)
            if llama_cpp.llama_vocab_is_eog(vocabulary, id):
                break
            data += self.tokenizer.token_bytes(id)
            if has_line:
                if (time.perf_counter() - began) * 1000 > request.predict_ms:
                    break
                indent = _indent(data, line_at)
                if request.indent and line_at and indent is not None and indent < request.indent:
                    data = data[:line_at]
                    break
                line_at = data.find(b"\n", line_at) + 1 or line_at
            has_line = has_line or b"\n" in data
            if count + 1 < request.predict:
                self.context.decode([(id, len(self.cached), 0, True)])
                self.cached.append(id)
        return data.decode("utf-8", "ignore")


def _indent(data: bytes, at: int) -> int | None:
    """Blanks that the line at `at` begins with; None while it has nothing else."""
    line = data[at:]
    blank = len(line) - len(line.lstrip(b" \t"))
    return None if blank == len(line) else blank


def _common(a: Sequence[int], b: Sequence[int]) -> int:
    """How many ids both begin with."""
    for number, (one, other) in enumerate(zip(a, b, strict=False)):
        if one != other:
            return number
    return min(len(a), len(b))


def _sampler(model: LlamaModel) -> object:
    """What llama.vim asks for: top_k, top_p, infill, and a seeded draw."""
    vocabulary = llama_cpp.llama_model_get_vocab(model.handle)
    chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
    for sampler in (
        llama_cpp.llama_sampler_init_top_k(TOP_K),
        llama_cpp.llama_sampler_init_top_p(TOP_P, 0),
        llama_cpp.llama_sampler_init_infill(vocabulary),
        llama_cpp.llama_sampler_init_dist(SEED),
    ):
        llama_cpp.llama_sampler_chain_add(chain, sampler)
    return chain
