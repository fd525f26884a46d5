"""An engine that writes exactly the removed text, which shows what the completion rules lose."""

from collections.abc import Sequence

from midline.benchmarks.quality.infilling.tasks import Infilling
from midline.model.completion.complete import complete
from midline.model.engines.base import (
    GREEDY,
    Cancellation,
    Capabilities,
    Completion,
    Engine,
    Generation,
    More,
    OnDone,
    OnToken,
    Request,
    SamplingOptions,
    Timings,
)
from midline.model.tokenizer.base import TokenizerBase

MAX_TOKENS = 1024
"""More tokens than any removed text has."""
CONTEXT_LENGTH = 32768


class PerfectEngine(Engine):
    """An engine that writes one text token by token, until it is told to stop.

    The text ends with the model's own end of generation, as that of a model which knows the rest.
    """

    name = kind = "perfect"
    capabilities = Capabilities()
    load_ms = 0.0
    context_length = CONTEXT_LENGTH

    def __init__(self, tokenizer: TokenizerBase) -> None:
        self.tokenizer = tokenizer
        self.text = ""

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
        """The bytes of `Request.align` and then `text`, until `stop` ends it."""
        return [self._answer(request, options.samples) for request in requests]

    def _answer(self, request: Request, samples: int) -> Generation:
        ids: list[int] = []
        for id in self.tokenizer.encode(request.align + self.text.encode()):
            ids.append(id)
            if request.stop is not None and request.stop(0, ids):
                break
        text = self.tokenizer.decode(ids)
        completions = [Completion(list(ids), text, 0.0, 0.0, "stop") for _ in range(samples)]
        return Generation(completions, len(request.prompt), 0, Timings(0.0, 0.0, 0.0, 0.0, 0.0))

    def close(self) -> None:
        """There is nothing to free."""


def perfect_answers(
    tokenizer: TokenizerBase, tasks: Sequence[Infilling], *, by_hand: bool, run_on: int = 0
) -> list[str]:
    """What is shown of each task's own text; `run_on` characters of the suffix follow it."""
    engine = PerfectEngine(tokenizer)
    options = SamplingOptions(max_tokens=MAX_TOKENS)
    answers = []
    for task in tasks:
        engine.text = task.middle + task.after[:run_on]
        result = complete(engine, task.cursor, options, insist=by_hand)
        answers.append(result.suggestions[0].text if result.suggestions else "")
    return answers
