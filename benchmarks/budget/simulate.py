"""Arms whose samples are independent, replayed from the pools at every number of samples."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from midline.benchmarks.budget.arms import BOTH, LARGE, SMALL, engines_of
from midline.benchmarks.budget.observe import WrittenTests, visible_checks
from midline.benchmarks.budget.pool import Drawn, Pool
from midline.benchmarks.budget.problems import problem_of
from midline.benchmarks.budget.replay import Hand, ReplayEngine, ReplayPrograms
from midline.benchmarks.budget.store import Store
from midline.benchmarks.mbxp.tasks import Task
from midline.model.strategies.base import Surround
from midline.model.strategies.problem import Problem
from midline.model.strategies.programs import Observed
from midline.model.strategies.registry import make_strategy
from midline.model.weights.config import ModelConfig

RESAMPLES = 4
"""Replays of a problem with different samples; one where nothing is left to draw otherwise."""
COUNTS = (2, 4, 8, 16, 32)
ONE_BY_ONE = (2, 4)
TOGETHER = (2, 4, 8)
NONE = "none"
"""No example is executed."""


@dataclass(frozen=True)
class PoolArm:
    """name: of the row in tables; family: of arms that differ in their number of samples alone.
    sampled: the samples it draws from each model's pool.
    """

    name: str
    family: str
    strategy: str
    parameters: Mapping[str, Any]
    models: str
    sampled: int
    executes: bool = False
    tests: bool = False


def pool_arms() -> Iterator[PoolArm]:
    """All of them, for one model and for both."""
    for models in (SMALL, LARGE):
        yield PoolArm("greedy", "sampling", "greedy", {}, models, 0)
        yield _staged(1, models)
        for k in COUNTS:
            yield from _arms_of(k, models)
        for k in ONE_BY_ONE:
            yield _one_by_one(k, models)
        for k in TOGETHER:
            yield _together(((SMALL, k),), f"together+examples-{k}", k - 1, models)
    for few in (4, 8):
        stages: tuple[tuple[str, int], ...] = (("small", 1), ("small", few), ("large", 2))
        for name, executes in (("cascade", False), ("cascade+examples", True)):
            yield PoolArm(
                f"{name}-1-{few}-2", name, "cascade", {"stages": stages}, BOTH, few, executes
            )
        stages = (("small", 1), ("small", few), ("large", 1))
        yield PoolArm(
            f"cascade+examples-1-{few}-1", "cascade+examples", "cascade", {"stages": stages},
            BOTH, few, executes=True,
        )  # fmt: skip
    for few in (1, 4):
        yield PoolArm(
            f"cascade+examples-{few}-1", "cascade+examples", "cascade",
            {"stages": (("small", few), ("large", 1))}, BOTH, few - 1, executes=True,
        )  # fmt: skip
    for few in (1, 2):
        last = {"stages": (("small", 1), ("large", 1), ("large", few))}
        name = f"cascade+examples-1-1-{few}"
        yield PoolArm(name, "cascade+examples", "cascade", last, BOTH, few, executes=True)
    for k in ONE_BY_ONE:
        yield _one_by_one(k, BOTH)
    for k in TOGETHER:
        name = f"together+examples-1-{k}"
        yield _together(((SMALL, 1), (LARGE, k)), name, k - 1, BOTH)
        if k > 2:
            name = f"together+examples-1-1-{k}"
            yield _together(((SMALL, 1), (LARGE, 1), (LARGE, k)), name, k, BOTH)
    for few in (2, 4, 8):
        stages = (("small", few), ("large", 2))
        name = f"cascade+agreement-{few}-2"
        parameters = {"stages": stages, "agreement": 0.6}
        yield PoolArm(name, "cascade+agreement", "cascade", parameters, BOTH, few, executes=True)


def _arms_of(k: int, models: str) -> Iterator[PoolArm]:
    samples, own = {"samples": k}, k - 1
    yield PoolArm(f"sampling-{k}", "sampling", "best_of_n", samples, models, own)
    yield PoolArm(
        f"sampling+examples-{k}",
        "sampling+examples",
        "best_of_n",
        samples,
        models,
        own,
        executes=True,
    )
    consistency, voting = "self_consistency", samples | {"examples": True}
    yield PoolArm(
        f"{consistency}-{k}", consistency, consistency, samples, models, own, executes=True
    )
    yield PoolArm(
        f"{consistency}+examples-{k}", f"{consistency}+examples", consistency, voting, models, own,
        executes=True,
    )  # fmt: skip
    yield PoolArm(f"codet-{k}", "codet", "codet", samples, models, own, executes=True, tests=True)
    yield _staged(k, models)


def _staged(k: int, models: str) -> PoolArm:
    """The greedy completion, and `k` others where it fails an example."""
    stages = {"stages": (("small", 1), ("small", k))}
    name = f"staged+examples-{k}"
    return PoolArm(name, "staged+examples", "cascade", stages, models, k, executes=True)


def _together(stages: tuple[tuple[str, int], ...], name: str, sampled: int, models: str) -> PoolArm:
    """Samples that end with the first that passes, after greedy completions or with one."""
    parameters = {"stages": stages}
    return PoolArm(name, "together+examples", "cascade", parameters, models, sampled, executes=True)


def _one_by_one(k: int, models: str) -> PoolArm:
    """Greedy completions, and then up to `k` others, each of which those before it draft."""
    last = LARGE if models == BOTH else SMALL
    first = ((SMALL, 1), (LARGE, 1)) if models == BOTH else ((SMALL, 1),)
    stages = {"stages": (*first, *((last, 1),) * k)}
    name = f"one_by_one+examples-{k}"
    return PoolArm(name, "one_by_one+examples", "cascade", stages, models, k, executes=True)


@dataclass
class Simulator:
    """Replays arms; rows are kept, by arm, problem and seed."""

    store: Store
    small: tuple[Pool | None, Pool | None]
    large: tuple[Pool | None, Pool | None]
    observed: Mapping[tuple[str, str], Mapping[str, Observed]]
    """By task id and model, by text."""
    tests: Mapping[tuple[str, str], WrittenTests]
    configs: Mapping[str, ModelConfig] = field(default_factory=dict)

    def rows(self, arm: PoolArm, task: Task, examples: str) -> list[dict[str, Any]]:
        """One row for each resample; none if the pools have not what the arm needs."""
        hands = {role: self._hand(role, task) for role in _roles(arm.models)}
        if any(hand is None or not self._is_enough(arm, hand) for hand in hands.values()):
            return []
        if arm.executes and not self._is_observed(task, arm):
            return []
        most = max(len(hand.sampled.candidates) for hand in hands.values() if hand)
        resamples = 1 if arm.sampled in (0, most) else RESAMPLES
        return [self._row(arm, task, examples, seed, hands) for seed in range(resamples)]

    def _row(
        self, arm: PoolArm, task: Task, examples: str, seed: int, hands: Mapping[str, Hand | None]
    ) -> dict[str, Any]:
        sizes = " ".join(str(len(h.sampled.candidates)) for h in hands.values() if h)
        key = f"{arm.name} {arm.models} {examples} {task.task_id} {seed} of {sizes}"
        kept = self.store.get(key)
        return (
            kept
            if kept is not None
            else self.store.add(
                key, self._replay(arm, task, examples, f"{task.task_id} {seed}", hands)
            )
        )

    def _replay(
        self, arm: PoolArm, task: Task, examples: str, seed: str, hands: Mapping[str, Hand | None]
    ) -> dict[str, Any]:
        problem = problem_of(task, "all" if examples == NONE else examples)
        engines = {
            role: ReplayEngine(self._model(role), problem, hand.shuffled(seed), self._config(role))
            for role, hand in hands.items()
            if hand is not None
        }
        surround = Surround()
        if arm.executes and examples != NONE:
            programs = self._programs(task, problem, hands)
            surround = Surround(lambda stop: programs)
        found = make_strategy(arm.strategy, dict(arm.parameters)).solve(
            problem,
            engines_of(arm.models, engines.get(SMALL), engines.get(LARGE)),
            surround=surround,
        )
        calls = [
            {name: call[name] for name in ("model", "role", "prompt_tokens", "cached_tokens",
                                           "generated", "flops", "drafted")}
            for call in map(asdict, found.ledger.calls)
        ]  # fmt: skip
        return {
            "task_id": task.task_id,
            "arm": arm.name,
            "pair": arm.models,
            "shown": None if found.shown is None else found.shown.text,
            "texts": list(
                dict.fromkeys(c.text for c in found.candidates if c.finish_reason != "cancelled")
            ),
            "calls": calls,
            "programs": found.ledger.programs,
        }

    def _programs(
        self, task: Task, problem: Problem, hands: Mapping[str, Hand | None]
    ) -> ReplayPrograms:
        known: dict[str, Observed] = {}
        checks = visible_checks(task, None)
        for role in hands:
            pair = (task.task_id, self._model(role))
            own = visible_checks(task, self.tests.get(pair))
            if len(hands) == 1:
                checks = own
            for text, found in self.observed[pair].items():
                known[text] = found[: len(checks)]
        return ReplayPrograms(problem, checks, known)

    def _hand(self, role: str, task: Task) -> Hand | None:
        greedy, sampled = self.small if role == SMALL else self.large
        if sampled is None or task.task_id not in sampled.drawn:
            return None
        first = greedy.drawn.get(task.task_id) if greedy is not None else None
        return Hand(first, sampled.drawn[task.task_id], *self._tests(role, task))

    def _tests(self, role: str, task: Task) -> tuple[tuple[str, ...], tuple[int, ...], int]:
        written = self.tests.get((task.task_id, self._model(role)))
        if written is None:
            return (), (), 0
        lines = "\n".join(f"assert {c.call} == {c.expected}" for c in written.checks)
        name = f"{problem_of(task).entry_point}("
        text = lines.removeprefix("assert ").removeprefix(name)
        return (text,), (sum(written.generated),), written.prompt_tokens

    def _is_enough(self, arm: PoolArm, hand: Hand) -> bool:
        enough = arm.sampled <= len(hand.sampled.candidates)
        return enough and hand.greedy is not None and (bool(hand.tests) or not arm.tests)

    def _is_observed(self, task: Task, arm: PoolArm) -> bool:
        return all((task.task_id, self._model(r)) in self.observed for r in _roles(arm.models))

    def _model(self, role: str) -> str:
        pools = self.small if role == SMALL else self.large
        return next((pool.model for pool in pools if pool is not None), role)

    def _config(self, role: str) -> ModelConfig | None:
        return self.configs.get(self._model(role))


def _roles(models: str) -> Sequence[str]:
    return (SMALL, LARGE) if models == BOTH else (models,)


def drawn_texts(drawn: Drawn | None) -> list[str]:
    """The texts of a problem's samples."""
    return [] if drawn is None else [candidate.text for candidate in drawn.candidates]
