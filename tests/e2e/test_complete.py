"""`midline complete`: the contract, every wrong call, every odd file; the real model at the end."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from tiny_model import QWEN2, write_tiny_model

from midline.server.cli.main import main

SOURCE = "def add(a, b):\n    return a + b\n\n\ndef total(values):\n    \n"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_tiny_model(tmp_path_factory.mktemp("complete") / "tiny.gguf", QWEN2))


@pytest.fixture
def source(tmp_path: Path, home: Path) -> Path:
    path = tmp_path / "source.py"
    path.write_text(SOURCE, "utf-8")
    return path


@pytest.fixture
def prose(source: Path) -> Path:
    """The same text in no language: the noise of a tiny model would break a program."""
    return source.rename(source.with_suffix(".txt"))


def complete(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    capfd.readouterr()
    status = main(["complete", *words])
    return status, *capfd.readouterr()


def as_json(capfd: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    status, out, err = complete(capfd, *words, "--json")
    assert (status, err) == (0, "")
    assert out.count("\n") == 1
    result: dict[str, Any] = json.loads(out)
    return result


def test_the_json_is_that_of_the_contract(
    model: str, source: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    result = as_json(capfd, f"{source}:6:5", "--model", model, "--max-tokens", "8")
    assert set(result) == {
        "model",
        "sparsity",
        "prompt_tokens",
        "cached_tokens",
        "completions",
        "timings",
    }
    assert (result["model"], result["sparsity"], result["cached_tokens"]) == ("tiny", 0.0, 0)
    assert result["prompt_tokens"] > 10
    (completion,) = result["completions"]
    assert set(completion) == {"text", "score", "mean_logprob", "tokens", "finish_reason"}
    assert 0 < completion["tokens"] <= 8
    assert completion["mean_logprob"] < 0
    assert completion["finish_reason"] in ("stop", "length")
    assert set(result["timings"]) == {
        "load_ms",
        "prefill_ms",
        "decode_ms",
        "prefill_tokens_per_second",
        "decode_tokens_per_second",
    }
    assert all(value > 0 for value in result["timings"].values())


def test_samples_come_best_first_and_repeat_with_their_seed(
    model: str, prose: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = (f"{prose}:6:5", "--model", model, "--samples", "6", "--max-tokens", "6")
    sampled = (*words, "--temperature", "1.5", "--seed")
    once, again, other = (as_json(capfd, *sampled, seed) for seed in ("3", "3", "4"))
    scores = [completion["score"] for completion in once["completions"] if completion["text"]]
    assert len(scores) > 1
    assert scores == sorted(scores, reverse=True)
    texts = [completion["text"] for completion in once["completions"]]
    assert len(set(texts)) == len(texts)
    assert once["completions"] == again["completions"]
    assert once["completions"] != other["completions"]


def test_the_greedy_answer_is_among_samples_unless_a_temperature_is_given(
    model: str, prose: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = (f"{prose}:6:5", "--model", model, "--max-tokens", "6", "--exact")
    (greedy,) = as_json(capfd, *words)["completions"]
    texts = [
        {completion["text"] for completion in as_json(capfd, *words, *how)["completions"]}
        for how in (
            ("--samples", "4"),
            ("--samples", "4", "--temperature", "1.5", "--greedy-first"),
            ("--samples", "4", "--temperature", "1.5"),
            ("--samples", "4", "--no-greedy-first", "--temperature", "1.5"),
        )
    ]
    assert greedy["text"] in texts[0] & texts[1]
    assert texts[2] == texts[3] and greedy["text"] not in texts[2]


def test_people_get_the_text_and_speed_on_request(
    model: str, source: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = (f"{source}:6:5", "--model", model, "--max-tokens", "8")
    expected = as_json(capfd, *words)["completions"][0]["text"]
    assert complete(capfd, *words) == (0, expected + "\n", "")
    status, out, err = complete(capfd, *words, "--verbose")
    assert (status, out) == (0, expected + "\n")
    assert "tokens/s" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("{}:7:2", "has no column 2: its columns are 1 to 1"),
        ("{}:8:1", "has no line 8: its lines are 1 to 7"),
        ("{}:0:1", "has no line 0"),
        ("{}:1:0", "has no column 0"),
        ("{}:1:99", "has no column 99: its columns are 1 to 15"),
        ("{}:1", "FILE:LINE:COL"),
        ("{}", "FILE:LINE:COL"),
        ("{}:-1:2", "FILE:LINE:COL"),
        ("{}.not:1:1", "cannot be read: No such file"),
        ("/:1:1", "cannot be read: Is a directory"),
        ("/dev/zero:1:1", "/dev/zero is not a file with a text"),
        ("{}:" + "9" * 5000 + ":1", "has no line 99999999999999999999: its lines are 1 to 7"),
        ("{}:1:" + "9" * 5000, "has no column 99999999999999999999: its columns are"),
        ("x" * 5000, "FILE:LINE:COL"),
    ],
)
def test_a_wrong_place_is_one_sentence(
    place: str, says: str, source: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    status, out, err = complete(capfd, place.format(source))
    assert (status, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1 and len(err) < 500
    status, out, err = complete(capfd, place.format(source), "--json")
    assert status == 2
    assert json.loads(out)["error"]["exit_status"] == 2
    assert says in json.loads(out)["error"]["message"]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("command", ["complete", "generate"])
def test_a_fifo_is_not_waited_for(
    command: str, tmp_path: Path, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    words = [f"{fifo}:1:1"] if command == "complete" else ["x", "--file", str(fifo)]
    assert main([command, *words]) == 2
    assert "is not a file with a text; copy the text to a file first" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("option", "says"),
    [
        (("--samples", "0"), "0 is not between 1 and"),
        (("--samples", "10000"), "samples is 10000, it must be between 1 and 64"),
        (("--samples", "many"), "'many' is not a whole number"),
        (("--max-tokens", "0"), "0 is not between 1 and"),
        (("--top-p", "0"), "top_p is 0.0, it must be above 0 and at most 1"),
        (("--min-p", "1.5"), "1.5 is not between 0 and 1"),
        (("--max-repeats", "1"), "max_repeats is 1, it must be 0 or at least 2"),
        (("--threads", "257"), "257 is not between 1 and 256"),
        (("--temperature", "nan"), "nan is not between 0 and 10"),
        (("--temperature", "-1"), "-1 is not between 0 and 10"),
        (("--temperature", "inf"), "inf is not between"),
        (("--sparsity", "1.5"), "1.5 is not between 0 and 0.9"),
        (("--seed", "-1"), "-1 is not between"),
        (("--engine", "cuda"), "invalid choice: 'cuda'"),
        (("--model", "no-such-model"), "no-such-model"),
        (("--colour",), "--colour"),
    ],
)
def test_a_wrong_option_is_one_sentence(
    option: tuple[str, ...], says: str, source: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    status, out, err = complete(capfd, f"{source}:6:5", *option)
    assert (status, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1


ODD_FILES = {
    "empty": (b"", "1:1"),
    "one character": (b"x", "1:2"),
    "latin-1": (b"# caf\xe9\nname = 'caf\xe9'\nx = \n", "3:5"),
    "inside latin-1": (b"s = 'caf\xe9\xe9'\n", "1:11"),
    "a byte order mark": (b"\xef\xbb\xbfx = 1\n", "1:6"),
    "CRLF": (b"def f(a):\r\n\treturn a\r\n\r\n", "3:1"),
    "lone CR": (b"a = 1\rb = 2\r", "2:6"),
    "beyond the BMP": ("s = '😀é'; x = \n".encode(), "1:14"),
    "one long line": (b"x = [" + b"1, 22, " * 300_000, "1:1000000"),
    "20 MB": (b"value = compute(value, 1)\n" * 800_000, "400000:9"),
}


@pytest.mark.parametrize(("data", "place"), ODD_FILES.values(), ids=ODD_FILES)
def test_odd_files_are_completed_quickly(
    data: bytes, place: str, model: str, tmp_path: Path, home: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    path = tmp_path / "odd.py"
    path.write_bytes(data)
    began = time.monotonic()
    result = as_json(capfd, f"{path}:{place}", "--model", model, "--max-tokens", "4")
    assert time.monotonic() - began < 20
    assert result["prompt_tokens"] + 4 <= QWEN2.context
    assert path.read_bytes() == data


def test_a_binary_file_is_one_sentence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "utf16.py"
    path.write_bytes("x = 1\n".encode("utf-16"))
    status, out, err = complete(capfd, f"{path}:1:1")
    assert (status, out) == (2, "")
    assert "is not a text in UTF-8" in err


def test_a_colon_in_the_name_is_part_of_it(
    model: str, tmp_path: Path, home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a:1:2"
    path.write_text("x = \n", "utf-8")
    assert as_json(capfd, f"{path}:1:5", "--model", model)["prompt_tokens"] > 0


def test_the_real_model_completes_real_code(
    qwen05_path: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "stack.py"
    path.write_text(
        "class Stack:\n"
        "    def __init__(self):\n"
        "        self.items = []\n"
        "\n"
        "    def push(self, item):\n"
        "        self.items.app\n"
        "\n"
        "    def pop(self):\n"
        "        return self.items.pop()\n",
        "utf-8",
    )
    result = as_json(capfd, f"{path}:6:23")
    assert result["model"] == "qwen2.5-coder-0.5b"
    assert result["completions"][0]["text"] == "end(item)"
    assert result["completions"][0]["finish_reason"] == "stop"
