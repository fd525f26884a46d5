"""Merges against the `tokenizers` library's own BPE, over random vocabularies and real ones."""

import random
import time
from itertools import pairwise

import pytest
from tokenizers import Regex, Tokenizer, models
from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split

from midline.model.tokenizer.bpe import PRE_TOKENIZATIONS, BytePairEncoder, PreTokenization, merge
from midline.model.tokenizer.vocabulary import Vocabulary
from midline.model.weights.gguf import read_gguf

ALPHABET = "  \n\tabcdefgrtuvn_().,'0123456789éß世界😀\u3000"


def library_tokenizer(vocabulary, merges, pre):
    """The library's tokenizer of the same vocabulary."""
    ids = {text: id for id, text in enumerate(vocabulary.strings)}
    pairs = [tuple(line.decode().split(" ")) for line in merges]
    made = Tokenizer(models.BPE(ids, pairs, ignore_merges=pre.whole_pieces))
    splits = [Split(Regex(expression), "isolated") for expression in pre.expressions]
    made.pre_tokenizer = Sequence([*splits, ByteLevel(add_prefix_space=False, use_regex=False)])
    return made


@pytest.mark.parametrize("name", list(PRE_TOKENIZATIONS))
@pytest.mark.parametrize("model", ["tiny_qwen2", "smollm2_path"])
def test_ids_are_the_librarys(name, model, request):
    file = read_gguf(request.getfixturevalue(model))
    vocabulary, pre = Vocabulary.from_gguf(file), PRE_TOKENIZATIONS[name]
    merges = file.metadata["tokenizer.ggml.merges"].raw_list()
    encoder = BytePairEncoder(vocabulary, merges, pre)
    library = library_tokenizer(vocabulary, merges, pre)
    rng = random.Random(3)
    words = [vocabulary.token_bytes(id).decode(errors="ignore") for id in range(20, 480)]
    for _ in range(400):
        parts = [rng.choice(words if rng.random() < 0.5 else ALPHABET) for _ in range(30)]
        text = "".join(parts)
        assert encoder.encode(text) == library.encode(text, add_special_tokens=False).ids, text


def naive_merge(symbols, ranks):
    symbols = list(symbols)
    while True:
        pairs = [ranks.get(a + b" " + b) for a, b in pairwise(symbols)]
        ranked = [(rank, at) for at, rank in enumerate(pairs) if rank is not None]
        if not ranked:
            return symbols
        at = min(ranked)[1]
        symbols[at : at + 2] = [symbols[at] + symbols[at + 1]]


def test_merging_is_by_rank_then_from_the_left():
    rng = random.Random(4)
    for _ in range(300):
        parts = [b"a", b"b", b"c"]
        ranks = {}
        for rank in range(12):
            left, right = rng.choice(parts), rng.choice(parts)
            ranks.setdefault(left + b" " + right, rank)
            parts.append(left + right)
        symbols = [rng.choice([b"a", b"b", b"c"]) for _ in range(rng.randint(1, 25))]
        assert merge(symbols, ranks) == naive_merge(symbols, ranks)


def test_a_long_piece_is_not_quadratic(tiny_qwen2):
    file = read_gguf(tiny_qwen2)
    merges = file.metadata["tokenizer.ggml.merges"].raw_list()
    encoder = BytePairEncoder(Vocabulary.from_gguf(file), merges, PreTokenization((r"\s+",)))

    def seconds(length):
        start = time.process_time()
        encoder.encode("return" * length)
        return time.process_time() - start

    seconds(10)
    assert seconds(40_000) < 40 * max(seconds(4_000), 0.005)


def test_what_is_remembered_is_bounded(tiny_qwen2, monkeypatch):
    monkeypatch.setattr("midline.model.tokenizer.bpe._PIECES_REMEMBERED", 8)
    file = read_gguf(tiny_qwen2)
    merges = file.metadata["tokenizer.ggml.merges"].raw_list()
    encoder = BytePairEncoder(Vocabulary.from_gguf(file), merges, PRE_TOKENIZATIONS["qwen2"])
    first = encoder.encode("return self")
    for number in range(100):
        encoder.encode(f"name{number} ")
    assert len(encoder._known) <= 8 and encoder.encode("return self") == first
