"""The page says what the records say: yes only where an interval lies above zero."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from midline.benchmarks.quality.intents.comparison import differences, table
from midline.benchmarks.quality.intents.few_shot import Arm
from midline.benchmarks.quality.intents.page import answers, write_page

ALONE = Arm("snips", "encoder", 10)
GENERATED = Arm("snips", "encoder", 10, True)
NOISY = Arm("snips", "encoder", 10, True, 0.4)
MIXOUT = Arm("snips", "encoder", 10, True, 0.4, "mixout-0.9")
DROPOUT = Arm("snips", "encoder", 10, True, 0.4, "dropout")
SHARES = {ALONE: 0.5, GENERATED: 0.6, NOISY: 0.4, MIXOUT: 0.45, DROPOUT: 0.3}


@pytest.fixture
def record() -> dict[str, Any]:
    runs = [
        asdict(arm)
        | {"seed": seed, "learned": 70, "slot_f1": None, "auroc": None}
        | {"intent_accuracy": share + wobble * 0.001}
        for arm, share in SHARES.items()
        for seed, wobble in enumerate((0, 1, -1) if arm is ALONE else (0, 2, -2))
    ]
    rows = {"rows": table(runs), "differences": differences(runs)}
    return {"generator": "writer-fine-tuned", "filters": {"kept": 3, "length": 1}, **rows}


def test_the_answers_follow_the_rule(record: dict[str, Any]) -> None:
    assert answers(record) == [
        "Generated utterances: they help with 10 examples (intents +10.0 [+9.8, +10.2]); "
        "they harm nowhere.",
        "With 40% wrong labels, better than plain training is mixout-0.9 "
        "(intents +5.0 [+5.0, +5.0]); worse is dropout (intents -10.0 [-10.0, -10.0]).",
    ]


def test_an_interval_that_holds_zero_is_no_answer(record: dict[str, Any]) -> None:
    for row in record["differences"]:
        row["intent_accuracy"]["interval"] = [-0.01, 0.2]
    assert answers(record) == [
        "Generated utterances: they help nowhere; they harm nowhere.",
        "With 40% wrong labels, better than plain training is nothing; worse is nothing.",
    ]


def test_too_few_draws_are_no_answer(record: dict[str, Any]) -> None:
    for row in record["differences"]:
        if row["noise"]:
            row["intent_accuracy"]["interval"] = None
    assert [said for said in answers(record) if "wrong labels" in said] == []


def test_the_tables_have_every_rival_and_size(record: dict[str, Any], tmp_path: Path) -> None:
    write_page(tmp_path / "page.md", [record])
    page = (tmp_path / "page.md").read_text()
    assert "writer, fine-tuned on each draw of examples: 3 of 4 lines kept" in page
    assert "| 10 | 3 | 0.500 | 0.600 | +10.0 [+9.8, +10.2] |" in page
    assert "| plain | 0.600 | - | 0.400 |" in page
    assert "| mixout-0.9 | - | - | +5.0 [+5.0, +5.0] |" in page
    assert "Our own domain" not in page


def test_the_recorded_results_make_a_page(tmp_path: Path) -> None:
    results = Path(__file__).parents[5] / "benchmarks" / "results"
    records = [json.loads(path.read_text()) for path in results.glob("intents*.json")]
    write_page(tmp_path / "page.md", records)
    assert "| student |" in (tmp_path / "page.md").read_text()
