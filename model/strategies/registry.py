"""The strategies by name. A new one is a file here, and its class in STRATEGIES."""

from dataclasses import fields
from typing import Any

from midline.model.errors import UsageError
from midline.model.strategies.base import Strategy
from midline.model.strategies.best_of_n import BestOfN
from midline.model.strategies.cascade import Cascade
from midline.model.strategies.codet import CodeT
from midline.model.strategies.debate import Debate
from midline.model.strategies.greedy import Greedy
from midline.model.strategies.mixture_of_agents import MixtureOfAgents
from midline.model.strategies.plan_then_code import PlanThenCode
from midline.model.strategies.reflexion import Reflexion
from midline.model.strategies.s_star import SStar
from midline.model.strategies.self_consistency import SelfConsistency
from midline.model.strategies.self_repair import SelfRepair

STRATEGIES: dict[str, type[Strategy]] = {
    each.name: each
    for each in (
        Greedy, BestOfN, SelfConsistency, CodeT, SelfRepair, Reflexion, PlanThenCode, Debate,
        MixtureOfAgents, Cascade, SStar,
    )
}  # fmt: skip


def make_strategy(name: str, parameters: dict[str, Any] | None = None) -> Strategy:
    """The strategy of a name; UsageError for a name or parameter that there is not."""
    kind = STRATEGIES.get(name)
    if kind is None:
        raise UsageError(
            f"there is no strategy {name!r:.40}; there is auto, {', '.join(STRATEGIES)}"
        )
    parameters_known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    unknown = set(parameters or {}) - parameters_known
    if unknown:
        raise UsageError(f"{name} has no parameter {', '.join(sorted(unknown))}")
    return kind(**(parameters or {}))
