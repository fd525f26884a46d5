"""What is compared: a strategy with its parameters, and the models it has.

Arms of strategies whose samples are independent are simulated from a pool (`simulate.py`); those
here are run problem by problem, because each call depends on the ones before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from midline.model.errors import UsageError
from midline.model.strategies.base import Strategy
from midline.model.strategies.registry import make_strategy
from midline.model.strategies.run import Engines

SMALL, LARGE, BOTH = "small", "large", "both"
PAIRS = (SMALL, LARGE, BOTH)
"""Which models an arm has: the small one, the large one in its place, or both."""


@dataclass(frozen=True)
class Arm:
    """name: of the row in tables. rounds: of what is repeated, for curves; 0 if nothing is."""

    name: str
    strategy: str
    parameters: dict[str, Any] = field(default_factory=dict)
    pairs: tuple[str, ...] = (SMALL, LARGE)

    def make(self) -> Strategy:
        """The strategy."""
        return make_strategy(self.strategy, self.parameters)


MOA = "mixture_of_agents"
ARMS = (
    Arm("in_words", "greedy", {"in_words": True}),
    Arm("plan_then_code", "plan_then_code"),
    *(Arm(f"self_repair-{k}", "self_repair", {"rounds": k}) for k in (1, 2, 3)),
    *(Arm(f"reflexion-{k}", "reflexion", {"rounds": k}) for k in (1, 2, 3)),
    Arm("debate-2x2", "debate", {"agents": 2, "rounds": 2}),
    Arm("debate-2x3", "debate", {"agents": 2, "rounds": 3}),
    Arm("debate-3x2", "debate", {"agents": 3, "rounds": 2}),
    Arm("s_star-4x1", "s_star", {"samples": 4, "rounds": 1}),
    *(
        Arm(f"moa-{layers}-{aggregator}", MOA, {"layers": layers, "aggregator": aggregator})
        for layers, aggregator in (
            (1, "logprob"), (1, "agreement"), (2, "synthesis"), (3, "synthesis"),
            (2, "disagreement"),
        )
    ),
    *(
        Arm(
            f"mixed_moa-{layers}-{aggregator}",
            MOA,
            {"layers": layers, "aggregator": aggregator, "mixed": True},
            (BOTH,),
        )
        for layers, aggregator in (
            (1, "logprob"), (1, "agreement"), (2, "synthesis"), (3, "synthesis"),
            (2, "disagreement"),
        )
    ),
)  # fmt: skip


def chosen_arms(names: Sequence[str] | None) -> tuple[Arm, ...]:
    """Those whose name begins with one of `names`, or all; UsageError if a name fits none."""
    if not names:
        return ARMS
    unknown = [name for name in names if not any(arm.name.startswith(name) for arm in ARMS)]
    if unknown:
        known = ", ".join(arm.name for arm in ARMS)
        raise UsageError(f"there is no arm {', '.join(unknown)}; there is {known}")
    return tuple(arm for arm in ARMS if arm.name.startswith(tuple(names)))


def engines_of(pair: str, small: Any, large: Any) -> Engines:
    """The engines of a pair; None stands for one that is not there and not needed."""
    if pair == SMALL:
        return Engines(small)
    return Engines(large) if pair == LARGE else Engines(small, large)
