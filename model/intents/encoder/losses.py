"""Losses for labels that may be wrong."""

import torch
from torch import Tensor, nn

IGNORED = -100
"""The label of what is only padding."""


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean over the labels that are not `IGNORED`; logits are [.., classes], labels [..]."""
    return nn.functional.cross_entropy(
        logits.flatten(0, -2), labels.flatten(), ignore_index=IGNORED
    )


def generalized_cross_entropy(logits: Tensor, labels: Tensor, q: float = 0.7) -> Tensor:
    """(1 - p^q) / q (Zhang and Sabuncu, NeurIPS 2018): cross entropy for q -> 0, the mean absolute
    error for q = 1, which trusts no label that the model finds unlikely.
    """
    flat, known = logits.flatten(0, -2), labels.flatten()
    flat, known = flat[known != IGNORED], known[known != IGNORED]
    likely = torch.softmax(flat, -1).gather(1, known[:, None]).clamp_min(1e-7)
    return ((1 - likely**q) / q).mean()


def distance_to_start(
    parameters: list[tuple[str, nn.Parameter]], start: dict[str, Tensor]
) -> Tensor:
    """Half the squared distance of the encoder's weights from the pretrained ones."""
    return sum(
        (0.5 * (value - start[name]).square().sum() for name, value in parameters if name in start),
        torch.zeros(()),
    )
