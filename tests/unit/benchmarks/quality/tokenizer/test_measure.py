"""`midline-bench quality tokenizer`: what it counts, what it excuses, when it fails."""

import argparse
import json
import unicodedata

import pytest

from midline.benchmarks.quality.tokenizer import measure as benchmark
from midline.benchmarks.quality.tokenizer.corpus import Text, odd_texts, source_texts
from midline.benchmarks.quality.tokenizer.references import REFERENCES
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf

TEXTS = [Text("odd", text) for text in ("def f():\n", "cafe\u0301 12", "<|im_end|>", "世界")]


@pytest.fixture(scope="module")
def file(tiny_qwen2):
    return read_gguf(tiny_qwen2)


@pytest.fixture(scope="module")
def tokenizer(file):
    return Tokenizer.from_gguf(file)


@pytest.fixture
def problems(tmp_path):
    """A data folder with one Python problem."""
    problem = {
        "task_id": "MBPP/1",
        "language": "python",
        "prompt": "def one():\n",
        "canonical_solution": "    return 1\n",
        "test": "assert one() == 1\n",
        "entry_point": "one",
    }
    folder = tmp_path / "problems"
    folder.mkdir()
    (folder / "metadata.json").write_text(json.dumps({"python": "python.jsonl"}))
    (folder / "python.jsonl").write_text(json.dumps(problem) + "\n")
    return folder


@pytest.mark.parametrize("special", [False, True])
def test_equal_ids_are_no_difference(tokenizer, special):
    def same(text, special):
        return tokenizer.encode(text, special=special)

    row = benchmark.compare(tokenizer, same, TEXTS, special, "qwen2")
    assert (row["texts"], row["differing"], row["causes"]) == (4, 0, {})
    assert row["tokens"] == sum(len(same(text.text, special)) for text in TEXTS)


def test_composed_characters_are_excused_and_others_are_not(tokenizer):
    def composed(text, special):
        return tokenizer.encode(unicodedata.normalize("NFC", text), special=special)

    row = benchmark.compare(tokenizer, composed, TEXTS, False, "qwen2")
    assert row["causes"] == {"normalization": 1}

    def by_bytes(text, special):
        return list(text.encode())

    row = benchmark.compare(tokenizer, by_bytes, TEXTS, False, "qwen2")
    assert row["causes"][benchmark.UNEXPLAINED] == row["differing"] == 1
    assert row["examples"][benchmark.UNEXPLAINED] == "def f():\n"


@pytest.mark.parametrize("reference", ["published", "llama.cpp"])
def test_references_agree_on_a_tiny_model(file, tokenizer, reference):
    if reference == "llama.cpp":
        pytest.importorskip("llama_cpp")
    encode = REFERENCES[reference](file)
    for text in odd_texts(300, list(tokenizer.vocabulary.special)):
        for special in (False, True):
            assert encode(text.text, special) == tokenizer.encode(text.text, special=special)


def test_source_is_whole_programs_up_to_the_limit(problems):
    texts = list(source_texts(problems, 20_000))
    assert texts[0] == Text("python", "def one():\n    return 1\nassert one() == 1\n")
    library = [text.text for text in texts if text.language == "python-library"]
    assert 20_000 <= sum(len(text.encode()) for text in library) < 24_000


def test_a_run_writes_its_figures_and_fails_on_a_difference(
    problems, tiny_qwen2, tmp_path, monkeypatch, capsys
):
    def arguments(*words):
        parser = argparse.ArgumentParser()
        benchmark.add_arguments(parser)
        common = ["--model", str(tiny_qwen2), "--data", str(problems), "--odd", "20"]
        return parser.parse_args([*common, "--kilobytes", "1", *words])

    result = tmp_path / "result.json"
    assert benchmark.run(arguments("--reference", "published", "--json", str(result))) == 0
    written = json.loads(result.read_text())
    assert written["benchmark"] == "tokenizer" and len(written["rows"]) == 2
    assert str(tmp_path) not in result.read_text()
    assert "differing: none" in capsys.readouterr().out
    monkeypatch.setitem(REFERENCES, "published", lambda file: lambda text, special: [1])
    assert benchmark.run(arguments("--reference", "published")) == 1
