"""Texts that come token by token: stop strings across tokens, half characters, special tokens."""

from pathlib import Path

import pytest
from fake_engine import FakeEngine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf
from midline.server.http.token_text import TokenText


@pytest.fixture(scope="session")
def tokenizer(tiny_qwen2: Path) -> Tokenizer:
    return Tokenizer.from_gguf(read_gguf(tiny_qwen2))


def taken(text: TokenText, ids: list[int]) -> list[str]:
    """What each token in turn adds, and then the end."""
    return [text.take(ids[: n + 1]) for n in range(len(ids))] + [text.end()]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text("ab\né€x", max_size=20), stops=st.lists(st.text("abx\n", min_size=1), max_size=3)
)
def test_the_pieces_are_the_text_in_front_of_the_first_stop(
    tokenizer: Tokenizer, text: str, stops: list[str]
) -> None:
    pieces = taken(TokenText(tokenizer, stops), tokenizer.encode(text))
    cuts = []
    for end in range(len(text) + 1):  # the stop that is complete first
        cuts += [text.find(s) for s in stops if text.find(s) >= 0 and text[:end].endswith(s)]
        if cuts:
            break
    assert "".join(pieces) == (text[: min(cuts)] if cuts else text)


def test_half_a_character_waits_for_its_rest(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("€")
    assert len(ids) == 3
    assert taken(TokenText(tokenizer, ()), ids) == ["", "", "€", ""]
    assert taken(TokenText(tokenizer, ()), ids[:2])[-1] == "�"


def test_special_tokens_have_no_text(fake: FakeEngine) -> None:
    ids = fake.tokenizer.encode("a<|im_end|>b", special=True)
    assert "".join(taken(TokenText(fake.tokenizer, ()), ids)) == "ab"
