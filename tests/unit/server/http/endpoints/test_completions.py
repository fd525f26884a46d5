"""Text completions, asked for by OpenAI's own client and by hand."""

from typing import Any
from urllib.error import HTTPError

import pytest
from fake_engine import FakeEngine
from http_server import HttpServer

openai = pytest.importorskip("openai")


@pytest.fixture
def client(server: HttpServer) -> Any:
    made = openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0)
    yield made
    made.close()


def test_a_prompt_is_continued(client: Any, fake: FakeEngine) -> None:
    found = client.completions.create(model="any", prompt="def add(a, b):\n    ", max_tokens=50)
    (choice,) = found.choices
    assert (choice.text, choice.finish_reason, choice.index) == ("return a + b\n", "stop", 0)
    assert found.model == "fake" and found.object == "text_completion"
    assert found.usage.prompt_tokens == len(fake.tokenizer.encode("def add(a, b):\n    "))
    assert found.usage.total_tokens == found.usage.prompt_tokens + found.usage.completion_tokens
    assert fake.asked == ["def add(a, b):\n    "]


def test_a_stream_is_the_text_in_order(client: Any) -> None:
    pieces = list(
        client.completions.create(
            model="any", prompt="x", stream=True, stream_options={"include_usage": True}
        )
    )
    assert "".join(p.choices[0].text for p in pieces if p.choices) == "return a + b\n"
    assert [p.choices[0].finish_reason for p in pieces if p.choices][-1] == "stop"
    assert all(p.choices[0].finish_reason is None for p in pieces[:-2])
    assert len(pieces) > 3 and pieces[-1].usage.completion_tokens > 3


def test_a_stop_string_ends_the_text_in_front_of_it(client: Any, fake: FakeEngine) -> None:
    found = client.completions.create(model="any", prompt="x", stop=["+ b", "never"])
    assert found.choices[0].text == "return a "
    assert found.choices[0].finish_reason == "stop"
    pieces = client.completions.create(model="any", prompt="x", stop="+ b", stream=True)
    assert "".join(piece.choices[0].text for piece in pieces) == "return a "


def test_max_tokens_end_the_text(client: Any) -> None:
    found = client.completions.create(model="any", prompt="x", max_tokens=2)
    assert found.choices[0].finish_reason == "length"
    assert found.usage.completion_tokens == 2


def test_several_choices_of_several_prompts_keep_their_order(client: Any, fake: FakeEngine) -> None:
    fake.answer = lambda prompt: f"{prompt}1|{prompt}2"
    found = client.completions.create(model="any", prompt=["a", "b"], n=2, temperature=0.5)
    assert [(c.index, c.text) for c in found.choices] == [
        (0, "a1"), (1, "a2"), (2, "b1"), (3, "b2"),
    ]  # fmt: skip
    texts = ["", "", "", ""]
    for piece in client.completions.create(
        model="any", prompt=["a", "b"], n=2, temperature=0.5, stream=True
    ):
        texts[piece.choices[0].index] += piece.choices[0].text
    assert texts == ["a1", "a2", "b1", "b2"]
    assert all(options.temperature == 0.5 for options in fake.options)


def test_ids_are_a_prompt(client: Any, fake: FakeEngine) -> None:
    ids = fake.tokenizer.encode("let x")
    client.completions.create(model="any", prompt=ids)
    client.completions.create(model="any", prompt=[ids, ids])
    assert fake.asked == ["let x"] * 3
    with pytest.raises(openai.UnprocessableEntityError, match="id 999999999, which fake does not"):
        client.completions.create(model="any", prompt=[999999999])


def test_logprobs_are_those_of_the_tokens_written(client: Any, fake: FakeEngine) -> None:
    (choice,) = client.completions.create(model="any", prompt="x", logprobs=1).choices
    assert "".join(choice.logprobs.tokens) == choice.text
    assert choice.logprobs.token_logprobs == [-1.0] * len(choice.logprobs.tokens)
    starts = [len("".join(choice.logprobs.tokens[:n])) for n in range(len(choice.logprobs.tokens))]
    assert choice.logprobs.text_offset == starts
    tokens = []
    for piece in client.completions.create(model="any", prompt="x", logprobs=1, stream=True):
        if piece.choices[0].logprobs is not None:
            tokens += piece.choices[0].logprobs.tokens
    assert tokens == choice.logprobs.tokens


def test_a_suffix_is_completed_as_the_language_server_does(client: Any, fake: FakeEngine) -> None:
    fake.answer = lambda prompt: "a + b)\n\n\ndef other():\n"
    asked = {"model": "any", "prompt": "def add(a, b):\n    return (", "suffix": ")\n"}
    found = client.completions.create(**asked, extra_body={"filename": "sums.py"})
    assert found.choices[0].text == "a + b"
    assert "sums.py" in fake.asked[0] and "<|fim_suffix|>" in fake.asked[0]
    raw = client.completions.create(**asked, extra_body={"raw": True})
    assert raw.choices[0].text == "a + b)\n\n\ndef other():\n"


def test_fim_tokens_in_a_prompt_mean_a_cursor(client: Any, fake: FakeEngine) -> None:
    fake.answer = lambda prompt: "a + b)\n\n\ndef other():\n"
    prompt = (
        "<|file_sep|>other.py\nX = 1\n<|file_sep|>sums.py\n"
        "<|fim_prefix|>def add(a, b):\n    return (<|fim_suffix|>)\n<|fim_middle|>"
    )
    found = client.completions.create(model="any", prompt=prompt)
    assert found.choices[0].text == "a + b"
    pieces = client.completions.create(model="any", prompt=prompt, stream=True)
    assert "".join(piece.choices[0].text for piece in pieces) == "a + b"
    raw = client.completions.create(model="any", prompt=prompt, extra_body={"raw": True})
    assert raw.choices[0].text == "a + b)\n\n\ndef other():\n"
    assert fake.asked[-1] == prompt


def test_several_texts_at_a_cursor_are_ranked_and_different(client: Any, fake: FakeEngine) -> None:
    fake.answer = lambda prompt: "a + b)\n|a + b)\n|(((\n"
    found = client.completions.create(
        model="any", prompt="def add(a, b):\n    return (", suffix=")\n", n=3,
        extra_body={"filename": "sums.py"},
    )  # fmt: skip
    texts = [choice.text for choice in found.choices]
    assert texts[0] == "a + b" and len(texts) == len(set(texts)) < 3


def test_nothing_to_write_reads_the_prompt(client: Any, fake: FakeEngine) -> None:
    found = client.completions.create(model="any", prompt="let x = 1; " * 20, max_tokens=0)
    assert (found.choices[0].text, found.choices[0].finish_reason) == ("", "length")
    client.completions.create(model="any", prompt="let x = 1; " * 20, max_tokens=1)
    assert fake.written == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prompt", 7), ("prompt", []), ("prompt", [[]]), ("prompt", None), ("prompt", ["a", 1]),
        ("max_tokens", "many"), ("temperature", -1), ("temperature", "hot"), ("n", 0), ("n", 1000),
        ("temperature", 10**400), ("temperature", float("nan")), ("n", 10**400),
        ("top_p", 0), ("stop", 5), ("stream", "yes"), ("seed", 1.5), ("suffix", 3),
        ("logprobs", 99), ("echo", True), ("logit_bias", {"1": 2}), ("stream_options", 1),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(server: HttpServer, field: str, value: Any) -> None:
    with pytest.raises(HTTPError) as raised:
        server.post("/v1/completions", {"prompt": "x", field: value})
    error = __import__("json").loads(raised.value.read())["error"]
    assert raised.value.code == 422
    assert field in error["message"] and error["message"].count(". ") == 0
    assert error["type"] == "invalid_request_error"


def test_what_the_engine_refuses_is_a_sentence(client: Any, fake: FakeEngine) -> None:
    fake.context_length = 3
    with pytest.raises(openai.BadRequestError, match="has 13 tokens and the context holds 3"):
        client.completions.create(model="any", prompt=[5] * 13)
