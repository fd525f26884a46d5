"""A BIO tagger: a linear chain of tags, learned by the averaged structured perceptron.

Collins 2002: decode with the weights there are, add what the truth has, subtract what was decoded;
the weights of all steps are averaged in the end. An inside tag only follows one of its own slot.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FORBIDDEN = np.float32(-1e9)
"""The score of a tag that may not be there."""

Rows = Sequence[Sequence[int]]
"""The features of every word."""


@dataclass(frozen=True)
class SlotTagger:
    """emissions: float32 [features, tags]; transitions: float32 [tags before, tags]."""

    emissions: NDArray[np.float32]
    transitions: NDArray[np.float32]

    def tag(self, rows: Rows, allowed: NDArray[np.bool_]) -> list[int]:
        """The best sequence of tags, one a word; `allowed` says which tags there may be."""
        if not rows:
            return []
        scores = np.stack([self.emissions[row].sum(axis=0) for row in rows])
        return viterbi(np.where(allowed, scores, FORBIDDEN), self.transitions)


def viterbi(scores: NDArray[np.float32], transitions: NDArray[np.float32]) -> list[int]:
    """The sequence with the highest sum; `scores` are [words, tags], outside is tag 0."""
    best = scores[0] + transitions[0]
    back = np.zeros(scores.shape, np.int64)
    for at in range(1, len(scores)):
        paths = best[:, None] + transitions
        back[at] = paths.argmax(axis=0)
        best = paths.max(axis=0) + scores[at]
    tags = [int(best.argmax())]
    for at in range(len(scores) - 1, 0, -1):
        tags.append(int(back[at, tags[-1]]))
    return tags[::-1]


def allowed_transitions(tags: Sequence[str]) -> NDArray[np.bool_]:
    """Which tag may follow which, [before, tag]: `I-x` only `B-x` and `I-x`."""
    return np.array(
        [
            [not tag.startswith("I-") or before[2:] == tag[2:] for tag in tags]
            for before in tags
        ]
    )  # fmt: skip


def learn_tags(
    sentences: Sequence[Rows],
    labels: Sequence[Sequence[int]],
    tags: Sequence[str],
    size: int,
    *,
    epochs: int,
    seed: int,
) -> SlotTagger:
    """The tagger of `sentences` with `labels`; `size` is how many features there are.

    The same input gives the same weights.
    """
    may_follow = allowed_transitions(tags)
    learner = _Learner(size, may_follow)
    rng = np.random.default_rng(seed)
    rows = [[np.asarray(row, np.int64) for row in sentence] for sentence in sentences]
    for _ in range(epochs):
        for number in rng.permutation(len(rows)):
            learner.see(rows[number], labels[number])
    return learner.averaged()


class _Learner:
    """Weights, and with each the sum of its changes times the step they were made in."""

    def __init__(self, size: int, may_follow: NDArray[np.bool_]) -> None:
        shape = (size, len(may_follow))
        self._may_follow = may_follow
        self._emissions, self._late = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self._transitions = np.zeros(may_follow.shape, np.float32)
        self._late_transitions = np.zeros_like(self._transitions)
        self._step = 1

    def see(self, rows: list[NDArray[np.int64]], truth: Sequence[int]) -> None:
        """Decode a sentence, and move the weights towards its truth where that was wrong."""
        self._step += 1
        if not rows:
            return
        scores = np.stack([self._emissions[row].sum(axis=0) for row in rows])
        transitions = np.where(self._may_follow, self._transitions, FORBIDDEN)
        guess = viterbi(scores, transitions)
        before_truth = before_guess = 0
        for row, right, wrong in zip(rows, truth, guess, strict=True):
            if right != wrong:
                self._change(row, right, 1)
                self._change(row, wrong, -1)
            if (before_truth, right) != (before_guess, wrong):
                self._change_transition(before_truth, right, 1)
                self._change_transition(before_guess, wrong, -1)
            before_truth, before_guess = right, wrong

    def _change(self, row: NDArray[np.int64], tag: int, by: int) -> None:
        self._emissions[row, tag] += by
        self._late[row, tag] += by * self._step

    def _change_transition(self, before: int, tag: int, by: int) -> None:
        self._transitions[before, tag] += by
        self._late_transitions[before, tag] += by * self._step

    def averaged(self) -> SlotTagger:
        """The tagger with the mean of the weights of all steps."""
        emissions = self._emissions - self._late / self._step
        transitions = self._transitions - self._late_transitions / self._step
        allowed = np.where(self._may_follow, transitions, FORBIDDEN).astype(np.float32)
        return SlotTagger(emissions.astype(np.float32), allowed)
