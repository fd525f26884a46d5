"""Generating with an engine that answers from a list: batches, stops, resuming, records."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mbxp_programs import require_sandbox, tiny_solution, tiny_task

from midline.benchmarks.main import main
from midline.benchmarks.mbxp.actions.run import chosen_tasks, generation_summary
from midline.benchmarks.mbxp.generate import Generator, examples
from midline.benchmarks.mbxp.results import RESULTS, read_results
from midline.benchmarks.mbxp.samples import SAMPLES, GeneratedFile, read_generated
from midline.benchmarks.mbxp.tasks import Task
from midline.model.engines.base import NativeOptions, Request, SamplingOptions
from midline.model.engines.native.engine import NativeEngine
from midline.model.errors import UsageError
from midline.model.runtime.decoder import EXACT_ROWS
from midline.model.teal.profile import CalibrationText, Profile, write_profile
from midline.model.weights.packed import model_hash

GOLDEN = Path(__file__).resolve().parents[3] / "golden" / "mbxp" / "tasks"


class ListedEngine:
    """Writes a given text after every prompt, one token a character, until told to stop."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.prompts: list[str] = []
        self.seeds: list[int] = []
        self.tokenizer = SimpleNamespace(
            with_bos=lambda ids: ids,
            end_tokens=frozenset({0}),
            encode=lambda text: [ord(c) for c in text],
            decode=lambda ids: "".join(map(chr, ids)),
        )

    def batch(
        self,
        requests: Sequence[Request],
        options: SamplingOptions,
        *,
        streams: int,
        on_done: Callable[[int, Any], None],
    ) -> None:
        assert streams == EXACT_ROWS
        self.seeds += [request.seed for request in requests]
        self.prompts += ["".join(map(chr, request.prompt)) for request in requests]
        for number in reversed(range(len(requests))):
            request = requests[number]
            on_done(number, self._generation(options, request.prompt, request.stop))

    def _generation(self, options: SamplingOptions, prompt: Sequence[int], stop: Any) -> Any:
        completions = []
        for sample in range(options.samples):
            ids: list[int] = []
            reason = "length"
            for character in self.text[: options.max_tokens]:
                ids.append(ord(character))
                if stop(sample, ids):
                    reason = "stop"
                    break
            completions.append(SimpleNamespace(ids=ids, finish_reason=reason, mean_logprob=-0.5))
        return SimpleNamespace(completions=completions, prompt_tokens=len(prompt))


def tasks(count: int) -> list[Task]:
    task = tiny_task("cpp")
    return [
        Task(f"X/{n}", "cpp", task.prompt, task.test, task.entry_point, "", "  return 1;\n}")
        for n in range(1, count + 1)
    ]


def generate(folder: Path, engine: ListedEngine, wanted: list[Task], **options: Any) -> None:
    shots = options.pop("shots", 0)
    drawn = SamplingOptions(max_tokens=400, **options)
    generator = Generator(engine, drawn, GeneratedFile(folder), shots)  # type: ignore[arg-type]
    generator.run(wanted, {task.task_id: task for task in wanted}, lambda task: None)


def test_tasks_are_decoded_together_and_cut_at_the_functions_end(tmp_path: Path) -> None:
    body = tiny_solution("cpp", "right")
    engine = ListedEngine(body + "\nint main() { return 0; }\n" + "x" * 500)
    generate(tmp_path, engine, tasks(20))
    rows = list(read_generated(tmp_path / "samples.jsonl"))
    assert [row["task_id"] for row in rows] == [f"X/{n}" for n in range(20, 0, -1)]
    assert {row["completion"] for row in rows} == {body}
    assert {row["finish_reason"] for row in rows} == {"stop"}
    assert len(body) - 2 <= rows[0]["tokens"] <= len(body) + 8
    assert rows[0]["seconds"] >= 0


def test_sparse_completions_are_those_of_one_at_a_time(tiny_qwen2: Path, home: Path) -> None:
    """Together, in masked steps of several rows, as alone, in sparse ones of one row."""
    engine = NativeEngine.load(tiny_qwen2)
    engine.tokenizer.end_tokens = frozenset()
    rows = ((1.0,) * 4,) * engine.config.layers
    text = CalibrationText("noise", "", 0)
    sha256 = model_hash(tiny_qwen2)
    own = Profile("", sha256, 0.5, "magnitude", "uniform", rows, text)
    write_profile(own, home / "profiles")
    written = {}
    for level in (0.5, 0.0):
        options = SamplingOptions(max_tokens=12, engine=NativeOptions(sparsity=level, exact=True))
        wanted = [replace(task, prompt=f"int f{i}() {{") for i, task in enumerate(tasks(5))]
        Generator(engine, options, GeneratedFile(home / f"{level}")).run(
            wanted, {}, lambda task: None
        )
        found = list(read_generated(home / f"{level}" / "samples.jsonl"))
        for task, row in zip(wanted, found, strict=True):
            alone = engine.generate(
                Request(engine.tokenizer.encode(task.prompt)), options
            ).completions[0]
            assert row["tokens"] == len(alone.ids) == 12
            assert row["mean_logprob"] == round(alone.mean_logprob, 5)
        written[level] = [row["mean_logprob"] for row in found]
    assert all(a != b for a, b in zip(written[0.5], written[0.0], strict=True))


@pytest.mark.parametrize(
    ("level", "message"),
    [
        ("0.95", "sparsity is 0.95, it must be between 0 and 0.9"),
        ("nan", "sparsity is nan"),
        ("0.5", "has no profile for --sparsity 0.5"),
    ],
)
def test_a_level_that_cannot_be_is_refused(
    tiny_qwen2: Path, home: Path, level: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--model", str(tiny_qwen2), "--lang", "python", "--data", str(GOLDEN)]
    assert main(["mbxp", "run", *words, "--out", str(home / "out"), "--sparsity", level]) == 2
    assert message in capsys.readouterr().err


def test_a_run_goes_on_where_it_ended(tmp_path: Path) -> None:
    wanted = tasks(5)
    generate(tmp_path, ListedEngine("  return 2;\n}\n"), wanted[:3])
    with (tmp_path / "samples.jsonl").open("a") as file:
        file.write('{"task_id": "X/4", "sam')
    engine = ListedEngine("  return 3;\n}\n")
    generate(tmp_path, engine, wanted)
    assert len(engine.prompts) == 2
    rows = {row["task_id"]: row["completion"] for row in read_generated(tmp_path / "samples.jsonl")}
    assert {task: text[9] for task, text in rows.items()} == {
        "X/1": "2", "X/2": "2", "X/3": "2", "X/4": "3", "X/5": "3",
    }  # fmt: skip


def test_every_task_draws_other_numbers(tmp_path: Path) -> None:
    engine = ListedEngine("  return 2;\n}\n")
    generate(tmp_path, engine, tasks(5), samples=8, temperature=0.8, seed=2**62)
    assert len(set(engine.seeds)) == 5
    assert all(0 <= seed < 2**63 for seed in engine.seeds)
    rows = list(read_generated(tmp_path / "samples.jsonl"))
    assert len(rows) == 40
    assert [row["sample"] for row in rows[:8]] == list(range(8))


def test_solved_problems_stand_before_the_prompt(tmp_path: Path) -> None:
    engine = ListedEngine("  return 2;\n}\n")
    wanted = tasks(3)
    generate(tmp_path, engine, wanted[:1] + wanted[1:], shots=2)
    assert engine.prompts[0].count("return 1;") == 2
    assert engine.prompts[0].endswith(wanted[0].prompt)
    with pytest.raises(UsageError, match="there are 2 solved problems in cpp, not 5"):
        examples(wanted[0], {task.task_id: task for task in wanted}, 5)
    assert examples(wanted[0], {}, 0) == ""


def test_a_function_that_does_not_end_stops_at_the_token_limit(tmp_path: Path) -> None:
    generate(tmp_path, ListedEngine("  a();\n" * 200), tasks(1))
    (row,) = read_generated(tmp_path / "samples.jsonl")
    assert (row["tokens"], row["finish_reason"]) == (400, "length")


def test_tasks_are_chosen_in_the_order_of_their_numbers() -> None:
    pool = {task.task_id: task for task in reversed(tasks(30))}
    chosen = chosen_tasks(pool, ["cpp"], 3, common=False)
    assert [task.number for task in chosen] == [1, 2, 3]


def test_tokens_and_seconds_are_summed_by_language() -> None:
    row = {"language": "go", "tokens": 30, "seconds": 0.5}
    summary = generation_summary([row, row])["go"]
    assert summary == {"samples": 2, "tokens": 60, "seconds": 1.0, "seconds_per_sample": 0.5,
                       "tokens_per_second": 60.0}  # fmt: skip


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["--workers", "0"], 2, "--workers must be at least 1"),
        (["--record"], 2, "--record needs --json FILE"),
        (["--sandbox", "wishes"], 1, "no sandbox 'wishes'"),
        (["--sandbox", "bare"], 1, "add --unsafe"),
    ],
)
def test_what_would_fail_after_generating_is_refused_before(
    tiny_qwen2: Path,
    home: Path,
    words: list[str],
    status: int,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    call = ["mbxp", "run", "--model", str(tiny_qwen2), "--lang", "python", "--data", str(GOLDEN)]
    call += ["--limit", "1", "--max-tokens", "2", "--out", str(home / "out")]
    assert main([*call, *words]) == status
    assert message in capsys.readouterr().err
    assert not (home / "out").exists()


def test_the_samples_of_a_folder_are_read_once(
    tiny_qwen2: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_sandbox()
    reads = []

    def counted(path: Path) -> Iterator[dict[str, Any]]:
        reads.append(path)
        return read_generated(path)

    call = ["mbxp", "run", "--model", str(tiny_qwen2), "--data", str(GOLDEN)]
    call += ["--max-tokens", "2", "--out", str(home / "out")]
    assert main([*call, "--no-evaluate", "--lang", "python"]) == 0
    monkeypatch.setattr("midline.benchmarks.mbxp.samples.read_generated", counted)
    assert main([*call, "--lang", "python", "perl"]) == 0
    assert reads == [home / "out" / SAMPLES]
    executed = list(read_results(home / "out" / RESULTS))
    assert len(executed) == len(list(read_generated(reads[0]))) == 2
