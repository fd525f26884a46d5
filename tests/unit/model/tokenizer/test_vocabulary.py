"""Exact bytes of tokens and the prefix lookups of token alignment, against brute force."""

from itertools import pairwise

import numpy as np
import pytest
from tiny_model import QWEN2, write_tiny_model

from midline.model.tokenizer.vocabulary import BYTE_SYMBOLS, NORMAL, Vocabulary
from midline.model.weights.gguf import read_gguf

PREFIXES = [
    b"",
    b"r",
    b"ret",
    b" ",
    b"    ",
    b"        ",
    b"         ",
    b"\n\n",
    b"\x00",
    b"\xe4\xb8",
    b"functional",
    b" implementation",
    b"never in any vocabulary",
]


@pytest.fixture(scope="module", params=["tiny_qwen2", "tiny_llama", "qwen05_path"])
def vocabulary(request):
    return Vocabulary.from_gguf(read_gguf(request.getfixturevalue(request.param)))


@pytest.fixture(scope="module")
def decoded(vocabulary):
    """Bytes of every token, decoded character by character."""
    byte_of = {symbol.decode(): byte for byte, symbol in enumerate(BYTE_SYMBOLS)}
    return [
        bytes(byte_of[character] for character in text) if kind == NORMAL else text.encode()
        for text, kind in zip(vocabulary.strings, vocabulary.kinds, strict=True)
    ]


def test_token_bytes_are_exact(vocabulary, decoded):
    assert [vocabulary.token_bytes(id) for id in range(len(vocabulary))] == decoded
    run, starts = vocabulary._decoded
    assert [run[low:high] for low, high in pairwise(starts.tolist())] == decoded
    assert vocabulary.longest == max(
        len(raw) for raw, kind in zip(decoded, vocabulary.kinds, strict=True) if kind == NORMAL
    )


def test_ids_outside_the_vocabulary_are_refused(vocabulary):
    for id in (-1, len(vocabulary)):
        with pytest.raises(IndexError, match=f"token {id} is not"):
            vocabulary.token_bytes(id)


@pytest.mark.parametrize("prefix", PREFIXES, ids=repr)
def test_tokens_by_prefix_are_all_and_only_those(vocabulary, decoded, prefix):
    normal = np.flatnonzero(vocabulary.kinds == NORMAL).tolist()
    expected = [id for id in normal if decoded[id].startswith(prefix)]
    assert sorted(vocabulary.with_prefix(prefix).tolist()) == expected


@pytest.mark.parametrize("text", [b"returning self", b" " * 50, b"\xe4\xb8\x96\xe7", b""])
def test_prefixes_of_a_text_are_found_shortest_first(vocabulary, decoded, text):
    normal = np.flatnonzero(vocabulary.kinds == NORMAL).tolist()
    expected = {id for id in normal if text.startswith(decoded[id]) and decoded[id]}
    found = vocabulary.prefixes_of(text).tolist()
    assert set(found) == expected
    assert [len(decoded[id]) for id in found] == sorted(len(decoded[id]) for id in found)


def test_special_tokens_never_match(vocabulary):
    special = set(vocabulary.special.values())
    assert special and not special & set(vocabulary.with_prefix(b"<").tolist())
    assert not special & set(vocabulary.prefixes_of(b"<|im_end|>").tolist())


def test_normal_tokens_outside_the_byte_alphabet_are_literal(tmp_path):
    odd = ["世界", "a b", "\u0100\u0200", "\u0123x"]
    tokens = [*BYTE_SYMBOLS, *odd]
    path = write_tiny_model(
        tmp_path / "model.gguf",
        QWEN2,
        layers=1,
        extra={
            "tokenizer.ggml.tokens": tokens,
            "tokenizer.ggml.token_type": np.full(len(tokens), NORMAL, np.int32),
        },
    )
    vocabulary = Vocabulary.from_gguf(read_gguf(path))
    expected = ["世界".encode(), b"a b", "\u0100\u0200".encode(), b"\x81x"]
    singles = [bytes([byte]) for byte in range(256)]
    assert [vocabulary.token_bytes(id) for id in range(260)] == [*singles, *expected]
    run, starts = vocabulary._decoded
    assert [run[low:high] for low, high in pairwise(starts.tolist())] == [*singles, *expected]
