"""How right offers are: by bin, and behind a gate."""

import math

import pytest

from midline.benchmarks.quality.confidence.scores import Offer, by_gate, by_probability
from midline.model.completion.confidence import GATE, Gate, TokenConfidence
from midline.model.completion.whole_ends import WholeEnd


def offer(*parts: tuple[str, float], truth: str = "return a + b") -> Offer:
    text, tokens = "", []
    for piece, probability in parts:
        text += piece
        tokens.append(TokenConfidence(len(text), math.log(probability)))
    ends = tuple(WholeEnd(token.end, False) for token in tokens)
    return Offer("python", text, text, tuple(tokens), ends, truth)


RIGHT = offer(("return", 0.9), (" a", 0.8), (" + b", 0.5))
WRONG = offer(("raise", 0.55), (" a", 0.2))


def test_offers_are_counted_in_the_bin_of_their_probability() -> None:
    found = by_probability([RIGHT, RIGHT, WRONG])
    filled = {(row["of"], row["from"]): row for row in found if row["precision_of"]}
    assert set(filled) == {
        ("first token", 0.9), ("first token", 0.5), ("first line", 0.3), ("first line", 0.1),
    }  # fmt: skip
    best = filled["first token", 0.9]
    assert (best["precision"], best["precision_count"], best["precision_of"]) == (1.0, 2, 2)
    low, high = best["precision_interval"]
    assert 0 < low < 1 and high == pytest.approx(1.0)
    assert filled["first token", 0.5]["precision"] == 0.0
    assert filled["first line", 0.3]["precision"] == 1.0


def test_what_is_certain_is_in_the_last_bin() -> None:
    (row,) = [r for r in by_probability([offer(("return", 1.0))]) if r["precision_of"]][:1]
    assert (row["from"], row["to"]) == (0.9, 1.0)


def test_a_gate_shows_what_it_lets_through() -> None:
    open_gate, narrow = Gate(0.01, 0.0001, 0.0001), Gate(0.6, 0.5, 0.5)
    both, one = by_gate([RIGHT, WRONG], [open_gate, narrow])
    assert (both["shown_count"], both["begins_right_count"], both["begins_right_of"]) == (2, 1, 2)
    assert both["exact_count"] == 1 and both["saved_characters"] == len("return a + b") - 1
    assert (one["shown_count"], one["exact_count"]) == (1, 0)
    assert one["saved_characters"] == len("return a") - 1
    assert not both["in_use"] and by_gate([RIGHT], [GATE])[0]["in_use"]
