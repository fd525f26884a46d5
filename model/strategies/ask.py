"""One question within a budget: what the command line and the editors' server call.

For a function to complete, the prompt is the program up to where its body begins, with the form
raw; the answer is the body.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from midline.model.cancellation import Cancellation
from midline.model.catalog.catalog import CATALOGUE
from midline.model.engines.base import Engine
from midline.model.errors import MidlineError, UsageError
from midline.model.sandbox import Sandbox
from midline.model.strategies.auto import choose_on_average, choose_strategy, measured_rows
from midline.model.strategies.base import Strategy, Surround, silent
from midline.model.strategies.budget import UNLIMITED, Budget
from midline.model.strategies.candidate import Answer
from midline.model.strategies.problem import Problem, read_problem
from midline.model.strategies.registry import STRATEGIES, make_strategy
from midline.model.strategies.run import Engines
from midline.model.strategies.speed import Speed, known_speed

AUTO = "auto"
LARGE_FROM = 1 << 30
"""Bytes of a model file from which a single model counts as a large one in the table."""


@dataclass(frozen=True)
class Question:
    """strategy: a name, or auto. sandbox: where candidates may be executed; None for nowhere."""

    prompt: str
    form: Literal["chat", "raw"] = "raw"
    language: str = ""
    strategy: str = AUTO
    budget: Budget = UNLIMITED
    sandbox: Sandbox | None = None


def check_strategy(name: str) -> None:
    """Raises UsageError for a name that is none."""
    if name != AUTO:
        make_strategy(name)


def wants_large(name: str) -> bool:
    """Whether a strategy is another one without a second model."""
    return name != AUTO and STRATEGIES[name].needs_large


def ask(
    question: Question,
    engines: Engines,
    cancel: Cancellation | None = None,
    notify: Callable[[str], None] = silent,
) -> Answer:
    """The answer of the chosen strategy.

    Raises UsageError (no such strategy), MidlineError (a budget in which nothing was written, and
    what the engines raise).
    """
    problem = read_problem(question.prompt, question.form, question.language)
    check_budget(problem, engines, question.budget)
    strategy = chosen_strategy(question, problem, engines)
    surround = Surround(notify=notify)
    if question.sandbox is not None:
        surround = Surround.executing(question.sandbox, notify)
    answer = strategy.solve(problem, engines, question.budget, cancel, surround)
    if answer.shown is None and answer.ended == "budget":
        raise MidlineError(
            f"a budget of {question.budget} ended before anything was written; give more"
        )
    return answer


def check_budget(problem: Problem, engines: Engines, budget: Budget) -> None:
    """Raises UsageError for a budget of tokens that the prompt alone uses up."""
    prompt = len(engines.small.tokenizer.encode(problem.prompt))
    if budget.tokens is not None and budget.tokens <= prompt:
        raise UsageError(
            f"a budget of {budget} is too small: the prompt alone has {prompt} tokens; give more"
        )


def chosen_strategy(question: Question, problem: Problem, engines: Engines) -> Strategy:
    """The strategy of a question; speeds are looked up, or measured, for auto and seconds only."""
    if question.strategy != AUTO:
        return make_strategy(question.strategy)
    what = _what_there_is(question, problem, engines)
    return choose_strategy(measured_rows(), question.budget, *what)


def chosen_on_average(
    question: Question, problem: Problem, engines: Engines, seconds: float
) -> tuple[Strategy, float]:
    """The strategy whose answers take `seconds` on average, and the most that one may take."""
    if question.strategy != AUTO:
        return make_strategy(question.strategy), math.inf
    question = replace(question, budget=Budget(seconds=seconds))
    return choose_on_average(measured_rows(), seconds, *_what_there_is(question, problem, engines))


def _what_there_is(
    question: Question, problem: Problem, engines: Engines
) -> tuple[list[str], bool, dict[str, Speed]]:
    """The models, whether candidates can be executed, and speeds as far as they are needed."""
    executes = question.sandbox is not None and bool(problem.examples) and problem.can_be_executed
    speeds: dict[str, Speed] = {}
    single = "large" if is_large(engines.small) else "small"
    if question.budget.seconds is not None:
        speeds[single] = known_speed(engines.small)
        if engines.large is not None:
            speeds["large"] = known_speed(engines.large)
    models = [single] if engines.large is None else [single, "both"]
    return models, executes, speeds


def is_large(engine: Engine) -> bool:
    """Whether the table's rows of a single large model are meant for this one."""
    entry = CATALOGUE.get(engine.name)
    return entry is not None and entry.bytes >= LARGE_FROM
