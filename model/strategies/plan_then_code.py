"""Plan and solve: a plan in words, then the code that carries it out (arXiv 2305.04091)."""

from dataclasses import dataclass

from midline.model.strategies.base import Strategy
from midline.model.strategies.prompts import carry_out, plan
from midline.model.strategies.run import Draw, Run


@dataclass(frozen=True)
class PlanThenCode(Strategy):
    """One plan and one answer. large: from the second model, where there is one."""

    name = "plan_then_code"
    large: bool = False

    def work(self, run: Run) -> None:
        """Two calls."""
        engine = run.engines.best if self.large else run.engines.small
        made = run.remark(plan(run.problem), "plan", engine)
        run.show(run.converse(carry_out(run.problem, made), Draw(), engine)[0])
