"""Samples that are drawn together end as soon as one of them passes the examples.

Completions are executed as they end, on a thread of their own, while the others are still written.
The first that passes ends the drawing: what the longest samples would take is saved wherever a
shorter one is good enough.
"""

import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from midline.kernels import CancelFlag
from midline.model.strategies.budget import Ended
from midline.model.strategies.candidate import Candidate

if TYPE_CHECKING:
    from midline.model.strategies.run import Run


class FirstPassing:
    """Hears of completions as they end, as `Request.on_end`, and sets `flag` when one passes.

    text_of: what a completion's ids are as a candidate. Used in a `with` block, which ends with the
    last execution and raises what an execution raised.
    """

    def __init__(self, run: "Run", text_of: Callable[[list[int]], str], flag: CancelFlag) -> None:
        self._run, self._text_of, self._flag = run, text_of, flag
        self._texts: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="first passing")
        self._error: Exception | None = None
        self.passed = False

    def __call__(self, sample: int, ids: list[int]) -> None:
        """See `OnEnd`."""
        self._texts.put(self._text_of(ids))

    def __enter__(self) -> "FirstPassing":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._texts.put(None)
        self._thread.join()
        if self._error is not None and error[0] is None:
            raise self._error

    def try_now(self, texts: Sequence[str]) -> bool:
        """Execute candidates together, unless one has passed already; whether one has."""
        if not self.passed:
            found = self._run.try_examples([Candidate(text) for text in texts])
            self.passed = any(all(each.passed for each in observed) for observed in found)
        if self.passed:
            self._flag.set()
        return self.passed

    def _work(self) -> None:
        try:
            while (texts := self._ended()) and not self.try_now(texts):
                prepare(self._run)
        except Ended:
            return
        except Exception as error:  # noqa: BLE001 - raised again by the thread that waits
            self._error = error
            self._flag.set()

    def _ended(self) -> list[str]:
        """Waits for the next that ends; with it all that have ended meanwhile. Empty at the end."""
        texts = [self._texts.get()]
        with contextlib.suppress(queue.Empty):
            while texts[-1] is not None:
                texts.append(self._texts.get_nowait())
        if texts[-1] is None:
            self._texts.put(None)  # to be found again
        return [text for text in texts if text is not None]


def prepare(run: "Run") -> None:
    """Get ready for an execution, if there may be one."""
    if run.programs is not None and run.problem.can_be_executed and run.problem.examples:
        run.programs.prepare(run.problem.language)
