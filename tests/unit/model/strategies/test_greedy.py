"""One answer of one model."""

from collections.abc import Callable

from fake_engine import FakeEngine

from midline.model.strategies.greedy import Greedy
from midline.model.strategies.problem import Problem
from midline.model.strategies.run import Engines


def test_the_small_model_answers_unless_the_large_one_is_wanted(
    problem: Problem, engine_of: Callable[..., FakeEngine]
) -> None:
    small, large = engine_of("    return 1\n"), engine_of("    return 2\n")
    for wanted, text in ((False, "    return 1\n"), (True, "    return 2\n")):
        answer = Greedy(large=wanted).solve(problem, Engines(small, large))
        assert answer.shown is not None and answer.shown.text == text
    assert small.options[0].temperature == 0


def test_in_words_the_body_is_taken_out_of_the_block(
    problem: Problem, engine_of: Callable[..., FakeEngine]
) -> None:
    engine = engine_of("Sure.\n```python\ndef double(x):\n    return x + x\n```\nThere.")
    answer = Greedy(in_words=True).solve(problem, Engines(engine))
    assert answer.shown is not None and answer.shown.text == "    return x + x\n"
    assert "Complete this Python function" in engine.asked[0]
