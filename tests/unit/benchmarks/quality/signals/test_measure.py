"""Agreement with the reference is counted, and the reference's errors are sentences."""

from itertools import pairwise
from pathlib import Path

import pytest

from midline.benchmarks.quality.signals.agreement import Agreement, largest_difference
from midline.benchmarks.quality.signals.documents import Document
from midline.benchmarks.quality.signals.measure import compare, lines, summary
from midline.benchmarks.quality.signals.reference import Reference, stable_bucket
from midline.model.data_quality.content import WordLists
from midline.model.data_quality.importance import BUCKETS, feature_counts
from midline.model.data_quality.views import Views
from midline.model.errors import UsageError


@pytest.mark.parametrize(
    ("ours", "theirs", "agree"),
    [
        ([(0, 5, 0.5)], [(0, 5, 0.5 + 1e-7)], True),
        ([(0, 5, 0.5)], [(0, 5, 0.5 + 1e-5)], False),
        ([(0, 5, 1e9)], [(0, 5, 1e9 + 1)], True),
        ([(0, 5, None)], [(0, 5, None)], True),
        ([(0, 5, None)], [(0, 5, 0.0)], False),
        ([(0, 5, 0.5)], [(0, 6, 0.5)], False),
        ([(0, 5, 0.5)], [], False),
    ],
)
def test_agreement(ours: list, theirs: list, agree: bool) -> None:
    found = Agreement()
    found.add("a", ours, theirs)
    assert (found.equal, found.differing) == ((1, []) if agree else (0, ["a"]))
    assert (largest_difference(ours, theirs) <= 1e-6) == agree


def test_a_difference_without_an_explanation_is_told() -> None:
    documents = [Document("g", str(n), "x" * 3000) for n in range(4)]
    agreements, pairs = compare(
        documents, lambda d: {"s": [(0, 1, 1.0)]}, lambda d: {"s": [(0, 1, float(d.name))]}
    )
    result = summary(documents, agreements, pairs)
    assert result["unexplained"] == ["s"] and result["equal_signals"] == 0
    assert len(result["pair_ratios"]) == 4
    assert "1 of 4" in lines(result)[0]


def test_the_stable_hash_of_the_reference_is_that_of_the_signal() -> None:
    views = Views("one two \udcff two")
    counts = [0] * BUCKETS
    words = [views.raw.distinct[i] for i in views.raw.ids]
    for feature in [*words, *pairwise(words)]:
        counts[stable_bucket(feature, BUCKETS)] += 1
    assert feature_counts(views.raw).tolist() == counts


def test_a_folder_that_is_no_checkout(tmp_path: Path) -> None:
    counts = feature_counts(Views("a b").raw)
    with pytest.raises(UsageError, match="clone it"):
        Reference(tmp_path, WordLists(), counts, counts)
