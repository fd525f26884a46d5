"""Text to ids and back: llama.cpp's golden ids, exact bytes, special tokens only when asked."""

import json
import random
from pathlib import Path

import pytest
from tiny_model import QWEN2, write_tiny_model

from midline.model.catalog.catalog import CATALOGUE
from midline.model.errors import ModelFileError
from midline.model.tokenizer.tokenizer import FimTokens, Tokenizer
from midline.model.weights.gguf import read_gguf

GOLDEN = Path(__file__).resolve().parents[3] / "golden" / "tokenizer.json"
PULLED = {"qwen2.5-coder-0.5b": "qwen05_path", "smollm2-135m": "smollm2_path"}
ALPHABET = "abz AZ09_\n\t\r'\"(){}é\u0301世界😀\u3000\u200b\x00٣Ⅻ"


def load(path):
    return Tokenizer.from_gguf(read_gguf(path))


def tiny_with(tmp_path, **extra):
    keys = {key.replace("__", "."): value for key, value in extra.items()}
    return load(write_tiny_model(tmp_path / "model.gguf", QWEN2, layers=1, extra=keys))


@pytest.fixture(scope="session")
def tiny(tiny_qwen2):
    return load(tiny_qwen2)


@pytest.mark.parametrize("name", list(CATALOGUE))
def test_ids_are_llama_cpps(name, request):
    if name in PULLED:
        request.getfixturevalue(PULLED[name])
    if not CATALOGUE[name].is_here():
        pytest.skip(f"{name} is not here; `midline model pull {name}` gets it")
    tokenizer = load(CATALOGUE[name].path)
    golden = json.loads(GOLDEN.read_text("utf-8"))
    for form, special in (("plain", False), ("special", True)):
        for text, ids in zip(golden["texts"], golden["ids"][name][form], strict=True):
            assert tokenizer.encode(text, special=special) == ids, text


@pytest.mark.parametrize("model", ["tiny_qwen2", "tiny_llama", "qwen05_path"])
def test_any_text_comes_back(model, request):
    tokenizer = load(request.getfixturevalue(model))
    rng = random.Random(11)
    for _ in range(500):
        text = "".join(rng.choices(ALPHABET, k=rng.randint(0, 40)))
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_bytes_that_are_not_utf8_come_back_too(tiny):
    rng = random.Random(12)
    for _ in range(500):
        raw = rng.choice([b"", b"def f(): "]) + rng.randbytes(rng.randint(0, 20)) + b"\nreturn"
        ids = tiny.encode(raw)
        assert b"".join(map(tiny.token_bytes, ids)) == raw
    assert tiny.encode(b"\xff\xfe") == [0xFF, 0xFE]
    assert tiny.encode("naïve".encode()) == tiny.encode("naïve")
    assert tiny.decode(tiny.encode(b"a\xffb")) == "a\ufffdb"


def test_a_lone_surrogate_becomes_the_replacement_character(tiny):
    assert tiny.decode(tiny.encode("a\ud800b\udcffc")) == "a\ufffdb\ufffdc"


def test_special_tokens_are_text_until_parsed(tiny):
    text = "<|fim_prefix|>a<|im_end|>"
    prefix, end = tiny.special_id("<|fim_prefix|>"), tiny.special_id("<|im_end|>")
    assert not {prefix, end} & set(tiny.encode(text))
    assert tiny.encode(text, special=True) == [prefix, *tiny.encode("a"), end]
    assert tiny.decode(tiny.encode(text)) == tiny.decode(tiny.encode(text, special=True)) == text


def test_user_defined_tokens_are_found_in_any_text(tiny):
    call = tiny.special_id("<tool_call>")
    assert tiny.encode("x<tool_call>y") == [*tiny.encode("x"), call, *tiny.encode("y")]


def test_the_names_of_special_tokens_are_exact(tiny):
    assert tiny.special_id("<|fim_prefix|>") is not None
    assert tiny.special_id("<|fim_prefix") is None and tiny.special_id("def") is None
    assert tiny.special_id("[PAD511]") is None


def test_fim_and_end_tokens_are_the_models_own(tiny):
    named = {tiny.token_bytes(id).decode() for id in tiny.end_tokens}
    assert named == {"<|endoftext|>", "<|im_end|>", "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>"}
    names = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|repo_name|>", "<|file_sep|>")
    assert tiny.fim == FimTokens(*map(tiny.special_id, names))
    assert not tiny.add_bos and tiny.bos_id == tiny.special_id("<|endoftext|>")


def test_roles_in_the_metadata_win_over_names(tmp_path):
    tokenizer = tiny_with(
        tmp_path, tokenizer__ggml__fim_mid_token_id=300, tokenizer__ggml__eot_token_id=301
    )
    assert tokenizer.fim.middle == 300 and 301 in tokenizer.end_tokens


def test_roles_outside_the_vocabulary_are_ignored(tmp_path):
    tokenizer = tiny_with(
        tmp_path, tokenizer__ggml__bos_token_id=1 << 20, tokenizer__ggml__fim_pre_token_id=512
    )
    assert tokenizer.bos_id is None
    assert tokenizer.fim.prefix == tokenizer.special_id("<|fim_prefix|>")


@pytest.mark.parametrize("model", ["qwen05_path", "smollm2_path"])
def test_real_models_know_their_special_tokens(model, request):
    tokenizer = load(request.getfixturevalue(model))
    ends = {tokenizer.token_bytes(id).decode() for id in tokenizer.end_tokens}
    assert {"<|endoftext|>", "<|im_end|>"} <= ends
    assert (tokenizer.fim is None) == (model == "smollm2_path")
    assert tokenizer.chat_template and not tokenizer.add_bos


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tokenizer.ggml.model": "llama"}, "of the kind 'llama'"),
        ({"tokenizer.ggml.model": 7}, "of the kind 7"),
        ({"tokenizer.ggml.pre": "deepseek-coder"}, "pre-tokenization 'deepseek-coder'"),
        ({"tokenizer.ggml.merges": 7}, "without merges"),
        ({"tokenizer.ggml.tokens": ["a", "b"]}, "no usable vocabulary"),
        ({"tokenizer.ggml.tokens": ["é"] * 512}, "cannot spell every text"),
        ({"tokenizer.ggml.token_type": "x"}, "one type to each"),
    ],
)
def test_a_tokenizer_that_cannot_be_built_is_named(tmp_path, change, words):
    with pytest.raises(ModelFileError) as caught:
        load(write_tiny_model(tmp_path / "model.gguf", QWEN2, layers=1, extra=change))
    assert "model.gguf" in str(caught.value) and words in str(caught.value)


def test_merges_that_make_no_token_fall_apart_into_bytes(tmp_path):
    tokenizer = tiny_with(tmp_path, tokenizer__ggml__merges=["q q", "no-space", "a b c", ""])
    assert tokenizer.decode(tokenizer.encode("qqq ab")) == "qqq ab"
