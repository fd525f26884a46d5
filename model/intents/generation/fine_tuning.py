"""A small language model fine-tuned on augmented utterances, which then writes more of them.

The generator of "Joint text and label generation" (Li et al. 2021, arXiv 2105.05052): trained on
the few examples of all intents, it writes a sentence and its labels as one string. Needs the extra
`train`.
"""

import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from midline.model.intents.encoder.losses import IGNORED, cross_entropy
from midline.model.intents.generation.writer import Writer
from midline.model.intents.utterance import Utterance, write_augmented
from midline.model.tokenizer.base import TokenizerBase
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf
from midline.model.weights.transformers_model import load_in_transformers


@dataclass(frozen=True)
class Recipe:
    """How the model is fine-tuned: AdamW on whole strings, the rate falling linearly to zero.

    bfloat16: compute products in it, weights stay float32.
    """

    epochs: int = 5
    batch: int = 8
    rate: float = 3e-4
    bfloat16: bool = True


@dataclass(frozen=True)
class FineTunedGenerator(Writer):
    """A fine-tuned model; it needs no examples. `name` tells of which model it was made."""

    model: Any
    tokenizer: TokenizerBase
    name: str

    def lines(
        self,
        examples: Mapping[str, Sequence[Utterance]],
        seed: int,
        on_intent: Callable[[str, list[str]], None],
    ) -> None:
        """The lines of `Writer.lines`; of `examples` only the names of the intents are read."""
        for intent in examples:
            digest = hashlib.sha256(f"{seed} {intent}".encode()).digest()
            torch.manual_seed(int.from_bytes(digest[:4], "little"))
            on_intent(intent, self._lines(f"(({intent}))"))

    def _lines(self, head: str) -> list[str]:
        line_break = self.tokenizer.encode("\n")
        prompt = torch.tensor([[*line_break, *self.tokenizer.encode(head)]])
        drawn = self.model.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            do_sample=True,
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=0,
            max_new_tokens=self.max_tokens,
            num_return_sequences=self.samples,
            eos_token_id=line_break[-1],
            pad_token_id=line_break[-1],
        )
        texts = [self.tokenizer.decode(row) for row in drawn[:, prompt.shape[1] :].tolist()]
        return [f"{head} {text.partition(chr(10))[0].strip()}" for text in texts]


def fine_tune(
    path: Path, utterances: Sequence[Utterance], recipe: Recipe, seed: int
) -> FineTunedGenerator:
    """The model of a GGUF file, trained on `utterances`; the same seed gives the same one.

    Raises ModelFileError for an architecture that transformers is not given here.
    """
    torch.manual_seed(seed)
    tokenizer = Tokenizer.from_gguf(read_gguf(path))
    model = load_in_transformers(path).train()
    rows = [_ids(tokenizer, utterance) for utterance in utterances]
    batches = _batches(rows, recipe, seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.rate, weight_decay=0.0, fused=True)
    for step, batch in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate * (1 - step / len(batches))
        loss = _loss(model, batch, recipe.bfloat16)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    precision = torch.bfloat16 if recipe.bfloat16 else torch.float32
    return FineTunedGenerator(model.to(precision).eval(), tokenizer, path.stem)


def _ids(tokenizer: TokenizerBase, utterance: Utterance) -> list[int]:
    """Line breaks are encoded by themselves: some vocabularies join one with a bracket."""
    line_break = tokenizer.encode("\n")
    return [*line_break, *tokenizer.encode(write_augmented(utterance)), *line_break]


def _batches(rows: Sequence[list[int]], recipe: Recipe, seed: int) -> list[list[list[int]]]:
    rng = random.Random(seed)
    batches = []
    for _ in range(recipe.epochs):
        order = rng.sample(range(len(rows)), len(rows))
        batches += [order[at : at + recipe.batch] for at in range(0, len(order), recipe.batch)]
    return [[rows[n] for n in batch] for batch in batches]


def _loss(model: Any, rows: Sequence[list[int]], bfloat16: bool) -> Tensor:
    width = max(map(len, rows))
    labels = torch.tensor([row + [IGNORED] * (width - len(row)) for row in rows])
    ids = labels.clamp_min(0)
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        logits = model(ids, attention_mask=(labels != IGNORED).long()).logits.float()
    return cross_entropy(logits[:, :-1], labels[:, 1:])
