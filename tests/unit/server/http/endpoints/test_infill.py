"""`/infill` as llama.vim and llama.vscode use it; their requests are built as their sources do."""

import json
import re
import threading
import time
from typing import Any
from urllib.request import Request, urlopen

import pytest
from fake_engine import FakeEngine
from http_server import HttpServer

EXTRA = [
    {"text": "def load(path):\n    return open(path).read()\n", "time": 1.5, "filename": "io.py"},
    {"text": "def save(path, text):\n    open(path, 'w').write(text)\n", "filename": "out.py"},
]
LINES = ["def add(a, b):", "    return (", ")", ""]


def vim_request(lines: list[str], row: int, column: int, **changed: Any) -> dict[str, Any]:
    """What llama.vim sends with its default settings at a place in a buffer."""
    line = lines[row]
    return {
        "id_slot": 0,
        "input_prefix": "".join(f"{above}\n" for above in lines[max(0, row - 256) : row]) or "\n",
        "input_suffix": line[column:] + "\n" + "\n".join(lines[row + 1 : row + 65]) + "\n",
        "input_extra": EXTRA,
        "prompt": line[:column],
        "n_predict": 128,
        "stop": [],
        "n_indent": len(line) - len(line.lstrip()),
        "top_k": 40,
        "top_p": 0.90,
        "samplers": ["top_k", "top_p", "infill"],
        "stream": False,
        "cache_prompt": True,
        "t_max_prompt_ms": 500,
        "t_max_predict_ms": 1000,
        "response_fields": [
            "content",
            "timings/prompt_n",
            "timings/prompt_ms",
            "timings/prompt_per_token_ms",
            "timings/prompt_per_second",
            "timings/predicted_n",
            "timings/predicted_ms",
            "timings/predicted_per_token_ms",
            "timings/predicted_per_second",
            "truncated",
            "tokens_cached",
        ],
        **changed,
    }


def ring_update() -> dict[str, Any]:
    """What llama.vim sends when its ring of chunks has changed."""
    return {
        "id_slot": 0, "input_prefix": "", "input_suffix": "", "input_extra": EXTRA, "prompt": "",
        "n_predict": 0, "temperature": 0.0, "samplers": [], "stream": False, "cache_prompt": True,
        "t_max_prompt_ms": 1, "t_max_predict_ms": 1, "response_fields": [""],
    }  # fmt: skip


def test_llama_vim_gets_a_completion_that_fits(server: HttpServer, fake: FakeEngine) -> None:
    fake.answer = lambda prompt: "a + b)\n\n\ndef other():\n"
    found = server.post("/infill", vim_request(LINES, 1, 12))
    assert found["content"] == "a + b"
    assert found["timings/predicted_n"] > 0 and found["timings/prompt_n"] > 0
    assert {"timings/prompt_ms", "timings/predicted_per_second", "tokens_cached"} <= set(found)
    assert found["truncated"] is False


def test_llama_vim_recognizes_the_answer(server: HttpServer) -> None:
    """It looks for `"content":"` in the bytes before it decodes them."""
    body = json.dumps(vim_request(LINES, 1, 12)).encode()
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(f"{server.url}/infill", body, headers), timeout=30) as answer:
        raw = answer.read().decode()
    assert re.match(r"\s*{", raw) and re.search(r'"content"\s*:"', raw) and "\n" not in raw


def test_extra_chunks_are_read_and_tell_the_language(server: HttpServer, fake: FakeEngine) -> None:
    fake.answer = lambda prompt: "b, a)\n"
    lines = ["def add(a, b):", "    return a + b", "", "text = load(path)", "print(add(", ""]
    server.post("/infill", vim_request(lines, 4, 10, t_max_prompt_ms=60_000))
    assert "io.py" in fake.asked[-1] and "def load(path)" in fake.asked[-1]
    assert ".py\n<|fim_prefix|>" in fake.asked[-1]


def test_a_ring_update_is_read_ahead(server: HttpServer, fake: FakeEngine) -> None:
    fake.answer = lambda prompt: "path)\n"
    server.post("/infill", vim_request(["x = load(", ""], 0, 9))
    assert server.post("/infill", ring_update()) == {}
    deadline = time.monotonic() + 20
    chunk = fake.tokenizer.encode(EXTRA[0]["text"].split("\n")[1])
    while not any(set(chunk) <= set(ids) for ids in fake.known):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert fake.written == len(fake.tokenizer.encode("path)\n"))


def test_an_empty_ring_is_nothing_to_read(server: HttpServer, fake: FakeEngine) -> None:
    assert server.post("/infill", {**ring_update(), "input_extra": []}) == {}
    assert fake.reads == 0


def test_typing_keeps_the_beginning_of_the_prompt(server: HttpServer, fake: FakeEngine) -> None:
    fake.answer = lambda prompt: "zz\n"
    above, below = [f"value{n} = compute({n})" for n in range(300)], ["", "end = 1"]

    def typed(*lines: str) -> int:
        text = [*above, *lines, *below]
        row = len(above) + len(lines) - 1
        asked = vim_request(text, row, len(lines[-1]), t_max_prompt_ms=0)
        return int(server.post("/infill", asked)["timings/prompt_n"])

    assert typed("total = su") > 500
    assert typed("total = sum(va") <= 12
    assert typed("total = sum(values)", "extra = ") <= 24


def test_little_time_to_read_makes_a_prompt_small(server: HttpServer, fake: FakeEngine) -> None:
    lines = [f"value{n} = compute({n})" for n in range(300)] + ["total = sum(", ""]
    server.service.windows.speed.tokens_per_second = 300.0
    server.post("/infill", vim_request(lines, 300, 12, t_max_prompt_ms=500))
    assert len(fake.tokenizer.encode(fake.asked[0], special=True)) < 260
    assert "value299" in fake.asked[0]


def test_several_completions_are_a_list(server: HttpServer, fake: FakeEngine) -> None:
    """llama.vscode asks for three."""
    fake.answer = lambda prompt: "a + b)\n|b + a)\n|a + b)\n"
    asked = {**vim_request(LINES, 1, 12), "n_cmpl": 3, "temperature": 0.4}
    asked.pop("response_fields")
    found = server.post("/infill", asked)
    assert sorted(each["content"] for each in found) == ["a + b", "b + a"]
    assert server.post("/infill", {**asked, "n_cmpl": 1})["content"] == "a + b"


def test_time_ends_an_answer_that_has_a_line(server: HttpServer, fake: FakeEngine) -> None:
    fake.seconds = 0.01
    body = "".join(f"    x{n} = {n}\n" for n in range(400))
    fake.answer = lambda prompt: body
    asked = vim_request(["def f():", "", ""], 1, 0, t_max_predict_ms=100, n_predict=2000)
    found = server.post("/infill", asked)
    assert 5 < found["timings/predicted_n"] < 400
    assert found["content"].startswith("    x0 = 0")
    assert f"{body}\n".startswith(found["content"] + "\n")


def test_raw_is_the_models_text(server: HttpServer, fake: FakeEngine) -> None:
    fake.answer = lambda prompt: "a + b)\n\n\ndef other():\n"
    found = server.post("/infill", vim_request(LINES, 1, 12, raw=True, n_indent=0))
    assert found["content"] == "a + b)\n\n\ndef other():\n"
    indented = server.post("/infill", vim_request(LINES, 1, 12, raw=True, n_indent=4))
    assert indented["content"] == "a + b)\n\n"


def test_a_stream_is_the_same_text(server: HttpServer, fake: FakeEngine) -> None:
    fake.answer = lambda prompt: "a + b)\n\n\ndef other():\n"
    for raw in (False, True):
        asked = vim_request(LINES, 1, 12, raw=raw, n_indent=0)
        asked.pop("response_fields")
        whole = server.post("/infill", asked)
        events = server.events("/infill", {**asked, "stream": True})
        assert "".join(event["content"] for event in events) == whole["content"]
        assert [event["stop"] for event in events] == [False] * (len(events) - 1) + [True]


def test_stop_strings_end_the_text(server: HttpServer, fake: FakeEngine) -> None:
    fake.answer = lambda prompt: "a + b)\n"
    assert server.post("/infill", vim_request(LINES, 1, 12, stop=[" +"]))["content"] == "a"


def test_requests_at_once_are_all_answered(tiny_server: HttpServer) -> None:
    found: list[Any] = []
    asked = [vim_request([f"def f{n}(a):", "    ret", ""], 1, 7, n_predict=12) for n in range(12)]

    def ask(request: dict[str, Any]) -> None:
        found.append(tiny_server.post("/infill", request))

    threads = [threading.Thread(target=ask, args=(request,)) for request in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 12 and all("content" in answer for answer in found)


@pytest.mark.parametrize(
    ("field", "value"),
    [("input_prefix", 1), ("input_extra", [1]), ("input_extra", {}), ("n_predict", 1.5)],
)
def test_a_wrong_field_is_named(server: HttpServer, field: str, value: Any) -> None:
    from urllib.error import HTTPError

    with pytest.raises(HTTPError) as raised:
        server.post("/infill", {field: value})
    assert raised.value.code == 422 and field in raised.value.read().decode()
