"""A model that always writes what was taken out: what the completion rules alone lose of it."""

from collections.abc import Sequence
from typing import Any

from midline.benchmarks.quality.infilling.tasks import Infilling
from midline.model.completion.complete import complete
from midline.model.engines.native.engine import Completion, GenerateOptions, Generation, Timings
from midline.model.tokenizer.tokenizer import Tokenizer

MAX_TOKENS = 1024
"""More than any text that was taken out has."""
CONTEXT_LENGTH = 32768


class PerfectEngine:
    """Has the interface of an engine and writes one text token by token, until it is told to stop.

    The text ends with the model's own end of generation, as that of a model which knows the rest.
    """

    name = "perfect"
    load_ms = 0.0
    context_length = CONTEXT_LENGTH

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.text = ""

    def generate(
        self,
        prompt_ids: Sequence[int],
        options: GenerateOptions,
        *,
        cancel: Any = None,
        stop: Any = None,
        align: bytes = b"",
        on_token: Any = None,
    ) -> Generation:
        """`text` behind the bytes given back, as far as `stop` lets it be written."""
        ids: list[int] = []
        for id in self.tokenizer.encode(align + self.text.encode()):
            ids.append(id)
            if stop is not None and stop(0, ids):
                break
        text = self.tokenizer.decode(ids)
        completions = [
            Completion(list(ids), text, 0.0, 0.0, "stop") for _ in range(options.samples)
        ]
        return Generation(completions, len(prompt_ids), 0, Timings(0.0, 0.0, 0.0, 0.0, 0.0))


def perfect_answers(
    tokenizer: Tokenizer, tasks: Sequence[Infilling], *, by_hand: bool, run_on: int = 0
) -> list[str]:
    """What is shown of each task's own text; `run_on` characters of the suffix follow it."""
    engine: Any = PerfectEngine(tokenizer)
    options = GenerateOptions(max_tokens=MAX_TOKENS)
    answers = []
    for task in tasks:
        engine.text = task.middle + task.after[:run_on]
        result = complete(engine, task.cursor, options, insist=by_hand)
        answers.append(result.suggestions[0].text if result.suggestions else "")
    return answers
