"""An engine whose answers are known, a problem with examples, and executions without a sandbox."""

import threading
from collections.abc import Callable, Sequence

import pytest
from fake_engine import FakeEngine
from tiny_model import QWEN2, write_tiny_model

from midline.model.sandbox import SandboxError, choose
from midline.model.strategies.base import Surround
from midline.model.strategies.examples import Check
from midline.model.strategies.problem import Problem, read_problem
from midline.model.strategies.programs import Observation, Observed, Programs
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf

PROMPT = '''def double(x):
    """Twice x.
    >>> double(2)
    4
    >>> double(3)
    6
    """
'''
RIGHT, WRONG, OTHER = "    return x + x\n", "    return x * x\n", "    return x\n"


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = write_tiny_model(tmp_path_factory.mktemp("strategies") / "tiny.gguf", QWEN2)
    return Tokenizer.from_gguf(read_gguf(path))


@pytest.fixture
def engine_of(tokenizer: Tokenizer) -> Callable[..., FakeEngine]:
    """Makes an engine from its answer, or from a function of the prompt's text."""

    def make(answer: str | Callable[[str], str], **more: object) -> FakeEngine:
        function = answer if callable(answer) else lambda prompt: answer
        return FakeEngine(tokenizer, function, **more)

    return make


@pytest.fixture
def problem() -> Problem:
    return read_problem(PROMPT, "raw")


class Evaluated(Programs):
    """Evaluates trusted programs of tests in this process; keeps every source it was given."""

    def __init__(self) -> None:
        self.sources: list[str] = []
        self.executed = 0

    def observe(
        self, programs: Sequence[str], language: str, checks: Sequence[Check]
    ) -> list[Observed]:
        self.sources += programs
        self.executed += len(programs)
        return [tuple(self._one(source, check) for check in checks) for source in programs]

    def _one(self, source: str, check: Check) -> Observation:
        space: dict[str, object] = {}
        try:
            exec(source, space)
            value = eval(check.call, space)
            right = bool(check.expected) and value == eval(check.expected)
        except Exception as error:  # noqa: BLE001 - what a candidate does
            return Observation(False, error=f"{type(error).__name__}: {error}")
        return Observation(right, repr(value))


@pytest.fixture
def evaluated() -> Evaluated:
    return Evaluated()


@pytest.fixture
def surround(evaluated: Evaluated) -> Surround:
    return Surround(lambda stop: evaluated)


@pytest.fixture
def programs() -> Programs:
    """In the strongest sandbox that works here."""
    try:
        return Programs(choose(), threading.Event())
    except SandboxError as error:
        pytest.skip(str(error))
