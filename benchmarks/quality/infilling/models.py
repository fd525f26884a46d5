"""Answers of real models to the tasks: Midline's completions, and llama.cpp's plain ones.

llama.cpp gets the published prompt and suffix between the model's FIM tokens and decodes greedily:
its answer is the first line where one line is missing, and everything up to the end otherwise.
Answers are kept in a file, so that a run that was interrupted goes on.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from midline.benchmarks.quality.answers import Answers, completion_rules, question
from midline.benchmarks.quality.infilling.tasks import Infilling
from midline.model.completion.complete import complete_many
from midline.model.engines.base import Engine, NativeOptions, SamplingOptions
from midline.model.errors import UsageError
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf

BATCH = 16
MAX_TOKENS = 256
LLAMA_CONTEXT = 4096


def midline_answers(
    engine: Engine, tasks: Sequence[Infilling], answers: Answers, *, by_hand: bool
) -> list[str]:
    """The completion that is shown for each task, decoded densely and many together."""
    options = SamplingOptions(max_tokens=MAX_TOKENS, engine=NativeOptions(sparsity=0.0))
    rules = completion_rules()

    def ask(batch: Sequence[Infilling]) -> list[str]:
        cursors = [task.cursor for task in batch]
        results = complete_many(engine, cursors, options, insist=by_hand)
        return [r.suggestions[0].text if r.suggestions else "" for r in results]

    keys = [
        question("midline", engine.name, rules, by_hand, MAX_TOKENS, task.cursor) for task in tasks
    ]
    return _answered(tasks, keys, answers, ask, BATCH)


def llama_answers(
    path: Path, name: str, tasks: Sequence[Infilling], answers: Answers, threads: int
) -> list[str]:
    """llama.cpp's answer to each of the published tasks."""
    keys = [question("llama.cpp", name, MAX_TOKENS, task) for task in tasks]
    if all(answers.get(key) is not None for key in keys):
        return [answers.get(key) or "" for key in keys]
    plain = _Plain(path, threads)
    try:
        return _answered(tasks, keys, answers, lambda batch: [plain.answer(batch[0])], 1)
    finally:
        plain.close()


def _answered(
    tasks: Sequence[Infilling],
    keys: Sequence[str],
    answers: Answers,
    ask: Callable[[Sequence[Infilling]], list[str]],
    batch: int,
) -> list[str]:
    waiting = [number for number, key in enumerate(keys) if answers.get(key) is None]
    for start in range(0, len(waiting), batch):
        print(f"\rcompleted {start} of {len(waiting)}", end="", file=sys.stderr, flush=True)
        chosen = waiting[start : start + batch]
        for number, text in zip(chosen, ask([tasks[n] for n in chosen]), strict=True):
            answers.add(keys[number], text)
    if waiting:
        print(file=sys.stderr)
    return [answers.get(key) or "" for key in keys]


class _Plain:
    """Greedy decoding by llama.cpp from the model's FIM tokens and nothing else."""

    def __init__(self, path: Path, threads: int) -> None:
        from midline.benchmarks.speed.engines.llama_cpp import LlamaContext, LlamaModel, Variant

        self.tokenizer = Tokenizer.from_gguf(read_gguf(path))
        if self.tokenizer.fim is None:
            raise UsageError(f"{path} has no fill-in-the-middle tokens, so it cannot fill in")
        self.model = LlamaModel(path)
        self.context = LlamaContext(
            self.model, cells=LLAMA_CONTEXT, sequences=1, threads=threads, variant=Variant()
        )

    def answer(self, task: Infilling) -> str:
        """The text after the middle token, up to its end, or to the end of the first line."""
        fim, encode = self.tokenizer.fim, self.tokenizer.encode
        assert fim is not None
        before, after = encode(task.before.encode()), encode(task.after.encode())
        ids = [fim.prefix, *before, fim.suffix, *after, fim.middle]
        row, written, data = self.context.fill(ids), 0, b""
        while written < MAX_TOKENS:
            id = int(row.argmax())
            if id in self.tokenizer.end_tokens:
                break
            data += self.tokenizer.token_bytes(id)
            if task.kind == "single-line" and b"\n" in data.lstrip(b"\n"):
                break
            row = self.context.decode([(id, len(ids) + written, 0, True)])[0]
            written += 1
        return whole_lines(data.decode("utf-8", "ignore"), task.kind)

    def close(self) -> None:
        """Free the context."""
        self.context.close()


def whole_lines(text: str, kind: str) -> str:
    """The first line that is not blank, for one line; `text` with a line end, for several."""
    if kind == "random-span":
        return text
    if kind == "multi-line":
        return text.removesuffix("\n") + "\n"
    start = len(text) - len(text.lstrip("\n"))
    return text[:start] + text[start:].partition("\n")[0] + "\n"
