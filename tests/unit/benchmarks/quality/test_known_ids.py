"""Known ids are handed on one by one, and a rule is asked once the text to align with is there."""

from pathlib import Path

from midline.benchmarks.quality.known_ids import beginnings
from midline.model.engines.base import Request
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf


def test_a_rule_is_asked_behind_the_bytes_to_align_with(tiny_qwen2: Path) -> None:
    tokenizer = Tokenizer.from_gguf(read_gguf(tiny_qwen2))
    ids = tokenizer.encode("return value")
    size = len(tokenizer.token_bytes(ids[0]))
    request = Request([1], align=b"x" * (size + 1), stop=lambda sample, ids: False)
    found = list(beginnings(tokenizer, request, ids))
    assert [each for each, _ in found] == [ids[:count] for count in range(1, len(ids) + 1)]
    written = [len(b"".join(map(tokenizer.token_bytes, each))) for each, _ in found]
    assert [is_asked for _, is_asked in found] == [count > size for count in written]
    assert not found[0][1] and found[-1][1]


def test_without_a_rule_nothing_is_asked(tiny_qwen2: Path) -> None:
    tokenizer = Tokenizer.from_gguf(read_gguf(tiny_qwen2))
    ids = tokenizer.encode("return value")
    assert not any(asked for _, asked in beginnings(tokenizer, Request([1]), ids))
