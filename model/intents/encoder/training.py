"""Training of the joint model on utterances whose labels may be wrong."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from midline.model.intents.encoder.joint_model import JointModel, load_pretrained
from midline.model.intents.encoder.losses import (
    IGNORED,
    cross_entropy,
    distance_to_start,
    generalized_cross_entropy,
)
from midline.model.intents.encoder.mixout import use_mixout
from midline.model.intents.encoder.pieces import Batch, PieceCutter, Pieces, batch_of
from midline.model.intents.schema import OUTSIDE
from midline.model.intents.utterance import Utterance
from midline.model.intents.words import tags_of_slots

_POOL = 16
"""Batches that are sorted by length together, so that little is padded."""


@dataclass(frozen=True)
class Recipe:
    """How a model is trained: one rival against label noise, or none.

    The embeddings of the pieces stay as they are: half of all weights, and few of them are seen.
    dropout, mixout: shares. l2: weight of the distance to the start. gce: q of the generalized
    cross entropy, 0 for the plain one. bfloat16: compute products in it, weights stay float32;
    twice as fast where the CPU has it.
    """

    steps: int = 240
    batch: int = 16
    rate: float = 1.5e-4
    head_rate: float = 2e-3
    warmup: float = 0.1
    dropout: float = 0.0
    mixout: float = 0.0
    l2: float = 0.0
    gce: float = 0.0
    bfloat16: bool = False
    seed: int = 0


RIVALS: dict[str, dict[str, Any]] = {
    "plain": {},
    "dropout": {"dropout": 0.1},
    "l2": {"l2": 0.01},
    "mixout-0.5": {"mixout": 0.5},
    "mixout-0.7": {"mixout": 0.7},
    "mixout-0.9": {"mixout": 0.9},
    "gce": {"gce": 0.7},
}
"""What is tried against label noise, each alone; filtering is done to the data."""


@dataclass
class Training:
    """A run that can be stopped and continued: the model, its optimizer and the step."""

    model: JointModel
    recipe: Recipe
    intents: tuple[str, ...]
    tags: tuple[str, ...]
    step: int = 0
    losses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        heads = [p for n, p in self.model.named_parameters() if not n.startswith("encoder.")]
        self._start = {
            name: value.detach().clone()
            for name, value in self.model.named_parameters()
            if name.startswith("encoder.") and self.recipe.l2
        }
        groups = [
            {"params": list(self.model.encoder.parameters()), "lr": self.recipe.rate},
            {"params": heads, "lr": self.recipe.head_rate},
        ]
        self._optimizer = torch.optim.AdamW(groups, weight_decay=0.0, fused=True)
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._optimizer, partial(_share_of_rate, self.recipe)
        )

    def run(
        self,
        sentences: Sequence[Pieces],
        labels: Sequence[tuple[int, Sequence[int]]],
        *,
        seconds: float | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Train to the last step, or for `seconds`; returns whether the last step was done."""
        self.model.train()
        began = time.monotonic()
        for chosen in _batches(len(sentences), sentences, self.recipe, self.step):
            is_late = seconds is not None and time.monotonic() - began > seconds
            if is_late or stopped():
                return False
            self._step([sentences[n] for n in chosen], [labels[n] for n in chosen])
        return True

    def _step(
        self, sentences: Sequence[Pieces], labels: Sequence[tuple[int, Sequence[int]]]
    ) -> None:
        torch.manual_seed(1_000_003 * self.recipe.seed + self.step)
        batch = batch_of(sentences)
        intents, tags = _targets(batch, labels)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.bfloat16):
            intent_logits, tag_logits = self.model(*tensors(batch))
        intent_logits, tag_logits = intent_logits.float(), tag_logits.float()
        loss = self._loss(intent_logits, intents) + self._loss(tag_logits, tags)
        if self.recipe.l2:
            named = list(self.model.named_parameters())
            loss = loss + self.recipe.l2 * distance_to_start(named, self._start)
        self._optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self._optimizer.step()
        self._schedule.step()
        self.step += 1
        self.losses.append(float(loss.detach()))

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        if self.recipe.gce:
            return generalized_cross_entropy(logits, labels, self.recipe.gce)
        return cross_entropy(logits, labels)

    def state(self) -> dict[str, Any]:
        """What a later process continues from."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "step": self.step,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        self.model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        self.step = state["step"]


def _share_of_rate(recipe: Recipe, step: int) -> float:
    """Of the learning rate; no method, since a schedule that refers to its training keeps it."""
    warm = max(1, int(recipe.warmup * recipe.steps))
    return min((step + 1) / warm, max(0.0, 1 - step / (recipe.steps + 1)))


def new_training(
    weights: Path | None, intents: tuple[str, ...], tags: tuple[str, ...], recipe: Recipe
) -> Training:
    """A training at its first step; `weights` are the pretrained ones."""
    torch.manual_seed(recipe.seed)
    model = JointModel(len(intents), len(tags), recipe.dropout)
    if weights is not None:
        load_pretrained(model, weights)
    model.encoder.embeddings.word_embeddings.weight.requires_grad_(False)
    if recipe.mixout:
        use_mixout(model.encoder, recipe.mixout)
    return Training(model, recipe, intents, tags)


def prepare(
    utterances: Sequence[Utterance],
    cutter: PieceCutter,
    intents: tuple[str, ...],
    tags: tuple[str, ...],
) -> tuple[list[Pieces], list[tuple[int, list[int]]]]:
    """Sentences and labels as `Training.run` takes them; unknown slots count as outside."""
    sentences = [cutter.cut(utterance.text) for utterance in utterances]
    labels = []
    for sentence, utterance in zip(sentences, utterances, strict=True):
        words = tags_of_slots(sentence.words, utterance.slots)
        numbers = [tags.index(tag if tag in tags else OUTSIDE) for tag in words]
        labels.append((intents.index(utterance.intent), numbers))
    return sentences, labels


def _batches(
    count: int, sentences: Sequence[Pieces], recipe: Recipe, done: int
) -> "list[list[int]]":
    """The batches of the steps from `done` on; the same in every process."""
    rng = random.Random(recipe.seed)
    batches: list[list[int]] = []
    while len(batches) < recipe.steps:
        order = list(range(count))
        rng.shuffle(order)
        pool = recipe.batch * _POOL
        for at in range(0, count, pool):
            together = sorted(order[at : at + pool], key=lambda n: len(sentences[n].ids))
            cut = [
                together[start : start + recipe.batch]
                for start in range(0, len(together), recipe.batch)
            ]
            rng.shuffle(cut)
            batches += cut
    return batches[done : recipe.steps]


def _targets(batch: Batch, labels: Sequence[tuple[int, Sequence[int]]]) -> tuple[Tensor, Tensor]:
    tags = np.full(batch.firsts.shape, IGNORED, np.int64)
    for row, (_, own) in enumerate(labels):
        tags[row, : len(own)] = own
    return torch.tensor([intent for intent, _ in labels]), torch.from_numpy(tags)


def tensors(batch: Batch) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The arrays of a batch, as the model takes them."""
    arrays = (batch.ids, batch.mask, batch.firsts, batch.forms)
    ids, mask, firsts, forms = (torch.from_numpy(array) for array in arrays)
    return ids, mask, firsts, forms
