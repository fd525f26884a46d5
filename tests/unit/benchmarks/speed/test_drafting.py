"""`midline-bench speed drafting` on a tiny model: its cases, its ratios and its JSON."""

import json
import re

import pytest

from midline.benchmarks.main import main
from midline.benchmarks.speed.drafting import Row, summary
from midline.benchmarks.speed.drafting_cases import (
    edit_cases,
    frequent_names,
    renamed,
    unrelated_cases,
)
from midline.model.catalog.catalog import resolve
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf


def test_result(tiny_qwen2, tmp_path, home, capsys):
    path = tmp_path / "drafting.json"
    words = ["drafting", "--model", str(tiny_qwen2), "--tokens", "6", "--context", "700"]
    assert main(["speed", *words, "--threads", "1", "--json", str(path)]) == 0
    result = json.loads(path.read_text())
    assert result["benchmark"] == "drafting" and result["identical"] == 1
    cases = result["cases"]
    edit, unrelated = result["sets"]
    assert [edit["set"], unrelated["set"]] == ["edit", "unrelated"]
    assert edit["cases"] + unrelated["cases"] == len(cases) > 0
    seconds = [c for c in cases if c["kind"] == "unrelated"]
    ratio = sum(c["plain_seconds"] for c in seconds) / sum(c["seconds"] for c in seconds)
    assert unrelated["ratio"] == pytest.approx(ratio)
    assert all(c["accepted_tokens"] <= c["drafted_tokens"] and c["tokens"] <= 6 for c in cases)
    assert result["pass_cost"][0]["times_one_row"] == 1
    assert "a pass by rows" in capsys.readouterr().out


def test_there_are_fifty_edit_cases(qwen05_path):
    tokenizer = Tokenizer.from_gguf(read_gguf(resolve(qwen05_path)))
    edit, unrelated = edit_cases(tokenizer), unrelated_cases(tokenizer)
    assert len(edit) >= 50 and len({(c.kind, c.name) for c in edit}) == len(edit)
    assert {c.kind for c in edit} == {"rename", "repeated", "table"}
    assert len(unrelated) >= 30 and {c.kind for c in unrelated} == {"unrelated"}


def test_names_are_replaced_as_whole_words():
    text = "Count count = Count(); counted += count"
    assert renamed(text, "count", "sum") == "Count sum = Count(); counted += sum"
    assert renamed(text, "Count", "sum") == "Sum count = Sum(); counted += count"
    assert frequent_names("class Shop: shop = Shop(); return Shop, ab")[:2] == ["Shop", "shop"]
    assert not re.search(r"\bclass\b", " ".join(frequent_names("class class class Shop")))


def test_a_difference_is_told():
    rows = [
        Row("a", "rename", 10, 1.0, 2.0, 8, 7, 3, True),
        Row("b", "rename", 10, 1.0, 4.0, 8, 7, 3, False),
    ]
    found = summary(rows)
    assert (found["ratio"], found["least_ratio"], found["identical"]) == (3.0, 2.0, 1)
    assert summary([])["ratio"] is None
