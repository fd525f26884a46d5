"""Token alignment: tokens drawn first agree, byte for byte, with what was given back."""

import random
from pathlib import Path

import pytest

from midline.model.decoding.alignment.token_healing import Alignment
from midline.model.errors import MidlineError
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf


@pytest.fixture(scope="module")
def tokenizer(tiny_qwen2: Path) -> Tokenizer:
    return Tokenizer.from_gguf(read_gguf(tiny_qwen2))


def expected(tokenizer: Tokenizer, remaining: bytes) -> list[int]:
    """By looking at every token."""
    special = set(tokenizer.vocabulary.special.values())
    ids = []
    for id in range(tokenizer.vocab_size):
        data = tokenizer.token_bytes(id)
        normal = id not in special and not data.startswith(b"[PAD")
        if normal and data and (data.startswith(remaining) or remaining.startswith(data)):
            ids.append(id)
    return ids


@pytest.mark.parametrize(
    "remaining", [b"r", b"ret", b"    ret", b"return self", b"\xc3", b"\xe2\x82", "größe".encode()]
)
def test_allowed_are_the_tokens_that_agree(tokenizer: Tokenizer, remaining: bytes) -> None:
    allowed = Alignment(tokenizer, remaining).allowed()
    assert allowed is not None
    assert sorted(allowed.tolist()) == expected(tokenizer, remaining)


def test_without_remaining_bytes_every_token_is_allowed(tokenizer: Tokenizer) -> None:
    alignment = Alignment(tokenizer)
    assert alignment.allowed() is None
    alignment.consume(5)
    assert alignment.remaining == b""


@pytest.mark.parametrize("text", ["    return ind", "é€😀x", "a", "\t\tstd::vector<in"])
def test_any_allowed_path_spells_the_bytes(tokenizer: Tokenizer, text: str) -> None:
    """Cut anywhere, in the middle of a character too, whatever tokens are drawn."""
    data = text.encode()
    for seed in range(30):
        rng = random.Random(seed)
        given = data[: rng.randrange(1, len(data) + 1)]
        alignment, written = Alignment(tokenizer, given), b""
        while (allowed := alignment.allowed()) is not None:
            token = int(rng.choice(allowed.tolist()))
            written += tokenizer.token_bytes(token)
            alignment.consume(token)
        assert written.startswith(given)
        assert len(written) < len(given) + 40


def test_forks_go_their_own_ways(tokenizer: Tokenizer) -> None:
    one = Alignment(tokenizer, b"return")
    two = one.fork()
    assert one.allowed() is two.allowed()  # looked up once
    one.consume(tokenizer.encode("return")[0])
    assert two.remaining == b"return" != one.remaining


def test_bytes_that_no_token_spells_are_an_error_in_words() -> None:
    class Poor:
        def tokens_with_prefix(self, prefix: bytes) -> list[int]:
            return []

        tokens_that_prefix = tokens_with_prefix

    with pytest.raises(MidlineError, match=r"no token for b'\\x0b' before the cursor"):
        Alignment(Poor(), b"\x0b").allowed()  # type: ignore[arg-type]
