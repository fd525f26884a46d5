"""`midline generate --budget`: what it prints, and bad calls."""

import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from fake_engine import FakeEngine
from tiny_model import QWEN2, write_tiny_model

from midline.model.sandbox import SandboxError, choose
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf
from midline.server.cli.main import main

PROMPT = 'def double(x):\n    """Twice x.\n    >>> double(3)\n    6\n    """\n'
ANSWERS = "    return x * x\n|    return x + x\n|    return x\n"
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = write_tiny_model(tmp_path_factory.mktemp("strategy") / "tiny.gguf", QWEN2)
    return Tokenizer.from_gguf(read_gguf(path))


@pytest.fixture
def loaded() -> list[FakeEngine]:
    return []


@pytest.fixture
def call(
    tokenizer: Tokenizer,
    loaded: list[FakeEngine],
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Call:
    """Calls `midline generate` with an engine that answers ANSWERS, or `answer`."""

    def make(answer: str = ANSWERS, seconds: float = 0.0) -> Callable[..., FakeEngine]:
        def load(model: str, *args: Any, **more: Any) -> FakeEngine:
            loaded.append(FakeEngine(tokenizer, lambda prompt: answer, seconds, name=str(model)))
            return loaded[-1]

        return load

    def run(*words: str, answer: str = ANSWERS, seconds: float = 0.0) -> tuple[int, str, str]:
        monkeypatch.setattr("midline.model.engines.load.load_engine", make(answer, seconds))
        status = main(["generate", *words])
        out, err = capfd.readouterr()
        return status, out, err

    return run


def raw(*words: str) -> Sequence[str]:
    return (PROMPT, "--prompt", "raw", *words)


def test_the_answer_is_the_best_so_far_and_nothing_else_is_printed(call: Call) -> None:
    status, out, err = call(*raw("--budget", "100000tok", "--strategy", "best_of_n"))
    assert (status, err) == (0, "")
    assert out in {f"{part.rstrip()}\n" for part in ANSWERS.split("|")}


def test_with_execution_the_examples_decide(call: Call) -> None:
    try:
        level = choose().level
    except SandboxError as error:
        pytest.skip(str(error))
    status, out, err = call(
        *raw("--budget", "100000tok", "--strategy", "best_of_n", "--execute", "--json")
    )
    assert status == 0
    found = json.loads(out)
    assert found["completions"][0]["text"] == "    return x + x\n"
    assert found["completions"][0]["examples"] == [True]
    assert found["isolation"] == level
    assert found["ledger"]["programs"] == 3
    assert err == f"midline: candidates run in a sandbox ({level})\n"


@pytest.mark.parametrize("strategy", ["auto", "self_consistency", "mixture_of_agents"])
def test_every_strategy_can_be_named(call: Call, strategy: str) -> None:
    status, out, _ = call(*raw("--strategy", strategy, "--json", "--budget", "100000tok"))
    assert status == 0
    found = json.loads(out)
    assert found["ended"] == "done"
    assert found["isolation"] is None
    assert found["ledger"]["programs"] == 0


def test_verbose_prints_steps_and_the_ledger(call: Call) -> None:
    _, _, err = call(*raw("--strategy", "greedy", "--verbose", "--model", "some.gguf"))
    assert "midline: some.gguf: answer, 1 x at most 320 tokens" in err
    assert "tokens in and out" in err


def test_a_spent_budget_says_so_and_shows_what_there_is(call: Call) -> None:
    long = "    return " + "x + " * 400 + "x\n"
    status, out, err = call(*raw("--budget", "200tok", "--strategy", "greedy"), answer=long)
    assert status == 0
    assert out.startswith("    return x +")
    assert err == "midline: the budget of 200tok is spent\n"


def test_the_time_ends_a_long_answer(call: Call) -> None:
    long = "    return " + "x + " * 4000 + "x\n"
    status, out, err = call(
        *raw("--budget", "2s", "--strategy", "greedy"), answer=long, seconds=0.02
    )
    assert (status, err) == (0, "midline: the budget of 2s is spent\n")
    assert out.startswith("    return x")


def sentence(err: str) -> str:
    (line,) = err.splitlines()
    return line


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--budget", "0s"), "a budget of 0s leaves nothing to answer with; give more"),
        (("--budget", "soon"), "'soon' is no budget; write seconds as 5s or tokens as 2000tok"),
        (("--budget", "3tok"), "is too small: the prompt alone has"),
        (("--budget", "5s", "--strategy", "oracle"), "there is no strategy 'oracle'"),
        (("--budget", "5s", "--samples", "3"), "chooses its own samples; leave --samples out"),
        (("--execute",), "--execute is for strategies; give --budget, too"),
        (("--second-model", "x"), "--second-model is for strategies; give --budget, too"),
        (
            ("--strategy", "cascade", "--second-model", "qwen2.5-coder-1.5b"),
            "the second model qwen2.5-coder-1.5b is not here yet; `midline model pull",
        ),
    ],
)
def test_bad_calls_are_one_sentence(call: Call, words: Sequence[str], said: str) -> None:
    status, out, err = call(*raw(*words))
    assert status in (1, 2)
    assert out == ""
    assert said in sentence(err)


def test_a_budget_too_small_for_any_answer(call: Call) -> None:
    status, out, err = call(
        *raw("--budget", "1ms", "--strategy", "greedy"), answer="    return x\n", seconds=0.2
    )
    assert (status, out) == (1, "")
    assert "ended before anything was written; give more" in sentence(err)


def test_a_strategy_for_two_models_goes_without_the_second(call: Call) -> None:
    status, out, err = call(*raw("--strategy", "cascade", "--budget", "100000tok"))
    assert status == 0
    assert out
    assert sentence(err) == (
        "midline: cascade goes without a second model; give one with --second-model"
    )


def test_a_prompt_without_examples_is_ranked_by_the_model_alone(call: Call) -> None:
    try:
        choose()
    except SandboxError as error:
        pytest.skip(str(error))
    status, out, err = call("why?", "--strategy", "self_repair", "--execute")
    assert status == 0
    assert out
    assert "the prompt has no examples to execute" in err


def test_both_models_are_loaded(call: Call, loaded: list[FakeEngine], tmp_path: Path) -> None:
    status, out, _ = call(
        *raw("--strategy", "cascade", "--second-model", str(tmp_path / "large.gguf"), "--json")
    )
    assert status == 0
    assert [Path(engine.name).name for engine in loaded][-1] == "large.gguf"
    assert json.loads(out)["second_model"] == loaded[-1].name


def test_an_interrupt_shows_the_best_so_far(
    call: Call, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    import signal

    timer = threading.Timer(2.0, lambda: signal.raise_signal(signal.SIGINT))
    long = "    return " + "x + " * 4000 + "x\n"
    timer.start()
    status, out, _ = call(*raw("--strategy", "greedy"), answer=long, seconds=0.02)
    timer.join()
    assert status == 130
    assert out.startswith("    return x")
