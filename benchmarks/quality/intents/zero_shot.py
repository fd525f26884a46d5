"""The rival without training: a language model that is told the labels and answers in JSON.

Its answer is `{"intent": "..", "slots": {"..": ".."}}`, and decoding is constrained to it: at every
place where the form leaves a choice (the intent, the next slot or the end, a slot's text, which is
some words of the sentence), the likeliest token is drawn among those that begin what is allowed.
"""

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from midline.model.engines.native.engine import NativeEngine
from midline.model.intents.prediction import Prediction
from midline.model.intents.schema import OUT_OF_SCOPE
from midline.model.intents.utterance import Slot, Utterance
from midline.model.intents.words import Word, words_of
from midline.model.runtime.kv_cache import Sequence as Cached
from midline.model.tokenizer.chat_template import render_chat

MOST_WORDS = 16
"""Of a slot's text."""
_MARK = "SENTENCE"
INTENTS = {
    "explain": "to be told what code does or why",
    "fix": "an error, a warning or a bug repaired",
    "tests": "tests written",
    "rename": "a symbol renamed",
    "extract": "a part of the code moved into a function, constant or variable of its own",
    "docstring": "documentation of a symbol written",
    "translate": "code written again in another programming language",
    "generate": "new code from a description",
    "complete": "unfinished code finished",
    "search": "to find code or text in the project",
    "open": "to go to a file, a line or a definition",
    "run_tests": "tests run",
    "optimise": "code made faster or smaller in memory",
    "configure": "a setting changed",
    "switch_model": "another model used",
    "pause": "completions to stop for now",
    "resume": "completions to go on",
    "status": "to know what the assistant is doing or which model it uses",
    "screenshot": "the text or the code in a picture",
    "out_of_scope": "anything else, and every sentence that is not in English",
}
SLOTS = {
    "symbol": "the name of a function, class, method or variable in code",
    "new_name": "the name that something is to get",
    "path": "a file or a folder",
    "line": "a line number or a range, without the word line",
    "language": "a programming language",
    "framework": "a test framework or a style of documentation",
    "budget": "how much may be spent, with its unit",
    "setting": "the name of a setting",
    "value": "what the setting is set to",
    "model": "the name of a model",
    "query": "the text that is searched for",
    "description": "what is to be generated, with its article",
    "duration": "how long completions pause",
}


def instructions() -> str:
    """The system message: every label with what it means."""
    intents = "\n".join(f"- {name}: {meaning}" for name, meaning in INTENTS.items())
    slots = "\n".join(f"- {name}: {meaning}" for name, meaning in SLOTS.items())
    return (
        "You label what a programmer says to a code assistant. Answer with one line of JSON: the "
        f"intent and the slots of the sentence.\n\nIntents, what the user wants:\n{intents}\n\n"
        f"Slots, copied word for word without quotes and without articles:\n{slots}\n\n"
        'Form: {"intent": "<intent>", "slots": {"<slot>": "<words of the sentence>"}}'
    )


class ZeroShot:
    """A language model as an `IntentModel`."""

    def __init__(self, engine: NativeEngine) -> None:
        self._engine = engine
        before, self._after = self._prompt()
        self._start = Cached()
        engine.decoder.forward([(self._start, before)], logits="none")

    @classmethod
    def load(cls, model: str, threads: int | None) -> "ZeroShot":
        """With a model of the catalogue or of a GGUF file."""
        return cls(NativeEngine.load(model, threads=threads))

    def _prompt(self) -> tuple[list[int], list[int]]:
        """The ids in front of a sentence and behind it."""
        messages = [
            {"role": "system", "content": instructions()},
            {"role": "user", "content": _MARK},
        ]
        tokenizer = self._engine.tokenizer
        ids = render_chat(tokenizer, messages)
        mark = tokenizer.encode(_MARK)
        at = next(n for n in range(len(ids)) if ids[n : n + len(mark)] == mark)
        return ids[:at], ids[at + len(mark) :]

    def predict(self, text: str) -> Prediction:
        """The labels of one sentence."""
        cache = self._engine.decoder.cache
        answer = ConstrainedAnswer(self._engine, cache.fork(self._start))
        try:
            answer.append([*self._engine.tokenizer.encode(text), *self._after])
            return _frame(answer, text)
        finally:
            self._engine.release(answer.sequence)


class ConstrainedAnswer:
    """An answer that grows by given texts and by choices among texts."""

    def __init__(self, engine: NativeEngine, sequence: Cached) -> None:
        self.sequence = sequence
        self._engine = engine
        self._pending: list[int] = []

    def append(self, ids: Sequence[int]) -> None:
        """Add what is not the model's choice; it is computed with the next choice."""
        self._pending += ids

    def write(self, text: str) -> None:
        """The same, from text."""
        self.append(self._engine.tokenizer.encode(text))

    def choose(self, texts: Sequence[str]) -> tuple[int, dict[int, float]]:
        """The text that greedy decoding arrives at, appended, by number.

        Also the share of the first token's probability that leads to each text alone. A text that
        begins another one is never left for it: end texts with something that none contains.
        """
        left = {number: text.encode() for number, text in enumerate(texts)}
        shares: dict[int, float] = {}
        while True:
            logits = self._step()
            tokens = self._beginnings(left)
            ids = list(tokens)
            best = ids[int(logits[ids].argmax())]
            if not shares:
                shares = _shares(logits, tokens, left)
            self._pending = [best]
            size = len(self._engine.tokenizer.token_bytes(best))
            left = {n: rest[size:] for n, rest in left.items() if n in tokens[best]}
            if any(not rest for rest in left.values()):
                return next(n for n, rest in left.items() if not rest), shares

    def _step(self) -> NDArray[np.float32]:
        logits = self._engine.decoder.forward([(self.sequence, self._pending)])
        self._pending = []
        return logits[-1]

    def _beginnings(self, left: dict[int, bytes]) -> dict[int, set[int]]:
        """Tokens that some text begins with, and the numbers of those texts."""
        found: dict[int, set[int]] = {}
        for number, rest in left.items():
            for token in self._engine.tokenizer.tokens_that_prefix(rest).tolist():
                found.setdefault(token, set()).add(number)
        return found


def _shares(
    logits: NDArray[np.float32], tokens: dict[int, set[int]], left: dict[int, bytes]
) -> dict[int, float]:
    ids = list(tokens)
    raised = np.exp(logits[ids] - logits[ids].max())
    shares = dict.fromkeys(left, 0.0)
    for token, weight in zip(ids, raised / raised.sum(), strict=True):
        if len(tokens[token]) == 1:
            shares[next(iter(tokens[token]))] += float(weight)
    return shares


def _frame(answer: ConstrainedAnswer, text: str) -> Prediction:
    names = tuple(INTENTS)
    answer.write('{"intent": "')
    number, shares = answer.choose([f'{name}",' for name in names])
    slots = _in_order(_slots(answer, text))
    return Prediction(
        Utterance(text, names[number], slots),
        shares[number],
        shares[names.index(OUT_OF_SCOPE)],
    )


def _slots(answer: ConstrainedAnswer, text: str) -> list[Slot]:
    """The slots as they are written, to the end of the answer.

    Choices begin and end where tokens of such a text do, `{"` and `"}}` among them: a model that
    has to go on from the middle of a token says something else.
    """
    words = words_of(text)
    spans = _spans(words)
    values = [json.dumps(text[a:b], ensure_ascii=False)[1:-1] for a, b in spans]
    rest, slots = [name for name in SLOTS if words], []
    answer.write(' "slots":')
    chosen, _ = answer.choose([" {}}", *(f' {{"{name}": "' for name in rest)])
    while chosen:
        name = rest.pop(chosen - 1)
        ends = ('"}}', '", "') if rest else ('"}}',)
        taken, _ = answer.choose([value + end for value in values for end in ends])
        slots.append(Slot(name, *spans[taken // len(ends)]))
        if taken % len(ends) == 0:
            break
        chosen = 1 + answer.choose([f'{name}": "' for name in rest])[0]
    return slots


def _spans(words: Sequence[Word]) -> list[tuple[int, int]]:
    """Where runs of words begin and end."""
    return [
        (words[a].start, words[b].end)
        for a in range(len(words))
        for b in range(a, min(len(words), a + MOST_WORDS))
    ]


def _in_order(slots: Sequence[Slot]) -> tuple[Slot, ...]:
    """The slots by their place; of two that overlap the first stays."""
    found: list[Slot] = []
    for slot in sorted(slots, key=lambda s: (s.start, -s.end)):
        if not found or slot.start >= found[-1].end:
            found.append(slot)
    return tuple(found)
