"""Mixture-of-Agents: layers of proposers that read the layer before, and an aggregator
(arXiv 2406.04692; with one model, self-MoA, 2502.00674).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from midline.model.engines.base import Engine
from midline.model.errors import UsageError
from midline.model.strategies.agreement import groups, outcomes
from midline.model.strategies.base import Strategy
from midline.model.strategies.candidate import Candidate
from midline.model.strategies.code_answers import whole_function
from midline.model.strategies.debate import majority
from midline.model.strategies.prompts import aggregate, write
from midline.model.strategies.run import TEMPERATURE, Draw, Run

Aggregator = Literal["synthesis", "logprob", "agreement", "disagreement"]
"""synthesis: the paper's prompt, answered by the best model. logprob: the proposal that the ranker
prefers. agreement: the largest group of equal outputs. disagreement: synthesis, but only where no
two proposals have the same outputs, and agreement otherwise."""
MOST_LAYERS = 3


@dataclass(frozen=True)
class MixtureOfAgents(Strategy):
    """`layers` layers, of which the last is the aggregator; with 1, a choice among proposals.

    mixed: proposals from both models, where there are two. A proposer is a model, greedy or
    sampled, asked in words or with the prompt as it is: the first layer has one of each form for
    each model.
    """

    name = "mixture_of_agents"
    layers: int = 2
    aggregator: Aggregator = "synthesis"
    mixed: bool = False

    def __post_init__(self) -> None:
        """Raises UsageError for layers and aggregators that there are not."""
        if not 1 <= self.layers <= MOST_LAYERS:
            raise UsageError(
                f"{self.layers} layers are not possible; choose from 1 to {MOST_LAYERS}"
            )
        if self.aggregator not in get_args(Aggregator):
            known = ", ".join(get_args(Aggregator))
            raise UsageError(f"there is no aggregator {self.aggregator!r}; there is {known}")

    def work(self, run: Run) -> None:
        """Two calls a model for the first layer, one for each proposer of later ones."""
        engines = run.engines.all if self.mixed else [run.engines.small]
        proposals: list[Candidate] = []
        for engine in engines:
            proposals += run.complete(Draw(2, TEMPERATURE, greedy_first=True), engine)
            proposals += run.converse(
                write(run.problem), Draw(2, TEMPERATURE, greedy_first=True), engine, "proposal"
            )
        run.show(run.best(proposals))
        for layer in range(1, self.layers - 1):
            proposals = self._next_layer(run, engines, proposals, layer)
        self._aggregate(run, engines[-1], proposals)

    def _next_layer(
        self, run: Run, engines: Sequence[Engine], proposals: Sequence[Candidate], layer: int
    ) -> list[Candidate]:
        messages = aggregate(run.problem, _texts(run, proposals))
        made: list[Candidate] = []
        for engine in engines:
            draw = Draw(4 // len(engines), TEMPERATURE, greedy_first=True, seed=layer)
            made += run.converse(messages, draw, engine, "proposal")
        return made

    def _aggregate(self, run: Run, engine: Engine, proposals: list[Candidate]) -> None:
        if self.aggregator == "logprob":
            run.show(run.best(proposals))
        elif (
            self.aggregator == "agreement"
            or self.layers == 1
            or (self.aggregator == "disagreement" and _agree(run, proposals))
        ):
            run.show(majority(run, proposals))
        else:
            messages = aggregate(run.problem, _texts(run, proposals))
            run.show(run.converse(messages, Draw(), engine, "aggregate")[0])

    def _settles(self, run: Run, proposals: list[Candidate]) -> bool:
        """Whether no synthesis is asked for."""
        if self.aggregator == "disagreement":
            return _agree(run, proposals)
        return self.aggregator == "agreement" or self.layers == 1


def _agree(run: Run, proposals: Sequence[Candidate]) -> bool:
    """Whether two proposals have the same outputs, or the same text where nothing is executed."""
    if not run.executes or not run.problem.examples:
        return len({proposal.text for proposal in proposals}) < len(proposals)
    return len(groups(outcomes(run, proposals))[0]) > 1


def _texts(run: Run, proposals: Sequence[Candidate]) -> list[str]:
    """The proposals as whole functions, each once."""
    return list(dict.fromkeys(whole_function(run.problem, p.text) for p in proposals))
