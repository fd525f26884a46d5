"""`midline-bench quality instruction-sets` on a tiny model, and how two texts are compared."""

import json
import math

import pytest

from midline import kernels
from midline.benchmarks.main import main
from midline.benchmarks.quality.instruction_sets.measure import parting


def test_where_two_texts_part():
    assert parting([1, 2], [5.0, 4.0], [1, 2])["same"]
    row = parting([1, 2, 3], [5.0, 0.25, 1.0], [1, 9, 9])
    assert (row["equal"], row["same"], row["margin"]) == (1, False, 0.25)
    assert parting([1], [5.0], [1, 2])["margin"] is None
    assert parting([1, 2], [5.0, math.nan], [1, 3])["margin"] is None


def test_two_sets_of_kernels_on_a_tiny_model(tiny_qwen2, tmp_path, home, capsys):
    pytest.importorskip("torch", reason="the divergence needs torch")
    best = kernels.kernel_name()
    if best == "scalar":
        pytest.skip("this CPU has the scalar kernels only")
    out = tmp_path / "out.json"
    words = ["--first", best, "--second", "scalar", "--model", str(tiny_qwen2), "--prompts", "2"]
    words += ["--tokens", "24", "--written", "8", "--json", str(out)]
    assert main(["quality", "instruction-sets", *words]) == 0
    result = json.loads(out.read_text())
    assert set(result["paths"]) == {"prefill", "decode"}
    assert all(each["positions"] == 48 for each in result["paths"].values())
    assert all(0 <= each["mean_kl"] < 0.1 for each in result["paths"].values())
    assert [text["tokens"] for text in result["texts"]] == [8, 8]
    assert "of 2 the same" in capsys.readouterr().out


def test_a_set_that_the_cpu_lacks_is_one_sentence(tiny_qwen2, home, capsys):
    assert main(["quality", "instruction-sets", "--first", "avx2", "--second", "avx2"]) == 2
    assert "are both avx2" in capsys.readouterr().err
    other = "neon" if kernels.kernel_name() != "neon" else "avx512"
    words = ["--first", other, "--second", "scalar", "--model", str(tiny_qwen2), "--prompts", "1"]
    assert main(["quality", "instruction-sets", *words]) == 1
    assert f"the process with {other} kernels ended" in capsys.readouterr().err
