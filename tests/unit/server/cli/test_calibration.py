"""`midline model calibrate` on a tiny model: what it writes, and what it refuses."""

import json
from pathlib import Path

import pytest

from midline.model.engines.native import policy
from midline.model.weights.packed import model_hash
from midline.server.cli.main import main

CODE = "def value(self, index):\n    return self.items[index] + len(self.items)\n"


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.py"
    path.write_text("".join(f"{CODE}value_{i} = {i}\n" for i in range(200)))
    return path


def test_profiles_are_used_and_told_of(
    tiny_qwen2: Path,
    home: Path,
    text: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    call = ["model", "calibrate", str(tiny_qwen2), "--text", str(text), "--sparsity", "0.3", "0.5"]
    assert main([*call, "--dense", "out", "--description", "my code"]) == 0
    paths = [Path(line) for line in capsys.readouterr().out.split()]
    assert [path.parent for path in paths] == [home / "profiles"] * 2
    values = json.loads(paths[1].read_text("utf-8"))
    assert values["level"] == 0.5 and values["calibration"]["description"] == "my code"
    assert all(row[1] is None and row[0] > 0 for row in values["thresholds"])
    # What the text is called is no part of a path.
    assert main([*call, "--to", str(home / "elsewhere")]) == 0
    other = next((home / "elsewhere").glob("*-50.json"))
    assert json.loads(other.read_text("utf-8"))["calibration"]["description"] == "text.py"
    capsys.readouterr()
    words = ["doctor", "--model", str(tiny_qwen2)]
    main([*words, "--sparsity", "0.5"])
    out = capsys.readouterr().out
    layers = len(values["thresholds"])
    assert f"50% of the weights skipped (greedy, weighted, {layers} matrices dense)" in out
    assert "my code; levels with a profile: 0.3, 0.5" in out
    assert main([*words, "--sparsity", "0.4"]) == 1
    assert "no profile for --sparsity 0.4; there are profiles for 0.3, 0.5" in (
        capsys.readouterr().out
    )
    prompt = ["generate", "def f(", "--prompt", "raw", "--model", str(tiny_qwen2), "--json"]
    assert main([*prompt, "--max-tokens", "8", "--sparsity", "0.5"]) == 0
    assert json.loads(capsys.readouterr().out)["sparsity"] == 0.5
    assert main([*prompt, "--sparsity", "0.4"]) == 2
    # The model's own level is in use where none is asked for.
    line = {model_hash(tiny_qwen2): {"model": "tiny", "sparsity": 0.3, "draft": "lookup"}}
    monkeypatch.setattr(policy, "FILE", home / "policy.json")
    policy.FILE.write_text(json.dumps(line))
    capsys.readouterr()
    assert main([*prompt, "--max-tokens", "8"]) == 0
    assert json.loads(capsys.readouterr().out)["sparsity"] == 0.3
    assert main([*prompt, "--max-tokens", "8", "--sparsity", "0", "--draft", "self"]) == 0
    assert json.loads(capsys.readouterr().out)["sparsity"] == 0
    main(words)
    assert "30% of the weights skipped" in capsys.readouterr().out
    main([*words, "--sparsity", "0"])
    assert "dense; levels with a profile" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "levels", "message"),
    [
        (b"", ["0.5"], "holds no text; calibration needs at least 1024 tokens"),
        (b"\x00\x01" * 900, ["0.5"], "is binary"),
        (b"x = 1\n", ["0.5"], "calibration needs at least 1024 tokens, about 4 KB"),
        (b"x = 1\n", ["0.95"], "sparsity is 0.95, it must be between 0 and 0.9"),
        (b"x = 1\n", ["nan"], "sparsity is nan, it must be between 0 and 0.9"),
        (b"x = 1\n", ["0"], "whole percents"),
        (b"x = 1\n", ["0.5", "0.333"], "whole percents"),
    ],
)
def test_what_cannot_be_is_refused(
    tiny_qwen2: Path,
    home: Path,
    tmp_path: Path,
    content: bytes,
    levels: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "text"
    path.write_bytes(content)
    call = ["model", "calibrate", str(tiny_qwen2), "--text", str(path), "--sparsity", *levels]
    assert main(call) == 2
    assert message in capsys.readouterr().err


def test_as_many_threads_as_the_engine_takes(
    home: Path, text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["model", "calibrate", "no-such-model", "--text", str(text), "--sparsity", "0.5"]
    assert main([*call, "--threads", "257"]) == 2
    assert "257 is not between 1 and 256" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("]\n}", "", "is cut short or no profile"),
        ('"model_sha256": "', '"model_sha256": "0', "is the profile of another model"),
        ('"version": 1', '"version": 0', "is a profile of another version"),
        ('"thresholds": [\n  [', '"thresholds": [\n  [NaN, ', "negative or no number"),
        ('"thresholds": [\n', '"thresholds": [\n  [Infinity, 1, 1, 1],\n', "negative or no number"),
        ('"thresholds": [\n', '"thresholds": [\n  [1, 1, 1, 1],\n', "layers and the model"),
    ],
)
def test_a_damaged_profile_is_one_sentence(
    tiny_qwen2: Path,
    home: Path,
    text: Path,
    old: str,
    new: str,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whoever uses it: a request, drafts of a lossless one, and the doctor, who reads only."""
    call = ["model", "calibrate", str(tiny_qwen2), "--text", str(text), "--sparsity", "0.5"]
    assert main(call) == 0
    path = Path(capsys.readouterr().out.strip())
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    prompt = ["generate", "def f(", "--prompt", "raw", "--model", str(tiny_qwen2)]
    for words in (["--sparsity", "0.5"], ["--draft", "self"]):
        assert main([*prompt, "--max-tokens", "8", *words]) == 1
        said = capsys.readouterr().err
        assert message in said and "calibrate the model again" in said
        assert said.count("\n") == 1 and "Traceback" not in said
    if "layers" not in message:
        assert main(["doctor", "--model", str(tiny_qwen2), "--sparsity", "0.5"]) == 1
        assert message in capsys.readouterr().out
