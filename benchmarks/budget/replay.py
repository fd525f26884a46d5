"""Strategies on samples that were drawn before: the real code, with a pool in place of the model.

A replay draws its samples from the pool at random, without replacement, and the executions from
what was observed. Replays of one problem with different seeds are the bootstrap over samples.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from midline.benchmarks.budget.pool import Drawn
from midline.benchmarks.budget.recorded_engine import NO_TIMINGS
from midline.model.engines.base import (
    GREEDY,
    Capabilities,
    Completion,
    Engine,
    Generation,
    Request,
    SamplingOptions,
)
from midline.model.errors import MidlineError
from midline.model.strategies.candidate import Candidate
from midline.model.strategies.code_answers import program
from midline.model.strategies.examples import Check
from midline.model.strategies.first_passing import FirstPassing
from midline.model.strategies.problem import Problem
from midline.model.strategies.programs import Observed, Programs
from midline.model.weights.config import ModelConfig


@dataclass(frozen=True)
class Hand:
    """What a replay of one problem may draw: a greedy answer, samples, and texts of tests."""

    greedy: Drawn | None
    sampled: Drawn
    tests: tuple[str, ...] = ()
    tests_tokens: tuple[int, ...] = ()
    tests_prompt_tokens: int = 0

    def shuffled(self, seed: str) -> "Hand":
        """The same with the samples in another order."""
        mixed = list(self.sampled.candidates)
        random.Random(seed).shuffle(mixed)
        drawn = Drawn(tuple(mixed), self.sampled.prompt_tokens)
        return Hand(self.greedy, drawn, self.tests, self.tests_tokens, self.tests_prompt_tokens)


class WholeTexts:
    """Completions are ids of which the first stands for the whole text, the others for nothing."""

    end_tokens: frozenset[int] = frozenset()

    def __init__(self, prompt: str, prompt_tokens: int) -> None:
        self.prompt, self.prompt_tokens = prompt, prompt_tokens
        self.texts: list[str] = []

    def with_bos(self, ids: list[int]) -> list[int]:
        """The ids as they are: the pool counted them so."""
        return ids

    def encode(self, text: str | bytes, *, special: bool = False) -> list[int]:
        """As many ids as the prompt has; of another text, one more, and only so told from it."""
        return [-1] * (self.prompt_tokens + (text != self.prompt))

    def decode(self, ids: Sequence[int]) -> str:
        """The text of a completion."""
        return "".join(self.texts[id] for id in ids if id >= 0)

    def written(self, text: str, tokens: int) -> list[int]:
        """Ids of a completion."""
        self.texts.append(text)
        return [len(self.texts) - 1, *[-1] * (tokens - 1)] if tokens else []


class ReplayEngine(Engine):
    """Answers the prompt from a hand, and any other text with the tests in it."""

    kind = "replay"
    load_ms = 0.0
    context_length = 1 << 20
    capabilities = Capabilities()

    def __init__(self, name: str, problem: Problem, hand: Hand, config: ModelConfig | None) -> None:
        self.name, self.hand, self.config = name, hand, config
        self.tokenizer: Any = WholeTexts(problem.prompt, hand.sampled.prompt_tokens)
        self.used = 0
        self.is_read = False

    def batch(
        self, requests: Sequence[Request], options: SamplingOptions = GREEDY, **more: Any
    ) -> list[Generation]:
        """See `Engine`."""
        return [self._answer(request, options) for request in requests]

    def close(self) -> None:
        """Nothing."""

    def _answer(self, request: Request, options: SamplingOptions) -> Generation:
        if len(request.prompt) != self.tokenizer.prompt_tokens:
            return self._tests()
        first = options.greedy_first or options.temperature == 0
        drawn = []
        if first:
            if self.hand.greedy is None:
                raise MidlineError(f"the pool of {self.name} has no greedy answers; draw them")
            drawn.append(self.hand.greedy.candidates[0])
        count = options.samples - len(drawn)
        drawn += self.hand.sampled.candidates[self.used : self.used + count]
        if len(drawn) < options.samples:
            raise MidlineError(f"the pool of {self.name} has too few samples; draw more")
        self.used += count
        prompt = len(request.prompt)
        cached = prompt - 1 if self.is_read else 0
        self.is_read = True
        if isinstance(request.on_end, FirstPassing):
            drawn = _up_to_first_passing(drawn, request.on_end)
        made = [
            Completion(
                self.tokenizer.written(c.text, c.tokens), c.text, c.mean_logprob, 0.0,
                c.finish_reason,
            )
            for c in drawn
        ]  # fmt: skip
        return Generation(made, prompt, cached, NO_TIMINGS)

    def _tests(self) -> Generation:
        made = [
            Completion(self.tokenizer.written(text, tokens), text, 0.0, 0.0, "stop")
            for text, tokens in zip(self.hand.tests, self.hand.tests_tokens, strict=True)
        ]
        shared = self.tokenizer.prompt_tokens if self.is_read else 0
        return Generation(made, self.hand.tests_prompt_tokens, shared, NO_TIMINGS)


def _up_to_first_passing(drawn: Sequence[Candidate], first: FirstPassing) -> list[Candidate]:
    """The samples as they are when the shortest that passes ends; longer ones are unfinished."""
    for each in sorted(drawn, key=lambda candidate: candidate.tokens):
        if first.try_now([each.text]):
            cut = replace(each, text="", finish_reason="cancelled")
            return [c if c.tokens <= each.tokens else cut for c in drawn]
    return list(drawn)


class ReplayPrograms(Programs):
    """Executions that were observed before: by program, what it did in which check."""

    def __init__(
        self, problem: Problem, checks: Sequence[Check], observed: Mapping[str, Observed]
    ) -> None:
        self.executed = 0
        self._known = {
            program(problem, text): dict(zip(checks, found, strict=True))
            for text, found in observed.items()
        }

    def observe(
        self, programs: Sequence[str], language: str, checks: Sequence[Check]
    ) -> list[Observed]:
        """See `Programs`; MidlineError for what was not observed."""
        self.executed += len(programs)
        try:
            return [tuple(self._known[each][check] for check in checks) for each in programs]
        except KeyError as error:
            raise MidlineError(
                "an execution of the pool is missing; run `midline-bench budget run --stages "
                "observe` again"
            ) from error
