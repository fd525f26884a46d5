"""One run of a strategy: calls, executions and candidates, entered in the ledger as they come."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from midline.kernels import CancelFlag
from midline.model.decoding.options import NativeOptions
from midline.model.engines.base import (
    Completion,
    DrawnToken,
    Engine,
    Generation,
    Request,
    SamplingOptions,
)
from midline.model.errors import MidlineError
from midline.model.strategies.budget import Ended, Watch
from midline.model.strategies.candidate import Candidate, ranked
from midline.model.strategies.code_answers import continuation, program
from midline.model.strategies.examples import Check
from midline.model.strategies.first_passing import FirstPassing, prepare
from midline.model.strategies.function_end import FunctionEnd, StopAtEnd
from midline.model.strategies.ledger import Call, Ledger, flops_of
from midline.model.strategies.problem import Problem
from midline.model.strategies.programs import Observed, Programs
from midline.model.strategies.prompts import Message
from midline.model.tokenizer.chat_template import render_chat

TEMPERATURE, TOP_P = 0.8, 0.95
CODE_TOKENS, CHAT_TOKENS, REMARK_TOKENS = 320, 512, 160
"""Most tokens of a completion: of code, of an answer in words, of a plan or a remark."""
_BLOCK = re.compile(r"```[^\n]*\n.*?^[ \t]*```", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Engines:
    """The models of a run: one, or a small one and a large one in the same process.

    They take turns, each on as many threads as the machine has cores: a strategy waits for one call
    before it makes the next, and a thread pool without work sleeps.
    """

    small: Engine
    large: Engine | None = None

    @property
    def all(self) -> list[Engine]:
        """The small one first."""
        return [self.small] if self.large is None else [self.small, self.large]

    @property
    def best(self) -> Engine:
        """The large one, or the only one."""
        return self.large or self.small


@dataclass(frozen=True)
class Draw:
    """How many completions are drawn, and how. seed: of those after the first, with greedy_first.

    temperature 0 is greedy; max_tokens None is what the form of the prompt wants.
    """

    samples: int = 1
    temperature: float = 0.0
    greedy_first: bool = False
    seed: int = 0
    max_tokens: int | None = None

    def options(self, most: int) -> SamplingOptions:
        """The engine's options, with at most `most` tokens unless it says otherwise itself.

        One greedy completion skips the weights that the model's own level says.
        """
        is_greedy = self.temperature == 0
        return SamplingOptions(
            samples=self.samples, max_tokens=self.max_tokens or most, seed=self.seed,
            temperature=self.temperature, top_p=1.0 if is_greedy else TOP_P,
            greedy_first=self.greedy_first,
            engine=NativeOptions(sparsity=None if is_greedy else 0.0),
        )  # fmt: skip


@dataclass
class Run:
    """What a strategy works with. Every call of a model and every execution goes through it.

    programs: None where nothing may be executed. notify: hears a short phrase about each step, and
    on_text each token of greedy answers, for progress.
    """

    problem: Problem
    engines: Engines
    watch: Watch
    programs: Programs | None = None
    notify: Callable[[str], None] = lambda phrase: None
    ledger: Ledger = field(default_factory=Ledger)
    candidates: list[Candidate] = field(default_factory=list)
    observed: dict[str, Observed] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    shown: Candidate | None = None
    _raw: list[str] = field(default_factory=list)

    @property
    def executes(self) -> bool:
        """Whether candidates can be executed and there is something to execute them with."""
        return self.programs is not None and self.problem.can_be_executed

    def show(self, candidate: Candidate) -> Candidate:
        """Make `candidate` the answer unless a later one replaces it."""
        self.shown = candidate
        return candidate

    def note(self, sentence: str) -> None:
        """Tell the user something, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def complete(
        self, draw: Draw, engine: Engine | None = None, *, first_passing: bool = False
    ) -> list[Candidate]:
        """Completions of the prompt itself, cut at the end of the function.

        first_passing: end as soon as one passes the examples, and return those that were finished.
        """
        engine = engine or self.engines.small
        if self.problem.form == "chat":
            return self.converse([{"role": "user", "content": self.problem.prompt}], draw, engine)
        tokenizer, options = engine.tokenizer, draw.options(CODE_TOKENS)
        ids = tokenizer.with_bos(tokenizer.encode(self.problem.prompt))
        texts = self._raw if draw.samples == 1 else []
        request = Request(ids, drafts=[[*ids, *tokenizer.encode(text)] for text in texts])
        if self.problem.form != "code":
            found = self._generate(engine, request, options, "answer")
            return self._keep(found, engine, lambda text: text, "answer")
        end = FunctionEnd(self.problem.language, self.problem.prompt)
        request = replace(request, stop=StopAtEnd(tokenizer, end))
        first: FirstPassing | None = None
        if first_passing and draw.samples > 1 and self.executes and self.problem.examples:
            flag = self.watch.call_flag()
            text_of = partial(_finished, engine, end)
            with FirstPassing(self, text_of, flag) as first:
                request = replace(request, on_end=first)
                found = self._generate(engine, request, options, "answer", flag)
        else:
            found = self._generate(engine, request, options, "answer")
        self._raw += [_text(engine, completion.ids) for completion in found]
        made = self._keep(found, engine, end.finished, "answer")
        whole = [c for c in made if c.finish_reason != "cancelled"]
        return whole if first is not None and first.passed else made

    def converse(
        self,
        messages: Sequence[Message],
        draw: Draw,
        engine: Engine | None = None,
        role: str = "answer",
    ) -> list[Candidate]:
        """Answers of a conversation that are candidates, each up to the end of its first block."""
        engine = engine or self.engines.small
        stop = _BlockEnd(engine) if self.problem.language else None
        ids = render_chat(engine.tokenizer, messages)
        found = self._generate(engine, Request(ids, stop=stop), draw.options(CHAT_TOKENS), role)
        return self._keep(found, engine, lambda text: continuation(self.problem, text), role)

    def remark(self, messages: Sequence[Message], role: str, engine: Engine | None = None) -> str:
        """One greedy answer that is no candidate: a plan, a lesson, a judgement."""
        engine = engine or self.engines.small
        ids = render_chat(engine.tokenizer, messages)
        found = self._generate(engine, Request(ids), Draw().options(REMARK_TOKENS), role)
        self.watch.check()
        return _text(engine, found[0].ids)

    def continued(
        self, text: str, draw: Draw, role: str, engine: Engine | None = None
    ) -> list[str]:
        """Texts behind `text` that are no candidates."""
        engine = engine or self.engines.small
        ids = engine.tokenizer.with_bos(engine.tokenizer.encode(text))
        found = self._generate(engine, Request(ids), draw.options(REMARK_TOKENS), role)
        self.watch.check()
        return [_text(engine, completion.ids) for completion in found]

    def examine(
        self, candidates: Sequence[Candidate], checks: Sequence[Check]
    ) -> dict[str, Observed]:
        """What the candidates do in `checks`, by their text; equal texts are executed once."""
        assert self.programs is not None
        texts = list(dict.fromkeys(candidate.text for candidate in candidates))
        self.notify(f"executing {len(texts)} candidates")
        started = time.perf_counter()
        sources = [program(self.problem, text) for text in texts]
        found = self.programs.observe(sources, self.problem.language, checks)
        self.ledger.executed(len(texts), time.perf_counter() - started)
        self.watch.check()
        return dict(zip(texts, found, strict=True))

    def try_examples(self, candidates: Sequence[Candidate]) -> list[Observed]:
        """What each candidate does with the prompt's examples; what was executed is known."""
        new = [candidate for candidate in candidates if candidate.text not in self.observed]
        if new:
            self.observed |= self.examine(new, self.problem.examples)
        return [self.observed[candidate.text] for candidate in candidates]

    def passes(self, candidate: Candidate) -> bool:
        """Whether the candidate does what all examples say; False if there are none."""
        (found,) = self.try_examples([candidate])
        return bool(found) and all(each.passed for each in found)

    def best(self, candidates: Sequence[Candidate]) -> Candidate:
        """The best by the ranker."""
        if not candidates:
            raise MidlineError("there is no candidate to choose from; give a larger budget")
        return ranked(self.problem, candidates)[0]

    def best_by_examples(self, candidates: Sequence[Candidate]) -> Candidate:
        """The ranker's best among those that pass the most examples."""
        if not self.executes or not self.problem.examples:
            return self.best(candidates)
        passed = [sum(o.passed for o in found) for found in self.try_examples(candidates)]
        most = max(passed)
        return self.best([c for c, n in zip(candidates, passed, strict=True) if n == most])

    def _keep(
        self,
        completions: Sequence[Completion],
        engine: Engine,
        written: Callable[[str], str],
        role: str,
    ) -> list[Candidate]:
        made = [
            Candidate(
                written(_text(engine, c.ids)), c.mean_logprob, len(c.ids), c.finish_reason,
                engine.name, role,
            )
            for c in completions
        ]  # fmt: skip
        self.candidates += made
        self.watch.check()
        return made

    def _generate(
        self,
        engine: Engine,
        request: Request,
        options: SamplingOptions,
        role: str,
        flag: CancelFlag | None = None,
    ) -> list[Completion]:
        self.watch.check()
        if self.watch.drawing.is_set():
            raise Ended
        prompt = len(request.prompt)
        limit = self.watch.budget.tokens
        left = None if limit is None else limit - self.ledger.tokens - prompt
        if left is not None and left <= 0:
            self.watch.stop_drawing("budget")
            raise Ended
        self.notify(
            f"{engine.name}: {role}, {options.samples} x at most {options.max_tokens} tokens"
        )
        prepare(self)
        cancel = self.watch.drawing if flag is None else flag
        counter = _Counter(left, self.watch)
        started = time.perf_counter()
        found = engine.generate(request, options, cancel=cancel, on_token=counter)
        seconds = time.perf_counter() - started
        self._enter(engine, role, found, seconds, drafted=bool(request.drafts))
        return found.completions

    def _enter(
        self, engine: Engine, role: str, found: Generation, seconds: float, *, drafted: bool
    ) -> None:
        generated = tuple(len(completion.ids) for completion in found.completions)
        flops = flops_of(engine, found.prompt_tokens, found.cached_tokens, generated)
        self.ledger.calls.append(
            Call(
                engine.name,
                role,
                found.prompt_tokens,
                found.cached_tokens,
                generated,
                seconds,
                flops,
                drafted,
            )
        )


class _Counter:
    """Ends drawing when a budget of tokens is spent."""

    def __init__(self, left: int | None, watch: Watch) -> None:
        self._left, self._watch = left, watch

    def __call__(self, token: DrawnToken) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left <= 0:
                self._watch.stop_drawing("budget")


class _BlockEnd:
    """Stop condition: whether the answer has a whole code block."""

    def __init__(self, engine: Engine) -> None:
        self._tokenizer = engine.tokenizer

    def __call__(self, sample: int, ids: list[int]) -> bool:
        if b"`" not in b"".join(map(self._tokenizer.token_bytes, ids[-3:])):
            return False
        return _BLOCK.search(self._tokenizer.decode(ids)) is not None


def _finished(engine: Engine, end: FunctionEnd, ids: list[int]) -> str:
    """A completion that ends where the function does."""
    return end.finished(_text(engine, ids))


def _text(engine: Engine, ids: list[int]) -> str:
    """The text of a completion's ids without its end token."""
    if ids and ids[-1] in engine.tokenizer.end_tokens:
        ids = ids[:-1]
    return engine.tokenizer.decode(ids)
