"""Solutions forced through the model: what is shared between profiles changes no number."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from midline.benchmarks.main import main
from midline.benchmarks.mbxp.tasks import Task, load_tasks
from midline.benchmarks.quality.calibration.measure import score
from midline.model.engines.native.engine import NativeEngine
from midline.model.runtime.decoder import EXACT_ROWS, StepOptions
from midline.model.runtime.kv_cache import Sequence
from midline.model.teal.profile import CalibrationText, Profile

TASKS = Path(__file__).resolve().parents[4] / "golden" / "mbxp" / "tasks"


@pytest.fixture
def engine(tiny_qwen2: Path) -> Iterator[NativeEngine]:
    loaded = NativeEngine.load(str(tiny_qwen2), threads=1)
    yield loaded
    loaded.close()


@pytest.fixture
def task() -> Task:
    tasks = load_tasks(TASKS, ["python"]).values()
    return next(task for task in tasks if task.canonical_solution)


def profile_of(engine: NativeEngine, threshold: float) -> Profile:
    rows = ((threshold,) * 4,) * engine.config.layers
    return Profile(
        engine.name, "0" * 64, 0.4, "magnitude", "uniform", rows, CalibrationText("", "", 0)
    )


def nats_alone(engine: NativeEngine, task: Task, options: StepOptions) -> float:
    """Nats of the solution, computed from the first token on and without sharing anything."""
    prompt = engine.tokenizer.with_bos(engine.tokenizer.encode(task.prompt))
    solution = engine.tokenizer.encode(task.canonical_solution or "")
    sequence, nats = Sequence(sparse_from=len(prompt)), 0.0
    engine.decoder.forward([(sequence, prompt[:-1])], logits="none")
    rest = [prompt[-1], *solution[:-1]]
    for start in range(0, len(rest), EXACT_ROWS):
        piece = rest[start : start + EXACT_ROWS]
        logits = engine.decoder.forward([(sequence, piece)], logits="all", options=options)
        for row, wanted in zip(logits, solution[start:], strict=False):
            nats += float(np.log(np.exp(row - row.max()).sum()) + row.max() - row[wanted])
    engine.release(sequence)
    return nats


def test_profiles_share_the_prompt_and_nothing_else(engine: NativeEngine, task: Task) -> None:
    harsh, mild = profile_of(engine, 9.0), profile_of(engine, 1e-9)
    found = score(engine, [task], [harsh, mild])
    for held, profile in zip(found, (harsh, mild), strict=True):
        options = StepOptions(exact=True, thresholds=engine.decoder.thresholds(profile))
        assert held.nats == pytest.approx(nats_alone(engine, task, options), rel=1e-4)
        assert held.tokens == len(engine.tokenizer.encode(task.canonical_solution or ""))
    assert found[0].divergence > 1e-3 > 1e-6 > abs(found[1].divergence)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--draws", "0"], "need at least 1"),
        (["--mbxp", "5"], "--mbxp needs --out DIR"),
        (["--sparsity", "0.95"], "between 0 and 0.9"),
    ],
)
def test_wrong_calls(
    tiny_qwen2: Path, home: Path, words: list[str], message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    call = ["quality", "calibration", "--model", str(tiny_qwen2), "--data", str(TASKS)]
    assert main([*call, *words]) == 2
    assert message in capsys.readouterr().err
