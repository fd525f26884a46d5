"""`midline generate`: forms of the prompt, streaming, the contract's JSON, wrong calls."""

import io
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_model import QWEN2, write_tiny_model

from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf
from midline.server.cli.commands import generate
from midline.server.cli.main import main

MIDLINE = [sys.executable, "-P", "-m", "midline.server.cli.main"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_tiny_model(tmp_path_factory.mktemp("generate") / "tiny.gguf", QWEN2))


def run(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capfd.readouterr()
    status = main(["generate", *words])
    return status, *capfd.readouterr()


def test_the_stream_is_the_text_of_the_json(
    model: str, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ("value =", "--model", model, "--prompt", "raw", "--max-tokens", "20")
    status, out, err = run(capfd, *words, "--json")
    assert (status, err) == (0, "")
    result = json.loads(out)
    assert result["prompt"] == "raw"
    assert result["model"] == "tiny"
    (completion,) = result["completions"]
    assert completion["tokens"] <= 20
    assert run(capfd, *words) == (0, completion["text"] + "\n", "")


def test_chat_and_raw_are_different_prompts(
    model: str, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ("hello", "--model", model, "--max-tokens", "2", "--json")
    chat = json.loads(run(capfd, *words)[1])
    raw = json.loads(run(capfd, *words, "--prompt", "raw")[1])
    assert (chat["prompt"], raw["prompt"]) == ("chat", "raw")
    assert chat["prompt_tokens"] > raw["prompt_tokens"]


def test_standard_input_and_a_file_are_part_of_the_prompt(
    model: str, home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    tokenizer = Tokenizer.from_gguf(read_gguf(model))
    path = tmp_path / "a.py"
    path.write_bytes(b"x = '\xff'\n")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"y = \xe9")))
    words = ("-", "--file", str(path), "--model", model, "--prompt", "raw", "--json")
    result = json.loads(run(capfd, *words, "--max-tokens", "1")[1])
    assert result["prompt_tokens"] == len(tokenizer.encode(b"x = '\xff'\ny = \xe9"))


def test_a_file_in_a_chat_is_fenced_by_more_quotes_than_it_has(tmp_path: Path) -> None:
    path = tmp_path / "notes.md"
    path.write_text("````\ncode\n````\n", "utf-8")
    prompt = generate._with_file(path, "explain", "chat")
    assert prompt == "notes.md:\n`````\n````\ncode\n````\n`````\n\nexplain"


def test_several_samples_come_with_rank_and_score(
    model: str, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ("value =", "--model", model, "--samples", "3", "--max-tokens", "5")
    status, out, _ = run(capfd, *words, "--temperature", "2", "--verbose")
    assert status == 0
    assert out.startswith("--- 1  score -")
    assert "--- 2  score -" in out


def test_only_the_likeliest_is_drawn_at_a_min_p_of_one(
    model: str, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ("value =", "--model", model, "--prompt", "raw", "--max-tokens", "10", "--exact")
    hot = (*words, "--temperature", "5")
    greedy = run(capfd, *words)
    assert run(capfd, *hot, "--min-p", "1") == greedy
    assert run(capfd, *hot) != greedy


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("",), 2, "the prompt is empty"),
        (("hello", "--file", "no/such/file"), 2, "cannot be read: No such file"),
        (("hello", "--engine", "cuda"), 2, "invalid choice: 'cuda'"),
        (("hello", "--prompt", "poem"), 2, "poem"),
        (("hello", "--temperature", "nan"), 2, "nan"),
        (("word " * 4000,), 1, "shorten it"),
        ((), 2, "PROMPT"),
    ],
)
def test_a_wrong_call_is_one_sentence(
    words: tuple[str, ...], status: int, says: str, model: str, home: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    got, out, err = run(capfd, *words, "--model", model)
    assert (got, out) == (status, "")
    assert says in err
    assert err.count("\n") == 1


def test_a_reader_that_leaves_is_no_traceback(model: str, home: Path) -> None:
    command = [*MIDLINE, "generate", "value =", "--model", model, "--max-tokens", "400"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=60)
    assert b"Traceback" not in err


def test_ctrl_c_ends_an_answer_where_it_is(tmp_path: Path, home: Path) -> None:
    """What was written stays, one sentence says why it ends, and nothing is traced back."""
    model = write_tiny_model(tmp_path / "tiny.gguf", QWEN2, layers=40, context=8192)
    command = [*MIDLINE, "generate", "value =", "--model", str(model), "--prompt", "raw"]
    process = subprocess.Popen(
        [*command, "--max-tokens", "7000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    first = process.stdout.read(1)
    process.send_signal(signal.SIGINT)
    rest, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == b"midline: interrupted\n"
    assert (first + rest).endswith(b"\n")


def test_the_real_model_answers(qwen05_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capfd, "Write hello world in Python, code only.", "--max-tokens", "40")
    assert (status, err) == (0, "")
    assert "print(" in out
