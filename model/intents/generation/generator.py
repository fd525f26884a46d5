"""Sampling of augmented utterances by an engine, a few examples in front.

The prompt is plain text that the model continues, one utterance a line; each sample is one line.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from midline.model.engines.base import Engine, Generation, Request, SamplingOptions
from midline.model.intents.generation.writer import Writer
from midline.model.intents.utterance import Utterance, write_augmented

MOST_SHOWN = 10
"""Examples of an intent in a prompt."""
_HEAD = (
    "Sentences that different people say to an assistant, all of them different, with the intent "
    "in front and every slot in brackets: [text|slot].\n\n"
)
_STREAMS = 32


@dataclass(frozen=True)
class Generator(Writer):
    """A model that reads the examples of an intent in its prompt."""

    engine: Engine

    def lines(
        self,
        examples: Mapping[str, Sequence[Utterance]],
        seed: int,
        on_intent: Callable[[str, list[str]], None],
    ) -> None:
        """The lines of `Writer.lines`; they depend on the examples of their intent, too."""
        intents = list(examples)
        requests = [
            Request(self._prompt(intent, examples[intent]), stop=self._is_line, seed=seed)
            for intent in intents
        ]
        options = SamplingOptions(
            samples=self.samples,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
        )

        def done(number: int, generation: Generation) -> None:
            intent = intents[number]
            on_intent(intent, [_line(intent, c.text) for c in generation.completions])

        self.engine.batch(requests, options, on_done=done, streams=_STREAMS)

    def _prompt(self, intent: str, examples: Sequence[Utterance]) -> list[int]:
        tokenizer = self.engine.tokenizer
        return tokenizer.with_bos(tokenizer.encode(prompt_text(intent, examples)))

    def _is_line(self, sample: int, ids: list[int]) -> bool:
        return b"\n" in self.engine.tokenizer.token_bytes(ids[-1])


def prompt_text(intent: str, examples: Sequence[Utterance]) -> str:
    """The text that the model continues with one more utterance of `intent`."""
    shown = "\n".join(map(write_augmented, examples[:MOST_SHOWN]))
    return f"{_HEAD}{shown}\n(({intent}))"


def _line(intent: str, text: str) -> str:
    return f"(({intent})) {text.partition(chr(10))[0].strip()}"
