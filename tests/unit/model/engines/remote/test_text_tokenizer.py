"""The tokenizer of texts: nothing is lost, and special tokens are recognized where asked."""

from hypothesis import given
from hypothesis import strategies as st

from midline.model.engines.remote.fim_texts import fim_texts
from midline.model.engines.remote.text_tokenizer import END, TextTokenizer

TOKENIZER = TextTokenizer("qwen", fim_texts("Qwen2.5-Coder"))


@given(st.binary(max_size=200))
def test_the_bytes_of_a_text_are_those_of_its_tokens(data: bytes) -> None:
    ids = TOKENIZER.encode(data)
    assert b"".join(map(TOKENIZER.token_bytes, ids)) == data
    assert not any(map(TOKENIZER.is_control, ids))


def test_special_tokens_are_text_unless_asked_for() -> None:
    text = "a<|fim_middle|>b"
    assert TOKENIZER.fim is not None
    assert TOKENIZER.fim.middle not in TOKENIZER.encode(text)
    assert TOKENIZER.fim.middle in TOKENIZER.encode(text, special=True)
    assert TOKENIZER.decode(TOKENIZER.encode(text, special=True)) == text
    assert TOKENIZER.is_control(END) and TOKENIZER.token_bytes(END) == b""


def test_pieces_are_about_as_long_as_tokens() -> None:
    code = "def add(first, second):\n    return first + second\n" * 20
    assert 2.5 < len(code) / len(TOKENIZER.encode(code)) < 6


def test_a_model_whose_tokens_are_not_known_has_none() -> None:
    assert fim_texts("gpt-4o") is None
    assert TextTokenizer("gpt", None).fim is None
