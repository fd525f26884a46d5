"""`midline-bench quality alignment` from end to end on a tiny model, and how answers are scored."""

import json
from pathlib import Path

import pytest

from midline.benchmarks.main import main
from midline.benchmarks.quality.alignment.cases import SETS, Layout, Line
from midline.benchmarks.quality.alignment.measure import (
    MODES,
    REFERENCES,
    Row,
    Watch,
    differences,
    overhead,
    request,
    summary,
)
from midline.benchmarks.quality.alignment.scores import Cost, Request
from midline.model.engines.base import Completion
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf

SOLUTION = "    value = self.items[{}]() + len(self.items)\n    return value\n"
LINE = Line("MBPP/1", "python", "def f(x):\n", "    return self.items[0]", "\n")


@pytest.fixture(scope="module")
def tokenizer(tiny_qwen2: Path) -> Tokenizer:
    return Tokenizer.from_gguf(read_gguf(tiny_qwen2))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Five problems in each of two languages."""
    names = {}
    for language in ("python", "ruby"):
        rows = [
            {
                "task_id": f"{language}/{n}", "prompt": f"def f{n}(self):\n", "test": "",
                "entry_point": f"f{n}", "language": language,
                "canonical_solution": SOLUTION.format(n),
            }
            for n in range(5)
        ]  # fmt: skip
        names[language] = f"{language}.jsonl"
        (tmp_path / names[language]).write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "metadata.json").write_text(json.dumps(names))
    return tmp_path


@pytest.mark.parametrize("form", ["fim", "raw"])
def test_tiny_model(tiny_qwen2, data, home, form, capsys) -> None:
    path = data / "alignment.json"
    words = ["quality", "alignment", "--model", str(tiny_qwen2), "--data", str(data)]
    words += ["--lang", "python", "ruby", "--limit", "9", "--prompt", form, "--json", str(path)]
    assert main(words) == 0
    result = json.loads(path.read_text())
    assert (result["lines"], result["prompt"]) == (9, form)
    modes = [*MODES, *REFERENCES]
    assert [(r["set"], r["mode"]) for r in result["rows"]] == [(s, m) for s in SETS for m in modes]
    assert all(r["cases"] == 9 and r["logprob"] < 0 for r in result["rows"] if r["mode"] != "ahead")
    assert all(r["partial"] == 0 for r in result["rows"] if r["set"] == "clean")
    pairs = [(m, r) for m in MODES for r in REFERENCES] + [("tree", "3")]
    assert [(d["first"], d["second"]) for d in result["differences"][: len(pairs)]] == pairs
    assert {row["mode"] for row in result["overhead"]} == {"1", "3", "tree"}
    assert "full-indent     tree" in capsys.readouterr().out


def test_wrong_calls(tiny_qwen2, data, home, capsys) -> None:
    call = ["quality", "alignment", "--model", str(tiny_qwen2), "--data", str(data)]
    assert main([*call, "--lang", "python", "--limit", "0"]) == 2
    assert "--limit needs at least 1" in capsys.readouterr().err
    assert main([*call, "--lang", "java"]) == 2
    assert "no problems in java" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "reason", "exact"),
    [
        ("turn x\n", "stop", 1),
        ("turn x", "stop", 1),
        ("turn x  \n  y", "stop", 1),
        ("turn x", "length", 0),
        ("turn y\n", "stop", 0),
        ("turn x.y\n", "stop", 0),
        ("turn", "stop", 0),
        ("", "stop", 0),
    ],
)
def test_exact_is_the_rest_of_the_line_and_its_end(
    tokenizer: Tokenizer, text: str, reason: str, exact: int
) -> None:
    watch = Watch(tokenizer, Request((1,), b"re", b"turn x"))
    ids = tokenizer.encode("re" + text)
    assert watch.is_exact(Completion(ids, "", 0.0, 0.0, reason)) == exact


@pytest.mark.parametrize(
    ("text", "over"),
    [("tu", False), ("turn x", False), ("turn x ", False), ("turn x\n", True), ("tx", True)],
)
def test_an_answer_ends_with_its_line_or_where_it_leaves_the_truth(
    tokenizer: Tokenizer, text: str, over: bool
) -> None:
    watch = Watch(tokenizer, Request((1,), b"re", b"turn x"))
    ids = tokenizer.encode("re" + text)
    assert watch(0, ids) == over
    assert watch(0, [*ids, min(tokenizer.end_tokens)])


@pytest.mark.parametrize("at", [2, 4, 7, 12])
def test_requests_of_all_modes_end_at_the_cut_and_references_at_borders(
    tokenizer: Tokenizer, at: int
) -> None:
    layout = Layout(tokenizer, LINE, "fim")
    for mode in (*MODES, *REFERENCES):
        asked = request(layout, at, mode)
        kept = b"".join(map(tokenizer.token_bytes, asked.ids[len(layout.ids) :]))
        assert kept + asked.align + asked.target == LINE.text.encode()
        place = len(kept + asked.align)
        if mode in MODES:
            assert place == at and asked.backed_up <= MODES[mode]
        else:
            assert place in layout.borders and not asked.align
            assert place <= at if mode == "clean" else place >= at
        assert asked.tree == (mode == "tree")


def row(task: str, mode: str, exact: int, cost: Cost | None = None) -> Row:
    return Row(task, "mid-word", mode, task != "c", exact, -float(exact), cost)


def test_figures_are_over_pairs_of_the_same_case() -> None:
    rows = [row("a", "3", 1, Cost(0.5)), row("b", "3", 1, Cost(0.1)), row("c", "3", 0)]
    rows += [row("a", "clean", 0), row("b", "clean", 1), row("c", "clean", 0)]
    rows += [row("a", "ahead", 1), row("b", "ahead", 1), row("c", "ahead", 1)]
    three, clean, _ = summary(rows)
    assert (three["cases"], three["exact"], clean["exact"]) == (3, 0.6667, 0.3333)
    assert (three["partial"], three["logprob"]) == (0.6667, -0.6667)
    less, ahead = differences(rows)
    assert (less["first"], less["second"], less["only_first"]) == ("3", "clean", 1)
    assert less["difference"] == 0.3333 and ahead["difference"] == -0.3333
    assert overhead(rows) == [
        {"mode": "3", "requests": 2, "milliseconds": 0.3, "milliseconds_p95": 0.5, "rows": 0}
    ]
