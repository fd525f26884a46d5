"""Nothing is counted twice and nothing is left out: the ledger against the engines' counts."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from engine_models import engine
from fake_engine import FakeEngine
from tiny_model import QWEN2, write_tiny_model

from midline.model.engines.native.engine import NativeEngine
from midline.model.strategies.base import Surround
from midline.model.strategies.ledger import Call, Ledger, active_weights, flops_of
from midline.model.strategies.problem import Problem
from midline.model.strategies.registry import STRATEGIES, make_strategy
from midline.model.strategies.run import Engines


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_engines_counters_add_up_to_the_ledger(
    name: str, problem: Problem, surround: Surround, engine_of: Callable[..., FakeEngine]
) -> None:
    """Every prompt that an engine read, every token it wrote and every program is in the ledger."""
    wrong = "    return x * x\n|    return 7\n|    return x - 1\n"
    small, large = engine_of(wrong, name="small"), engine_of(wrong, name="large")
    parameters = {"mixed": True, "layers": 3} if name == "mixture_of_agents" else {}
    answer = make_strategy(name, parameters).solve(
        problem, Engines(small, large), surround=surround
    )
    ledger = answer.ledger
    for each in (small, large):
        calls = [call for call in ledger.calls if call.model == each.name]
        assert len(calls) == len(each.asked)
        assert sum(sum(call.generated) for call in calls) == each.written
        prompts = [len(each.tokenizer.encode(text, special=True)) for text in each.asked]
        assert [call.prompt_tokens for call in calls] == prompts
    assert small.asked
    made = surround.make_programs
    assert made is not None
    assert ledger.programs == made(None).executed  # type: ignore[arg-type]
    assert ledger.tokens == sum(c.prompt_tokens + sum(c.generated) for c in ledger.calls)


def test_prompts_that_were_read_are_cached(
    problem: Problem, engine_of: Callable[..., FakeEngine]
) -> None:
    answer = make_strategy("cascade").solve(
        problem, Engines(engine_of("    return x * x\n|    0\n"))
    )
    first, second = answer.ledger.calls
    assert first.cached_tokens == 0
    assert second.cached_tokens == second.prompt_tokens - 1
    assert second.new_tokens == 1


def test_the_formula_of_operations(tmp_path: Path) -> None:
    loaded: NativeEngine = engine(write_tiny_model(tmp_path / "tiny.gguf", QWEN2))
    config = loaded.config
    attention = config.width * 2 * config.heads * config.head_dim
    attention += config.width * 2 * config.kv_heads * config.head_dim
    weights = config.layers * (attention + 3 * config.width * config.hidden)
    weights += config.width * config.vocab
    assert active_weights(config) == weights
    attended = 3 + (3 * 2 + 1 + 2)  # the third prompt token, and two generated ones behind three
    width = config.heads * config.head_dim
    expected = 2 * weights * 3 + 4 * config.layers * width * attended
    assert flops_of(loaded, 3, 2, [2]) == expected


def test_what_is_unknown_costs_nothing(engine_of: Callable[..., FakeEngine]) -> None:
    assert flops_of(engine_of(""), 3, 2, [2]) == 0


def test_a_ledger_survives_json() -> None:
    call = Call("m", "answer", 10, 4, (3, 5), 0.5, 100.0)
    ledger = Ledger([call], 2, 0.25, 1.5, 1000)
    row = ledger.as_dict()
    assert row["tokens"] == 18
    assert Ledger.from_dict(row) == ledger
    assert "18 tokens in and out, 8 of them written" in ledger.table()[-1]
    assert replace(call, cached_tokens=0).new_tokens == 10
