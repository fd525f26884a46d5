"""Chats with models that run elsewhere: the published template's text, none for others."""

from pathlib import Path

import pytest

from midline.model.engines.remote.chat_templates import CHATML_TOKENS, chat_template
from midline.model.engines.remote.fim_texts import fim_texts
from midline.model.engines.remote.text_tokenizer import TextTokenizer
from midline.model.errors import ModelFileError
from midline.model.tokenizer.chat_template import render_chat
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf

CHATS = {
    "question": [{"role": "user", "content": "What is <|im_end|> for?"}],
    "system": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}],
    "turns": [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi"},
        {"role": "user", "content": "Bye"},
    ],
}


def subject(name: str = "Qwen/Qwen2.5-Coder-0.5B-Instruct") -> TextTokenizer:
    return TextTokenizer(name, fim_texts(name))


@pytest.mark.parametrize("chat", CHATS)
def test_the_prompt_is_that_of_the_models_own_template(qwen05_path: Path, chat: str) -> None:
    own = Tokenizer.from_gguf(read_gguf(qwen05_path))
    messages = CHATS[chat]
    far, near = subject(), own
    ids = render_chat(far, messages)
    assert far.decode(ids) == near.decode(render_chat(near, messages))
    controls = [far.decode([id]) for id in ids if far.is_control(id)]
    expected = 2 * len(messages) + (1 if messages[0]["role"] == "system" else 3)
    assert len(controls) == expected and set(controls) == set(CHATML_TOKENS)


def test_other_models_have_none() -> None:
    assert chat_template("starcoder2-3b") is None
    assert chat_template("my-qwen") is not None
    with pytest.raises(ModelFileError, match="starcoder2-3b has no chat template"):
        render_chat(subject("starcoder2-3b"), CHATS["question"])
