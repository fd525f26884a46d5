"""`midline model quantize` on a tiny model: what it writes, and what it refuses."""

import json
from pathlib import Path

import pytest

from midline.model.compression.quantization import gguf_model
from midline.server.cli.main import main


def test_a_quantized_model_is_used_by_path(
    tiny_qwen2: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["model", "quantize", str(tiny_qwen2), "--recipe", "q8_0"]
    assert main(call) == 0
    path = Path(capsys.readouterr().out.strip())
    assert path == home / "quantized" / "tiny-qwen2-q8_0.gguf"
    words = ["generate", "def f(", "--prompt", "raw", "--model", str(path), "--json"]
    assert main([*words, "--max-tokens", "4"]) == 0
    assert json.loads(capsys.readouterr().out)["completions"][0]["tokens"] == 4
    assert main(call) == 0
    assert "was there already" in capsys.readouterr().err


def test_recipes_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model", "recipes"]) == 0
    rows = [line.split()[:2] for line in capsys.readouterr().out.splitlines()]
    assert ["q4_0-awq", "native"] in rows and ["onnx-int8", "onnx"] in rows


def test_wrong_calls_are_told(
    tiny_qwen2: Path, tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["model", "quantize", str(tiny_qwen2), "--recipe"]
    binary, empty = tmp_path / "a.bin", tmp_path / "empty"
    binary.write_bytes(b"\0\1\2")
    empty.mkdir()
    for words, sentence in [
        (["q9"], "there is no recipe 'q9'"),
        (["q8_0", "--to", str(tiny_qwen2)], "is the model that is read"),
        (["q4_0-awq", "--text", str(binary)], "is binary"),
        (["q4_0-awq", "--text", str(empty)], "holds no text"),
        (["q4_0-awq", "--text", str(tmp_path / "none")], "does not exist"),
    ]:
        assert main([*call, *words]) == 2
        assert sentence in capsys.readouterr().err


def test_an_interrupted_quantization_says_how_to_go_on(
    tiny_qwen2: Path,
    home: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(gguf_model, "write_gguf", interrupt)
    assert main(["model", "quantize", str(tiny_qwen2), "--recipe", "q8_0"]) == 130
    assert "the same command writes tiny-qwen2-q8_0.gguf again" in capsys.readouterr().err
