"""One greedy answer of llama.cpp, timed: what the user's figure is compared with."""

import time
from dataclasses import dataclass

from midline.model.catalog.catalog import resolve
from midline.model.errors import UsageError
from midline.model.strategies.function_end import FunctionEnd, StopAtEnd
from midline.model.strategies.problem import Problem
from midline.model.strategies.run import CODE_TOKENS
from midline.model.strategies.speed import PROMPT_TOKENS, STEPS, Speed
from midline.model.threads import thread_count
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf

CELLS = 4096


@dataclass(frozen=True)
class PeerAnswer:
    """text: the completion, cut at the function's end. seconds: from the prompt to its last token,
    without loading and tokenization."""

    text: str
    tokens: int
    seconds: float


class Peer:
    """llama.cpp with one model, driven through its decode call.

    Raises UsageError where its Python package is not installed.
    """

    def __init__(self, model: str, threads: int | None = None) -> None:
        try:
            from midline.benchmarks.speed.engines.llama_cpp import LlamaContext, LlamaModel, Variant
        except ModuleNotFoundError as error:
            raise UsageError(
                f"the peer llama.cpp needs the Python package {error.name!r}: install it and try "
                "again"
            ) from error
        path = resolve(model)
        self.name = model
        self.tokenizer = Tokenizer.from_gguf(read_gguf(path))
        self._context = LlamaContext(
            LlamaModel(path), cells=CELLS, sequences=1, threads=thread_count(threads),
            variant=Variant(),
        )  # fmt: skip

    def answer(self, problem: Problem) -> PeerAnswer:
        """Greedy, up to the function's end, as `mbxp run` draws it."""
        tokenizer = self.tokenizer
        prompt = tokenizer.with_bos(tokenizer.encode(problem.prompt))
        end = FunctionEnd(problem.language, problem.prompt)
        stop = StopAtEnd(tokenizer, end)
        ids: list[int] = []
        started = time.perf_counter()
        logits = self._context.fill(prompt)
        while len(ids) < CODE_TOKENS:
            token = int(logits.argmax())
            if token in tokenizer.end_tokens:
                break
            ids.append(token)
            if stop(0, ids):
                break
            logits = self._context.decode([(token, len(prompt) + len(ids) - 1, 0, True)])[0]
        seconds = time.perf_counter() - started
        return PeerAnswer(end.finished(tokenizer.decode(ids)), len(ids), seconds)

    def speed(self) -> Speed:
        """Its speed as `Speed` describes it, with one row."""
        text = "".join(f"{at * 7919 % 1000} = value\n" for at in range(PROMPT_TOKENS))
        ids = self.tokenizer.encode(text)[:PROMPT_TOKENS]
        self._context.fill(ids[:8])
        started = time.perf_counter()
        token = int(self._context.fill(ids).argmax())
        read = time.perf_counter()
        for at in range(STEPS * 2):
            token = int(self._context.decode([(token, len(ids) + at, 0, True)])[0].argmax())
        step = (time.perf_counter() - read) / (STEPS * 2)
        return Speed((read - started) / len(ids), ((1, step),))

    def close(self) -> None:
        """Free the context."""
        self._context.close()
