"""Losses under noisy labels."""

import pytest
import torch

from midline.model.intents.encoder.losses import (
    cross_entropy,
    distance_to_start,
    generalized_cross_entropy,
)

LOGITS = torch.tensor([[2.0, 0.0, -1.0], [0.0, 0.0, 3.0]])
LABELS = torch.tensor([0, 1])


def test_a_small_q_is_the_cross_entropy_and_one_the_absolute_error() -> None:
    plain = cross_entropy(LOGITS, LABELS)
    assert generalized_cross_entropy(LOGITS, LABELS, 1e-4) == pytest.approx(float(plain), rel=1e-3)
    likely = torch.softmax(LOGITS, -1)[torch.arange(2), LABELS]
    assert generalized_cross_entropy(LOGITS, LABELS, 1.0) == pytest.approx(
        float((1 - likely).mean())
    )


def test_padding_does_not_count() -> None:
    labels = torch.tensor([0, -100])
    first = cross_entropy(LOGITS[:1], LABELS[:1])
    assert cross_entropy(LOGITS, labels) == pytest.approx(float(first))
    assert generalized_cross_entropy(LOGITS, labels) == pytest.approx(
        float(generalized_cross_entropy(LOGITS[:1], LABELS[:1]))
    )


def test_the_distance_to_the_start() -> None:
    start = torch.zeros(2)
    moved = torch.nn.Parameter(torch.tensor([3.0, 4.0]))
    assert distance_to_start([("a", moved), ("b", moved)], {"a": start}) == 12.5
