"""`midline-bench quality confidence` from end to end on a tiny model."""

import json
from pathlib import Path

import pytest
from fake_engine import FakeEngine
from tiny_model import QWEN2, write_tiny_model

from midline.benchmarks.main import main
from midline.benchmarks.quality.confidence.measure import offered
from midline.benchmarks.quality.confidence.positions import Held
from midline.model.completion.fim import Cursor
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf


def test_tiny_model(
    tiny_qwen2: Path, tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "confidence.json"
    (tmp_path / "a.py").write_text("def f(a):\n    return a\n" * 20)
    words = [str(tmp_path / "a.py"), "--positions", "5", "--json", str(path)]
    for _ in range(2):  # the second time from the answers that were kept
        assert main(["quality", "confidence", "--model", str(tiny_qwen2), *words]) == 0
        result = json.loads(path.read_text())
        assert result["positions"] == 5
        assert len([gate for gate in result["gates"] if gate["in_use"]]) == 1
        capsys.readouterr()
    assert main(["quality", "confidence", "--positions", "0"]) == 2
    assert main(["quality", "confidence", str(tmp_path / "nothing")]) == 2


def test_an_offer_has_its_tokens_and_where_it_may_be_cut(tmp_path: Path) -> None:
    tokenizer = Tokenizer.from_gguf(read_gguf(write_tiny_model(tmp_path / "tiny.gguf", QWEN2)))
    engine = FakeEngine(tokenizer, lambda prompt: "a + b\n", conditional=-0.5)
    found = offered(engine, Held(Cursor(b"def f(a, b):\n    return ", b"\n", 1, "a.py"), "a + b"))
    assert found.text == "a + b" and found.language == "python"
    assert found.tokens[-1].end == len(found.written)
    assert {round(token.logprob / 0.5) * 0.5 for token in found.tokens} <= {-0.5, -1.0, -1.5, -2.0}
    assert {1, 5} <= {end.at for end in found.ends}
