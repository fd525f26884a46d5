"""What every writer of utterances has in common: how many lines are drawn, and how."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from midline.model.intents.utterance import Utterance


@dataclass(frozen=True, kw_only=True)
class Writer(ABC):
    """Draws `samples` lines of each intent, at most `max_tokens` each."""

    samples: int = 32
    max_tokens: int = 48
    temperature: float = 0.9
    top_p: float = 0.95

    @abstractmethod
    def lines(
        self,
        examples: Mapping[str, Sequence[Utterance]],
        seed: int,
        on_intent: Callable[[str, list[str]], None],
    ) -> None:
        """Call `on_intent` with the lines of each intent of `examples`, whichever is done first.

        The same seed gives the same lines, whichever intents are written beside it.
        """
