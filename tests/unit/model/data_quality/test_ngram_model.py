"""The n-gram model: its probabilities, its perplexities and its file."""

from pathlib import Path

import pytest

from midline.model.data_quality.ngram_model import NgramModel
from midline.model.data_quality.views import Views
from midline.model.errors import UsageError

TEXTS = ["the cat sat on the mat", "the dog sat on the log", "a cat and a dog"]
VOCABULARY = sorted({word for text in TEXTS for word in text.split()})
END = "\x03"


@pytest.mark.parametrize("context", [(), ("the",), ("sat", "on", "the"), ("no", "such")])
def test_probabilities_are_a_distribution(context: tuple[str, ...]) -> None:
    model = NgramModel.fit(TEXTS)
    known = sum(model.probability((*context, word)) for word in [*VOCABULARY, END])
    assert known + model.probability((*context, "unknown")) == pytest.approx(1)


def test_what_was_seen_is_less_perplexing() -> None:
    model = NgramModel.fit(TEXTS)
    found = [model.perplexity(text.split()) for text in (TEXTS[0], "mat the on", "x y z")]
    assert found[0] < found[1] < found[2]
    assert model.bucket(found[0]) == "head" or model.bucket(found[0]) == "middle"
    assert model.bucket(found[2]) == "tail"
    assert model.signal(Views("?!")) == [(0, 2, None)]


def test_a_model_is_read_as_it_was_written(tmp_path: Path) -> None:
    model, path = NgramModel.fit(TEXTS), tmp_path / "m.json"
    model.save(path)
    other = NgramModel.load(path)
    assert other.perplexity(["the", "cat"]) == model.perplexity(["the", "cat"])
    assert other.limits == model.limits


@pytest.mark.parametrize("content", ["", "[]", '{"grams": {}, "limits": [1, 2]}',
                                     '{"grams": {"a b": 1}, "limits": [1, 2]}'])  # fmt: skip
def test_another_file_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(content)
    with pytest.raises(UsageError, match="train it again"):
        NgramModel.load(tmp_path / "m.json")


def test_no_text_is_refused() -> None:
    with pytest.raises(UsageError, match="needs a text"):
        NgramModel.fit(["", "..."])
