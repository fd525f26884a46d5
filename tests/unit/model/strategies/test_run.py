"""What a run counts, keeps and ends, with two real engines in one process, too."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from engine_models import engine
from fake_engine import FakeEngine
from tiny_model import LLAMA, QWEN2, write_tiny_model

from midline.model.errors import MidlineError
from midline.model.strategies.budget import UNLIMITED, Budget, Ended, Watch
from midline.model.strategies.cascade import Cascade
from midline.model.strategies.greedy import Greedy
from midline.model.strategies.problem import Problem
from midline.model.strategies.run import Draw, Engines, Run

Make = Callable[..., FakeEngine]


def test_two_engines_in_one_process_answer_as_they_do_alone(
    tmp_path: Path, problem: Problem
) -> None:
    """They take turns on their threads, and each reads the shared prompt once."""
    small = engine(write_tiny_model(tmp_path / "small.gguf", QWEN2))
    large = engine(write_tiny_model(tmp_path / "large.gguf", LLAMA))
    alone = [Greedy().solve(problem, Engines(each)).shown for each in (small, large)]
    before = threading.active_count()
    stages = (("small", 1), ("large", 1), ("small", 2), ("large", 2))
    answer = Cascade(stages, agreement=1.0).solve(problem, Engines(small, large))
    assert threading.active_count() == before
    assert [c.text for c in answer.candidates[:2]] == [c.text for c in alone if c is not None]
    assert [call.model for call in answer.ledger.calls] == [
        small.name, large.name, small.name, large.name,
    ]  # fmt: skip
    assert all(call.new_tokens == 1 for call in answer.ledger.calls[2:])


def test_a_function_ends_where_it_ends(problem: Problem, engine_of: Make) -> None:
    with Watch(UNLIMITED) as watch:
        run = Run(problem, Engines(engine_of("    return x\n\n\ndef other():\n    pass\n")), watch)
        (candidate,) = run.complete(Draw())
    assert candidate.text == "    return x\n"


def test_an_answer_in_words_ends_with_its_block(problem: Problem, engine_of: Make) -> None:
    said = "```python\ndef double(x):\n    return x\n```\nAnd now for something else."
    engine = engine_of(said)
    with Watch(UNLIMITED) as watch:
        Run(problem, Engines(engine), watch).converse([{"role": "user", "content": "?"}], Draw())
    assert engine.written < len(engine.tokenizer.encode(said))


def test_what_was_executed_is_not_executed_again(
    problem: Problem, engine_of: Make, evaluated: object
) -> None:
    with Watch(UNLIMITED) as watch:
        run = Run(problem, Engines(engine_of("    return x\n|    return x\n")), watch, evaluated)  # type: ignore[arg-type]
        candidates = run.complete(Draw(3, 0.5))
        run.try_examples(candidates)
        run.try_examples(candidates)
    assert run.ledger.programs == 1


def test_after_the_end_there_are_no_calls(problem: Problem, engine_of: Make) -> None:
    engine = engine_of("    return x\n")
    with Watch(Budget(tokens=1000)) as watch:
        run = Run(problem, Engines(engine), watch)
        watch.end("cancelled")
        with pytest.raises(Ended):
            run.complete(Draw())
    assert engine.asked == []


def test_no_candidates_cannot_be_ranked(problem: Problem, engine_of: Make) -> None:
    with Watch(UNLIMITED) as watch, pytest.raises(MidlineError, match="no candidate"):
        Run(problem, Engines(engine_of("")), watch).best([])
