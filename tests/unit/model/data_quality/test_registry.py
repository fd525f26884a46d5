"""Every text signal against the numbers of RedPajama's own code; what all signals share."""

import json
import math
from pathlib import Path

import pytest

from midline.benchmarks.quality.signals.agreement import TOLERANCE, largest_difference
from midline.benchmarks.quality.signals.documents import made_documents
from midline.benchmarks.quality.signals.measure import own_signals
from midline.model.data_quality.classifier import QualityClassifier
from midline.model.data_quality.importance import ImportanceModel
from midline.model.data_quality.ngram_model import NgramModel
from midline.model.data_quality.registry import (
    Models,
    all_signals,
    check_name,
    chosen,
    compute,
    text_signals,
)
from midline.model.data_quality.views import Views
from midline.model.errors import UsageError

GOLDEN = Path(__file__).resolve().parents[3] / "golden" / "quality_signals.json"
DOCUMENTS = {document.name: document for document in made_documents()}
CODE = "# A comment\nimport os\n\n\ndef f(x):\n    return x + 1\n"


@pytest.fixture(scope="module")
def golden() -> dict[str, dict[str, list[float | None]]]:
    return json.loads(GOLDEN.read_text("utf-8"))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_signals_are_those_of_redpajama(name: str, golden: dict) -> None:
    """The numbers are what its code computes (`midline-bench quality signals --golden`)."""
    document = DOCUMENTS[name]
    found = compute(Views(document.text), own_signals())
    assert set(golden[name]) <= set(found)
    for signal, scores in golden[name].items():
        spans = found[signal]
        theirs = [(s[0], s[1], score) for s, score in zip(spans, scores, strict=True)]
        assert largest_difference(spans, theirs) <= TOLERANCE, signal


def test_42_signals_of_redpajama_are_there_with_models_of_each_kind() -> None:
    """The other 4 of its 46 are MinHash signatures, which `deduplication.py` computes."""
    texts, others = [CODE, "alpha beta gamma"], ["delta epsilon", "zeta eta theta"]
    weights, scores = ImportanceModel.fit(texts, others), QualityClassifier.fit(texts, others)
    models = Models(
        dict.fromkeys(("books", "openwebtext", "wikipedia"), weights),
        dict.fromkeys(("wikiref", "palm", "wikipedia"), scores),
        NgramModel.fit(texts),
    )
    names = [name for name in all_signals(models=models) if not name.startswith("code_")]
    passed_on_from_the_record = 3
    assert len(names) + passed_on_from_the_record == 42


def test_every_span_lies_in_the_document_and_no_score_is_nan() -> None:
    for document in DOCUMENTS.values():
        for name, spans in compute(Views(document.text, "x.py"), all_signals()).items():
            for start, end, score in spans:
                assert 0 <= start <= end <= len(document.text), name
                assert score is None or math.isfinite(score), name


def test_every_signal_says_what_it_is() -> None:
    signals = all_signals(models=Models(ngrams=NgramModel.fit([CODE])))
    assert [name for name, signal in signals.items() if not signal.__doc__] == []


def test_an_unknown_signal_is_refused_with_those_alike() -> None:
    with pytest.raises(UsageError, match="rps_doc_word_count"):
        check_name(text_signals(), "rps_doc_words_count")
    with pytest.raises(UsageError, match="there is no signal 'nonsense'"):
        chosen(text_signals(), ["rps_doc_word_count", "nonsense"])
