"""`midline-bench speed` on a tiny model: the JSON contract, the pairs, and wrong calls."""

import json
import statistics

import pytest

from midline.benchmarks.main import main
from midline.benchmarks.speed import engines
from midline.benchmarks.speed.work import ModelWork, model_work
from midline.kernels.formats import GGMLType
from midline.model.errors import UsageError
from midline.model.weights.gguf import read_gguf

SMALL = {
    "prefill": ["--tokens", "40"],
    "decode": ["--tokens", "3", "--context", "20"],
    "samples": ["--tokens", "3", "--context", "20", "--samples", "4"],
    "keystroke": ["--tokens", "2", "--context", "20"],
}
TIMED = {"prefill": 40, "decode": 3, "samples": 12}


def measured(words, path, *, status=0):
    assert main(["speed", *words, "--json", str(path)]) == status
    return json.loads(path.read_text())


@pytest.mark.parametrize("measurement", ["prefill", "decode", "samples"])
def test_result_alone(measurement, tiny_llama, tmp_path, home, capsys):
    words = [measurement, "--model", str(tiny_llama), "--runs", "2", *SMALL[measurement]]
    result = measured(words, tmp_path / "speed.json")
    assert {"benchmark", "model", "machine", "versions", "rows", "ratio"} <= set(result)
    assert result["benchmark"] == measurement and result["ratio"] is None
    (row,) = result["rows"]
    assert row["engine"] == "midline" and len(row["seconds"]) == 2
    rate = TIMED[measurement] / statistics.median(row["seconds"])
    assert row["tokens_per_second"] == pytest.approx(rate)
    assert {"tokens", "context", "samples", "sparsity"} <= set(row)
    assert row["settings"]["output_matrix"] == "screened"
    assert "tokens/s" in capsys.readouterr().out


def test_pairs_with_llama_cpp(tiny_qwen2, tmp_path, home):
    pytest.importorskip("llama_cpp", reason="the peer is not installed")
    words = ["decode", "--model", str(tiny_qwen2), "--peer", "llama.cpp", "--samples", "3"]
    shape = ["--tokens", "3", "--context", "20", "--runs", "3", "--exact"]
    result = measured([*words, *shape], tmp_path / "speed.json")
    ours, peer = result["rows"]
    assert [ours["engine"], peer["engine"]] == ["midline", "llama.cpp"]
    pairs = [b / a for a, b in zip(ours["seconds"], peer["seconds"], strict=True)]
    assert result["pair_ratios"] == pytest.approx(pairs)
    assert result["ratio"] == pytest.approx(statistics.median(pairs))
    assert ours["settings"]["output_matrix"] == "exact"
    assert "llama-cpp-python" in result["versions"]


def test_keystrokes_alone_are_typed_at_the_server(tiny_qwen2, tmp_path, home, capsys):
    words = ["keystroke", "--model", str(tiny_qwen2), "--lines", "4", "--context", "900"]
    result = measured([*words, "--tokens", "4"], tmp_path / "speed.json")
    assert result["benchmark"] == "keystroke" and result["ratio"] is None
    (row,) = result["rows"]
    shape = {"engine": "midline", "context": 900, "samples": 1, "sparsity": 0.0}
    assert {name: row[name] for name in shape} == shape
    counts = ("keystrokes", "typed_ahead", "given_up", "nothing_shown")
    keys, ahead, given_up, nothing = (result[name] for name in counts)
    # Four lines of the longest source files, whichever these are by now.
    assert keys == ahead + given_up + result["reply_ms"]["count"] > 4 * 5
    assert 0 <= nothing <= result["reply_ms"]["count"]
    assert result["cold_ms"]["count"] == 12
    assert 0 < result["after_enter_ms"]["count"] <= 4
    for name in ("recomputed_tokens", "reply_ms", "after_enter_ms", "cold_ms"):
        found = result[name]
        assert 0 < found["median"] <= found["percentile_95"] <= found["max"]
    assert result["context_tokens"]["count"] > 0
    assert "prompt tokens recomputed" in capsys.readouterr().out


def test_keystrokes_with_a_peer_are_the_same_tokens(tiny_qwen2, tmp_path, home):
    pytest.importorskip("llama_cpp", reason="the peer is not installed")
    words = ["keystroke", "--model", str(tiny_qwen2), "--peer", "llama.cpp", "--runs", "1"]
    result = measured([*words, *SMALL["keystroke"]], tmp_path / "speed.json")
    assert [row["engine"] for row in result["rows"]] == ["midline", "llama.cpp"]
    assert result["ratio"] > 0
    rate = 16 / result["rows"][0]["seconds"][0]
    assert result["rows"][0]["tokens_per_second"] == pytest.approx(rate)


def test_memory(tiny_qwen2, tmp_path, home):
    words = ["memory", "--model", str(tiny_qwen2), "--context", "64", "--tokens", "4"]
    result = measured(words, tmp_path / "memory.json")
    assert result["file_bytes"] == tiny_qwen2.stat().st_size
    over = (result["resident_bytes"] - result["file_bytes"]) / 1e6
    assert result["over_file_megabytes"] == pytest.approx(over)
    assert over > 5


def test_sparse_products(tiny_qwen2, tmp_path, home, capsys):
    words = ["sparse", "--model", str(tiny_qwen2), "--runs", "2", "--tokens", "2"]
    result = measured(words, tmp_path / "sparse.json")
    assert result["sparsity"] == 0.5 and len(result["pair_ratios"]) == 2
    assert list(result["matrices"]) == ["qkv", "out", "gate_up", "down"]
    for row in result["matrices"].values():
        assert row["dense_ms"] > 0 and row["sparse_ms"] > 0 and row["run_bytes"] > 0
    assert "all matrices: ratio" in capsys.readouterr().out


def test_start(tiny_qwen2, tmp_path, home):
    words = ["start", "--model", str(tiny_qwen2), "--runs", "2"]
    result = measured(words, tmp_path / "start.json")
    assert len(result["seconds"]) == 2
    assert result["median_seconds"] == statistics.median(result["seconds"])
    assert all(a > b > 0 for a, b in zip(result["seconds"], result["load_seconds"], strict=True))


def test_plot(tiny_qwen2, tmp_path, home):
    pytest.importorskip("matplotlib", reason="plots need matplotlib")
    path = tmp_path / "speed.png"
    words = ["prefill", "--model", str(tiny_qwen2), "--tokens", "8", "--runs", "1"]
    assert main(["speed", *words, "--plot", str(path)]) == 0
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_picture_of_what_has_no_runs_is_refused_before_measuring(tmp_path, home, capsys):
    words = ["--model", "absent", "--plot", str(tmp_path / "speed.png")]
    assert main(["speed", "memory", *words]) == 2
    assert "unrecognized arguments: --plot" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--runs", "0"], "--runs is 0"),
        (["--tokens", "-1"], "--tokens is -1"),
        (["--sparsity", "0.95"], "between 0 and 0.9"),
        (["--sparsity", "0.5"], "no profile for --sparsity 0.5"),
        (["--threads", "0"], "threads is 0"),
        (["--context", "9"], "unrecognized arguments: --context"),
        (["--model", "no-such-model"], "no-such-model"),
    ],
)
def test_wrong_calls(words, says, tiny_qwen2, home, capsys):
    assert main(["speed", "prefill", "--model", str(tiny_qwen2), *words]) == 2
    said = capsys.readouterr().err
    assert says in said and said.count("\n") == 1


def test_a_context_that_does_not_fit_is_one_sentence(tiny_qwen2, home, capsys):
    assert main(["speed", "prefill", "--model", str(tiny_qwen2), "--tokens", "100000"]) == 1
    said = capsys.readouterr().err
    assert "context" in said and said.count("\n") == 1


def test_work_of_a_model_counts_its_matrices(tiny_qwen2, tiny_llama):
    work = model_work(read_gguf(tiny_qwen2))
    assert work.output_weights == 256 * 512
    assert work.multiply_adds(10, 1) == 10 * work.layer_weights + work.output_weights
    tied = model_work(read_gguf(tiny_llama))
    assert tied.output_weights == 320 * 500
    assert ModelWork(1, 2, 3, 4).step_bytes() == 4


@pytest.mark.parametrize("measurement", ["prefill", "decode", "samples"])
def test_pairs_with_transformers(measurement, tiny_llama, tmp_path, home):
    pytest.importorskip("torch", reason="the peer is not installed")
    words = [measurement, "--model", str(tiny_llama), "--peer", "transformers", "--runs", "1"]
    result = measured([*words, *SMALL[measurement]], tmp_path / "speed.json")
    assert [row["engine"] for row in result["rows"]] == ["midline", "transformers"]
    assert result["ratio"] == result["rows"][1]["seconds"][0] / result["rows"][0]["seconds"][0]
    assert "torch" in result["versions"]


def test_the_onnx_engine_beside_float32(tiny_qwen2, tmp_path, home):
    for package in ("torch", "onnx", "onnxruntime"):
        pytest.importorskip(package, reason="the peer or the extra `onnx` is not installed")
    words = ["--engine", "onnx", "--model", str(tiny_qwen2), "--peer", "transformers-float32"]
    result = measured(["decode", *words, "--runs", "2", *SMALL["decode"]], tmp_path / "speed.json")
    ours, peer = result["rows"]
    assert (ours["engine"], peer["engine"]) == ("onnx", "transformers-float32")
    assert peer["settings"]["weights"] == "float32" and len(result["pair_ratios"]) == 2
    assert "onnxruntime" in result["versions"]
    words = ["--engine", "onnx", "--model", str(tiny_qwen2), *SMALL["prefill"]]
    assert measured(["prefill", *words, "--runs", "1"], tmp_path / "speed.json")["ratio"] is None


def test_both_engines_decode_the_same_tokens(tiny_qwen2, home, monkeypatch):
    for package in ("onnx", "onnxruntime"):
        pytest.importorskip(package, reason="the extra `onnx` is not installed")
    steps = {}
    for name in ("midline", "onnx"):
        engine = engines.load(name, tiny_qwen2, 1, {"exact": True, "cache_tokens": 1024})
        steps[name] = recorded_steps(engine, monkeypatch)
        assert engine.decode([[1, 2, 3, 4]], 1) > 0
        assert isinstance(engine.complete([1, 2, 3], 2), str)
    assert steps["midline"][0] == steps["onnx"][0] == [1, 2, 3, 4]
    with pytest.raises(UsageError, match="computes densely"):
        engines.load("onnx", tiny_qwen2, 1, {"sparsity": 0.4})


def test_samples_against_separate_runs(tiny_qwen2, tmp_path, home, monkeypatch):
    words = ["samples", "--model", str(tiny_qwen2), "--peer", "separate", "--runs", "2"]
    result = measured([*words, *SMALL["samples"]], tmp_path / "speed.json")
    together, separate = result["rows"]
    assert (together["engine"], separate["engine"]) == ("midline", "separate")
    assert separate["samples"] == together["samples"] > 1
    assert result["ratio"] == sum(result["pair_ratios"]) / 2


def recorded_steps(engine, monkeypatch):
    """Of every pass that follows, the tokens of each row."""
    steps, forward = [], engine._forward

    def record(sequences, ids):
        steps.append([one for row in ids for one in row])
        return forward(sequences, ids)

    monkeypatch.setattr(engine, "_forward", record)
    return steps


def test_separate_runs_draw_what_all_draw_together(tiny_qwen2, home, monkeypatch):
    steps = {}
    for name in ("midline", "separate"):
        engine = engines.load(name, tiny_qwen2, 1, {"exact": True, "cache_tokens": 1024})
        steps[name] = recorded_steps(engine, monkeypatch)
        assert engine.samples([1, 2, 3, 4], 3, 5) > 0
    prompt, *together = steps["midline"]
    assert (len(together), steps["separate"][0]) == (5, prompt)
    one_by_one = [steps["separate"][1:][n * 5 : n * 5 + 5] for n in range(3)]
    assert one_by_one == [[[id] for id in ids] for ids in zip(*together, strict=True)]


def test_separate_runs_are_of_samples_only(tiny_qwen2, home, capsys):
    words = ["--model", str(tiny_qwen2), "--peer", "separate", *SMALL["decode"]]
    assert main(["speed", "decode", *words]) == 2
    assert "it measures samples only" in capsys.readouterr().err


def test_what_a_peer_cannot_measure_is_a_wrong_call(tiny_llama, home, capsys):
    pytest.importorskip("torch", reason="the peer is not installed")
    words = ["--model", str(tiny_llama), "--peer", "transformers", *SMALL["keystroke"]]
    assert main(["speed", "keystroke", *words]) == 2
    assert "prefill, decode and samples" in capsys.readouterr().err


def test_a_peer_that_is_not_installed_is_named(tiny_llama, home, capsys, monkeypatch):
    monkeypatch.setitem(engines.MODULES, "openvino", "nowhere")
    with pytest.raises(UsageError, match="the peer openvino needs the Python package"):
        engines.load("openvino", tiny_llama, 1, {})


def test_requantized_copy_is_measured_on_both_sides(smollm2_path, tmp_path, home):
    pytest.importorskip("llama_cpp", reason="the peer is not installed")
    words = ["--model", str(smollm2_path), "--requantize", "q4_0", "--peer", "llama.cpp"]
    result = measured(["decode", *words, "--runs", "1", *SMALL["decode"]], tmp_path / "speed.json")
    assert result["requantized"] == "q4_0" and result["ratio"] > 0
    (copy,) = home.rglob("*.q4_0.gguf")
    assert result["file_bytes"] == copy.stat().st_size != smollm2_path.stat().st_size
    kinds = {tensor.type for tensor in read_gguf(copy).tensors.values()}
    assert GGMLType.Q4_0 in kinds and GGMLType.Q4_1 not in kinds
