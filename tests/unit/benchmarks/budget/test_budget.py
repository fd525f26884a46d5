"""From pools to a page, with problems, samples and models that are known: what it counts."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_engine import FakeEngine
from problems_made import write_problems
from tiny_model import QWEN2, write_tiny_model

from midline.benchmarks.main import main
from midline.benchmarks.mbxp.report import write_json
from midline.benchmarks.mbxp.samples import GeneratedFile
from midline.model.errors import MidlineError, UsageError
from midline.model.sandbox import SandboxError, choose
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf

PROMPT = 'def f{n}(x):\n    """Twice x.\n    >>> f{n}(2)\n    4\n    >>> f{n}(3)\n    6\n    """\n'
TEST = "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(3) == 6\n"
RIGHT, WRONG, NEAR = "    return x + x\n", "    return x - 1\n", "    return x * x\n"
PROBLEMS = 8
MODEL = "small-model"


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = write_tiny_model(tmp_path_factory.mktemp("budget") / "tiny.gguf", QWEN2)
    return Tokenizer.from_gguf(read_gguf(path))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_problems(tmp_path / "data", PROBLEMS, PROMPT, TEST)


def write_pool(folder: Path, texts: Callable[[int], list[str]], temperature: float) -> Path:
    file = GeneratedFile(folder)
    write_json(folder / "run.json", {"model": MODEL, "temperature": temperature})
    for n in range(PROBLEMS):
        file.append([
            {"task_id": f"MBPP/{n}", "sample": at, "language": "python", "completion": text,
             "tokens": 10, "prompt_tokens": 40, "seconds": 1.0, "finish_reason": "stop",
             "mean_logprob": -0.5}
            for at, text in enumerate(texts(n))
        ])  # fmt: skip
    return folder


@pytest.fixture
def pools(tmp_path: Path) -> list[str]:
    """The greedy answer is near: it passes the first example. Two of three samples are right."""
    greedy = write_pool(tmp_path / "greedy", lambda n: [NEAR], 0.0)
    sampled = write_pool(tmp_path / "sampled", lambda n: [WRONG, RIGHT, RIGHT], 0.8)
    return [str(greedy), str(sampled)]


@pytest.fixture
def study(
    tmp_path: Path, data: Path, pools: list[str], tokenizer: Tokenizer,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., int]:  # fmt: skip
    """Runs `budget run` with an engine that writes tests, and answers in words that are near."""
    try:
        choose()
    except SandboxError as error:
        pytest.skip(str(error))
    said = f"5) == 10\nassert g(5) == 11\n|```python\ndef f(x):\n{NEAR}```"
    engines: list[FakeEngine] = []

    def answer(prompt: str) -> str:
        tests, words = said.split("|")
        return words if "im_start" in prompt else tests if "Check that" in prompt else NEAR

    def load(model: str, **more: Any) -> FakeEngine:
        engines.append(FakeEngine(tokenizer, answer, name=model))
        return engines[-1]

    monkeypatch.setattr("midline.model.engines.load.load_engine", load)

    def run(*words: str) -> int:
        return main([
            "budget", "run", "--out", str(tmp_path / "out"), "--data", str(data), "--small", MODEL,
            "--pool", *pools, *words,
        ])  # fmt: skip

    run.engines = engines  # type: ignore[attr-defined]
    return run


def report(tmp_path: Path, data: Path, pools: list[str], *words: str) -> dict[str, Any]:
    speeds = tmp_path / "speeds.json"
    speed = {"prompt_seconds": 0.001, "steps": [[1, 0.01], [4, 0.02]]}
    speeds.write_text(json.dumps({"rows": [{"engine": "midline", "model": MODEL, "speed": speed}]}))
    written = tmp_path / "report.json"
    status = main([
        "budget", "report", str(tmp_path / "out"), "--pool", *pools, "--data", str(data),
        "--small", MODEL, "--speeds", str(speeds), "--json", str(written), *words,
    ])  # fmt: skip
    assert status == 0
    found: dict[str, Any] = json.loads(written.read_text())
    return found


def passed(found: dict[str, Any]) -> dict[str, float]:
    return {row["arm"]: row["passed"] for row in found["arms"]}


def test_what_is_counted(
    tmp_path: Path, data: Path, pools: list[str], study: Callable[..., int]
) -> None:
    assert study("--arms", "in_words", "self_repair-1", "--problems", "6") == 0
    page = tmp_path / "budget.md"
    found = report(tmp_path, data, pools, "--page", str(page))
    right = passed(found)
    assert right["greedy"] == 0
    assert right["sampling+examples-2"] == pytest.approx(0, abs=0.3)  # near passes, too
    assert right["in_words"] == right["self_repair-1"] == 0
    by_arm = {row["arm"]: row for row in found["arms"]}
    assert by_arm["greedy"]["tokens"] == 50
    assert by_arm["greedy"]["seconds"] == pytest.approx(0.04 + 0.1)
    assert by_arm["sampling-2"]["tokens"] == 60
    assert by_arm["in_words"]["problems"] == 6
    assert "| greedy | small | 8 |" in page.read_text()
    assert (tmp_path / "budget-small-tokens.svg").read_text().startswith("<svg")
    # All examples are the hidden tests: who executes them all is right where any sample is.
    whole = passed(report(tmp_path, data, pools, "--examples", "all"))
    sampled = {row["arm"]: row["oracle"] for row in found["arms"]}
    assert whole["sampling+examples-2"] == sampled["sampling+examples-2"] > 0
    none = passed(report(tmp_path, data, pools, "--examples", "none"))
    assert "sampling+examples-2" not in none and "sampling-2" in none


def test_self_written_tests_are_judged(
    tmp_path: Path, data: Path, pools: list[str], study: Callable[..., int]
) -> None:
    assert study("--stages", "tests", "observe", "verdicts") == 0
    (row,) = report(tmp_path, data, pools)["tests"]
    assert row["model"] == MODEL
    assert row["tests"] == PROBLEMS  # one each: the other line calls another function
    assert row["false_negatives"] == {"share": 0, "of": PROBLEMS, "interval": [0.0, 0.3244]}
    assert row["false_positives"]["share"] == 0
    assert row["wrong_tests"]["share"] == 0


def test_a_second_run_draws_and_executes_nothing(tmp_path: Path, study: Callable[..., int]) -> None:
    words = ("--arms", "self_repair-1", "--problems", "3")
    assert study(*words) == 0
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.jsonl")}
    asked = sum(len(engine.asked) for engine in study.engines)  # type: ignore[attr-defined]
    assert asked > 0
    assert study(*words) == 0
    assert before == {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.jsonl")}
    assert sum(len(engine.asked) for engine in study.engines) == asked  # type: ignore[attr-defined]


def test_an_interrupted_line_is_drawn_again(tmp_path: Path, study: Callable[..., int]) -> None:
    words = ("--arms", "in_words", "--problems", "3", "--stages", "live")
    assert study(*words) == 0
    path = tmp_path / "out" / "live.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    assert study(*words) == 0
    assert sorted(path.read_bytes().splitlines()) == sorted(whole.splitlines())


def test_bad_calls(tmp_path: Path, data: Path, study: Callable[..., int]) -> None:
    assert study("--problems", "0") == 2
    assert study("--arms", "oracle") == 2
    assert main(["budget", "run", "--out", str(tmp_path / "x"), "--data", str(data),
                 "--pool", str(tmp_path)]) == 2  # fmt: skip
    assert main(["budget", "report", str(tmp_path / "none"), "--data", str(data),
                 "--pool", str(tmp_path)]) == 2  # fmt: skip


def test_errors_are_of_the_kinds_that_commands_print() -> None:
    assert issubclass(UsageError, MidlineError)
