"""Ranking samples of problems: what is read, what is fitted on what, what is reported."""

import json
from pathlib import Path

import numpy as np
import pytest

from midline.benchmarks.main import main
from midline.benchmarks.mbxp.results import Result, ResultFile
from midline.benchmarks.quality.ranking import measure as ranking
from midline.benchmarks.quality.ranking.measure import (
    NAMES,
    Question,
    chosen,
    cross_fitted,
    likeliest,
    read_questions,
)
from midline.model.completion.ranking import Suggestion
from midline.model.errors import UsageError

RIGHT, WRONG = "    return sorted(a)\n", "    return missing.thing(a)\n"


def problem(number: int) -> dict[str, str]:
    prompt = f'def f{number}(a):\n    """\n    Sort.\n    >>> f{number}([2, 1])\n    """\n'
    test = "\n\ndef check(candidate):\n    assert candidate([2, 1]) == [1, 2]\n"
    return {"task_id": f"MBPP/{number}", "prompt": prompt, "test": test, "language": "python",
            "entry_point": f"f{number}"}  # fmt: skip


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "metadata.json").write_text(json.dumps({"python": "python.jsonl"}))
    lines = [json.dumps(problem(number)) for number in range(1, 21)]
    (folder / "python.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def write_run(folder: Path, answers: dict[int, list[str]], logprobs: list[float]) -> Path:
    """A folder as `mbxp run` leaves it; what is RIGHT passes."""
    with ResultFile(folder) as results, (folder / "samples.jsonl").open("w") as samples:
        for number, texts in answers.items():
            for sample, text in enumerate(texts):
                id = f"MBPP/{number}"
                row = {"task_id": id, "sample": sample, "language": "python", "tokens": 9,
                       "completion": text, "finish_reason": "stop",
                       "mean_logprob": logprobs[sample]}  # fmt: skip
                samples.write(json.dumps(row) + "\n")
                status = "pass" if text == RIGHT else "wrong"
                results.add(Result(id, sample, "python", status, status, status, 0.1))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The likeliest sample is wrong and uses a name from nowhere; two of three say the same."""
    answers = {n: [WRONG, RIGHT, RIGHT] if n % 3 else [WRONG] * 3 for n in range(1, 21)}
    return write_run(tmp_path / "run", answers, [-0.1, -0.2, -0.2])


def measured(tmp_path: Path, *words: object) -> dict:
    path = tmp_path / "ranking.json"
    assert main(["quality", "ranking", *map(str, words), "--json", str(path)]) == 0
    found: dict = json.loads(path.read_text())
    return found


def test_the_better_of_two_signals_is_learned(
    folder: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    greedy = write_run(tmp_path / "greedy", {n: [WRONG] for n in range(1, 21)}, [-0.1])
    found = measured(tmp_path, folder, "--data", data, "--greedy", greedy)
    score = found["pass_at_1"]
    assert (found["tasks"], found["samples"]) == (20, 3)
    assert score["greedy"] == score["mean_logprob"] == 0
    assert score["random"] == pytest.approx(14 * 2 / 3 / 20, abs=1e-4)
    assert score["oracle"] == score["ranker"] == score["agreement"] == 0.7
    assert score["ranker_with_greedy"] == 0.7
    difference = found["differences"]["ranker_over_greedy"]
    assert difference["difference"] == 0.7 and difference["lower_bound"] > 0.4
    assert found["weights"][-1]["unknown_names"] < 0 < found["weights"][-1]["agreement"]
    assert {row["feature"] for row in found["ablation"]} < set(NAMES)
    assert found["milliseconds_per_candidate"] > 0
    assert "ranker_over_greedy" in capsys.readouterr().out


def test_a_recorded_table_serves_as_the_greedy_run(
    folder: Path, data: Path, tmp_path: Path
) -> None:
    path = tmp_path / "greedy.tsv"
    rows = [f"MBPP/{n}\t0\t{'pass' if n == 1 else 'wrong'}\twrong" for n in range(1, 21)]
    path.write_text("\n".join(["task_id\tsample\tcorrected\tuncorrected", *rows]) + "\n")
    score = measured(tmp_path, folder, "--data", data, "--greedy", path)["pass_at_1"]
    assert score["greedy"] == 0.05
    assert "ranker_with_greedy" not in score
    assert main(["quality", "ranking", str(folder), "--data", str(data), "--greedy", "nil"]) == 2


def test_a_greedy_run_that_lacks_a_problem_is_named_with_it(
    folder: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    greedy = write_run(tmp_path / "greedy", {n: [WRONG] for n in range(1, 20)}, [-0.1])
    words = ["quality", "ranking", str(folder), "--data", str(data), "--greedy", str(greedy)]
    assert main(words) == 2
    assert f"{greedy} has no verdict on MBPP/20" in capsys.readouterr().err


def test_the_greedy_run_is_read_once(
    folder: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    greedy = write_run(tmp_path / "greedy", {n: [WRONG] for n in range(1, 21)}, [-0.1])
    read = []
    monkeypatch.setattr(
        ranking, "read_questions", lambda *args: read.append(args[0]) or read_questions(*args)
    )
    measured(tmp_path, folder, "--data", data, "--greedy", greedy)
    assert read == [folder, greedy]


def test_an_empty_sample_is_not_the_likeliest() -> None:
    task = ranking.Task("MBPP/1", "python", "def f():\n", "", "f")
    empty, text = Suggestion("", 0, 0.0, 0, "stop"), Suggestion("x", 0, -2.0, 1, "stop")
    asked = Question(task, (empty, text), np.array([False, True]))
    assert likeliest([asked]).tolist() == [1.0]
    nothing = Question(task, (empty, empty), np.array([False, False]))
    assert likeliest([nothing]).tolist() == [0.0]


def question(number: int, features: list[list[float]], passed: list[bool]) -> Question:
    task = ranking.Task(f"MBPP/{number}", "python", "def f():\n", "", "f")
    made = Question(task, (Suggestion("", 0, 0, 0, "stop"),) * len(passed), np.array(passed))
    made.__dict__["features"] = np.array([[*row, *[0.0] * (len(NAMES) - 2)] for row in features])
    return made


def test_a_half_is_judged_by_weights_of_the_other() -> None:
    """In odd problems the first feature is right, in even ones the second: both learn the wrong."""
    both = [[1.0, 0.0], [0.0, 1.0]]
    odd = [question(n, both, [True, False]) for n in range(1, 41, 2)]
    even = [question(n, both, [False, True]) for n in range(2, 41, 2)]
    assert cross_fitted([*odd, *even], [], NAMES).mean() == 0
    alike = [question(n, both, [True, False]) for n in range(1, 41)]
    assert cross_fitted(alike, [], NAMES).mean() == 1
    assert cross_fitted(alike, [], NAMES[2:]).mean() == 1  # of equals the first is taken
    missed = [question(n, both, [False, True]) for n in range(9)]
    assert cross_fitted(missed, [], NAMES[2:]).sum() == 0


def test_extra_samples_of_the_same_half_are_not_fitted_with() -> None:
    both = [[1.0, 0.0], [0.0, 1.0]]
    own = [question(n, both, [True, False]) for n in range(1, 9)]
    liars = [question(1, both, [False, True])] * 1000
    fitted = cross_fitted(own, liars, NAMES)
    assert fitted[::2].tolist() == [1.0] * 4  # odd ones: by the honest even ones
    assert fitted[1::2].tolist() == [0.0] * 4


def test_of_equals_the_first_is_chosen() -> None:
    questions = [question(1, [[0.0, 0.0]] * 3, [False, True, True])]
    assert chosen(questions, np.ones(len(NAMES))).tolist() == [0]


def test_examples_and_tests_are_out_of_sight(data: Path, folder: Path) -> None:
    """A name that only documentation or tests have is from nowhere."""
    tasks = ranking.load_tasks(data)
    (found, *_) = read_questions(folder, tasks)
    leaked = Suggestion("    return Sort(candidate, check)\n", 0, 0, 5, "stop")
    features = Question(found.task, (leaked,), np.array([False])).features
    assert features[0, NAMES.index("unknown_names")] == 3


def test_what_was_not_executed_is_left_out(folder: Path, data: Path) -> None:
    lines = (folder / "results.jsonl").read_text().splitlines(keepends=True)
    (folder / "results.jsonl").write_text("".join(lines[:-1]))
    questions = read_questions(folder, ranking.load_tasks(data))
    assert [q.task.number for q in questions] == list(range(1, 20))
    (folder / "results.jsonl").write_text("")
    with pytest.raises(UsageError, match="has no executed samples"):
        read_questions(folder, ranking.load_tasks(data))
