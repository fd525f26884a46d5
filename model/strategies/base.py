"""The interface of strategies.

A strategy is a frozen dataclass whose fields are its parameters. Its `work` makes calls through a
`Run` and shows what it takes for the best answer so far; `solve` does the rest: the budget, the
cancellation, and the best of what was written where the work did not come to its end.
"""

import contextlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Self

from midline.model.cancellation import Cancellation
from midline.model.sandbox import Sandbox
from midline.model.strategies.budget import UNLIMITED, Budget, Ended, Watch
from midline.model.strategies.candidate import Answer, Candidate, ranked
from midline.model.strategies.ledger import peak_memory
from midline.model.strategies.problem import Problem
from midline.model.strategies.programs import Programs
from midline.model.strategies.run import Engines, Run
from midline.model.strategies.waiting_programs import WaitingPrograms

RESERVED, MOST_RESERVED = 0.05, 0.5
"""Share of a budget of seconds that is kept for executions, and most seconds of it."""
NO_EXAMPLES = "the prompt has no examples to execute, so candidates are ranked by the model alone"
NO_EXECUTION = "nothing is executed without --execute, so candidates are ranked by the model alone"


def silent(phrase: str) -> None:
    """A listener that ignores what it hears."""


MakePrograms = Callable[[threading.Event], Programs]


@dataclass(frozen=True)
class Surround:
    """What a run has around it.

    make_programs: what executes candidates until its argument is set; None to execute nothing.
    notify: hears of each step.
    """

    make_programs: MakePrograms | None = None
    notify: Callable[[str], None] = silent

    @classmethod
    def executing(cls, sandbox: Sandbox, notify: Callable[[str], None] = silent) -> Self:
        """One that executes candidates in `sandbox`."""
        return cls(lambda stop: WaitingPrograms(sandbox, stop), notify)


class Strategy(ABC):
    """One way to answer. name: as the user writes it."""

    name: ClassVar[str]
    needs_execution: ClassVar[bool] = False
    """Whether it is another strategy without execution."""
    needs_large: ClassVar[bool] = False
    """Whether it needs a second model."""

    @abstractmethod
    def work(self, run: Run) -> None:
        """Call, execute and show; may end with `Ended` at any call."""

    def solve(
        self,
        problem: Problem,
        engines: Engines,
        budget: Budget = UNLIMITED,
        cancel: Cancellation | None = None,
        surround: Surround | None = None,
    ) -> Answer:
        """The answer within `budget`, with all candidates and the ledger.

        A spent budget or a cancellation ends the work within a layer of the model, or within 0.1 s
        of a program; the answer is then the best of what was written. Raises what engines raise.
        """
        surround = surround or Surround()
        with Watch(budget, cancel, _reserve(budget, surround)) as watch:
            programs = None
            if surround.make_programs is not None:
                programs = surround.make_programs(watch.event)
            run = Run(problem, engines, watch, programs, surround.notify)
            self._check(run)
            try:
                with contextlib.suppress(Ended):
                    self.work(run)
                return self._answer(run)
            finally:
                if programs is not None:
                    programs.close()

    def _check(self, run: Run) -> None:
        """Tell the user what the strategy has to do without."""
        if self.needs_execution and run.programs is None:
            run.note(NO_EXECUTION)
        elif self.needs_execution and not run.problem.examples:
            run.note(NO_EXAMPLES)

    def _answer(self, run: Run) -> Answer:
        ledger = run.ledger
        ledger.seconds, ledger.peak_bytes = run.watch.seconds, peak_memory()
        return Answer(
            self.name, run.shown or _best_so_far(run), run.candidates, ledger, run.observed,
            run.watch.reason, tuple(run.notes),
        )  # fmt: skip


def _reserve(budget: Budget, surround: Surround) -> float:
    """Seconds at the end of a budget that are kept for executions."""
    if surround.make_programs is None or budget.seconds is None:
        return 0.0
    return min(MOST_RESERVED, RESERVED * budget.seconds)


def _best_so_far(run: Run) -> Candidate | None:
    """The ranker's choice among what was finished, or among all if nothing was."""
    written = [c for c in run.candidates if c.text.strip()]
    whole = [c for c in written if c.finish_reason == "stop"]
    found = ranked(run.problem, whole or written)
    return found[0] if found else None
