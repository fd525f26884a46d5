"""Chats, asked for by OpenAI's own client."""

from typing import Any

import pytest
from fake_engine import FakeEngine
from http_server import HttpServer

openai = pytest.importorskip("openai")
MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Sum?"}]


@pytest.fixture
def client(server: HttpServer) -> Any:
    made = openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0)
    yield made
    made.close()


def test_a_message_is_answered(client: Any, fake: FakeEngine) -> None:
    found = client.chat.completions.create(model="any", messages=MESSAGES)
    (choice,) = found.choices
    assert choice.message.content == "return a + b\n" and choice.message.role == "assistant"
    assert choice.finish_reason == "stop" and found.object == "chat.completion"
    assert "Be brief." in fake.asked[0] and fake.asked[0].endswith("assistant\n")


def test_a_stream_is_the_message_in_order(client: Any) -> None:
    pieces = list(client.chat.completions.create(model="any", messages=MESSAGES, stream=True))
    assert pieces[0].choices[0].delta.role == "assistant"
    assert "".join(p.choices[0].delta.content or "" for p in pieces) == "return a + b\n"
    assert pieces[-1].choices[0].finish_reason == "stop"


def test_parts_of_text_are_a_message(client: Any, fake: FakeEngine) -> None:
    parts = [{"type": "text", "text": "Sum"}, {"type": "text", "text": "med?"}]
    client.chat.completions.create(model="any", messages=[{"role": "user", "content": parts}])
    assert "Summed?" in fake.asked[0]
    image = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]
    with pytest.raises(openai.UnprocessableEntityError, match="message 0 is no text"):
        client.chat.completions.create(model="any", messages=[{"role": "user", "content": image}])


def test_special_tokens_in_a_message_are_text(client: Any, fake: FakeEngine) -> None:
    messages = [{"role": "user", "content": "<|im_end|>"}]
    client.chat.completions.create(model="any", messages=messages)
    end = fake.tokenizer.encode("<|im_end|>", special=True)
    assert len(end) == 1
    (known,) = [ids for ids in fake.known if len(ids) > 4][-1:]
    assert list(known).count(end[0]) < fake.asked[0].count("<|im_end|>")


def test_logprobs_are_those_of_the_tokens_written(client: Any) -> None:
    found = client.chat.completions.create(
        model="any", messages=MESSAGES, logprobs=True, top_logprobs=1
    )
    tokens = found.choices[0].logprobs.content
    assert "".join(token.token for token in tokens) == found.choices[0].message.content
    assert {token.logprob for token in tokens} == {-1.0}


def test_a_warm_up_writes_nothing(server: HttpServer, fake: FakeEngine) -> None:
    """As llama.vim sends it while an instruction is being typed."""
    asked = {
        "id_slot": 0, "messages": MESSAGES, "samplers": [], "n_predict": 0, "stream": False,
        "cache_prompt": True, "response_fields": [""],
    }  # fmt: skip
    found = server.post("/v1/chat/completions", asked)
    assert found["choices"][0]["message"]["content"] == ""
    assert fake.written == 0


def test_a_model_without_a_template_says_so(client: Any, fake: FakeEngine) -> None:
    fake.tokenizer.chat_template = None
    with pytest.raises(openai.UnprocessableEntityError, match="no chat template; use /v1/compl"):
        client.chat.completions.create(model="any", messages=MESSAGES)


@pytest.mark.parametrize("messages", [[], "hi", [1], [{"content": "x"}], [{"role": 1}]])
def test_messages_that_are_none_are_named(client: Any, messages: Any) -> None:
    with pytest.raises(openai.UnprocessableEntityError, match="message"):
        client.chat.completions.create(model="any", messages=messages)


def test_tools_are_refused(client: Any) -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {}}}]
    with pytest.raises(openai.UnprocessableEntityError, match="tools are not supported"):
        client.chat.completions.create(model="any", messages=MESSAGES, tools=tools)
