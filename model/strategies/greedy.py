"""One greedy answer of one model: what every other strategy is compared with."""

from dataclasses import dataclass

from midline.model.strategies.base import Strategy
from midline.model.strategies.prompts import write
from midline.model.strategies.run import Draw, Run


@dataclass(frozen=True)
class Greedy(Strategy):
    """large: answer with the second model, where there is one. in_words: ask for the function in
    words, where the prompt is a program."""

    name = "greedy"
    large: bool = False
    in_words: bool = False

    def work(self, run: Run) -> None:
        """One call."""
        engine = run.engines.best if self.large else run.engines.small
        if self.in_words:
            run.show(run.converse(write(run.problem), Draw(), engine)[0])
        else:
            run.show(run.complete(Draw(), engine)[0])
