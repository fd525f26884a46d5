"""Training of the encoder on crops of all steps, and of a reader for each arm on kept tokens."""

import math
import random
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from midline.benchmarks.quality.zoom.arms import Features
from midline.benchmarks.quality.zoom.network import Encoder, Reader, pooled
from midline.benchmarks.quality.zoom.screens import (
    NONE,
    QUARTERS,
    STEPS,
    Screen,
    code_map,
    crop_labels,
    crop_with_code,
    crops,
    draw_screen,
)

SCREENS_A_STEP = 8
ENCODER_RATE, READER_RATE = 4e-3, 2e-3
BATCH = 64
_WITHOUT_CODE = 2
"""Crops without a code for each step of a screen, beside those with one."""
_IGNORED = -100


def _examples(rng: random.Random, screen: Screen) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Crops of all steps, what their codes are, and which tokens have a part of one in them.

    The crop of the lowest step has several codes, and is not asked for any.
    """
    found = []
    for step in STEPS:
        labels = crop_labels(screen, step)
        others = [n for n in range(len(labels)) if labels[n, 0] == NONE]
        numbers = sorted({*crop_with_code(screen, step)})
        numbers += rng.sample(others, min(_WITHOUT_CODE, len(others)))
        if step == "low":
            labels[:] = _IGNORED
        seen = code_map(screen, step)
        found.append((crops(screen.pixels, step)[numbers], labels[numbers], seen[numbers]))
    images, labels, seen = (np.concatenate(side) for side in zip(*found, strict=True))
    return images, labels, seen


def train_encoder(fonts: list[Path], minutes: float, kept: Path | None) -> tuple[Encoder, float]:
    """An encoder trained for `minutes` of the processor, continued from what is kept; the share of
    digits that it names right at the end, in crops of all steps but the lowest."""
    torch.manual_seed(0)
    rng, encoder = random.Random(0), Encoder()
    optimizer = torch.optim.AdamW(encoder.parameters(), lr=ENCODER_RATE)
    spent, recent = 0.0, [0.0]
    if kept and kept.exists():
        state = torch.load(kept, weights_only=True)
        encoder.load_state_dict(state["encoder"])
        optimizer.load_state_dict(state["optimizer"])
        spent, recent = state["seconds"], state["recent"]
        rng.seed(spent)
    began = saved = time.process_time() - spent
    while (share := (time.process_time() - began) / (60 * minutes)) < 1:
        for group in optimizer.param_groups:
            group["lr"] = ENCODER_RATE * (0.02 + 0.49 * (1 + math.cos(math.pi * share)))
        drawn = [_examples(rng, draw_screen(rng, fonts)) for _ in range(SCREENS_A_STEP)]
        recent = [*recent[-50:], _encoder_step(encoder, optimizer, drawn)]
        if kept and time.process_time() - saved > 5:
            saved = time.process_time()
            _keep(kept, encoder, optimizer, (saved - began, recent))
    if kept:
        _keep(kept, encoder, optimizer, (time.process_time() - began, recent))
    return encoder.eval(), float(np.mean(recent))


def _encoder_step(
    encoder: Encoder,
    optimizer: torch.optim.Optimizer,
    examples: list[tuple[np.ndarray, np.ndarray, np.ndarray]],
) -> float:
    """One step; the share of digits named right from nine tokens."""
    images, labels, seen = (
        torch.from_numpy(np.concatenate(side)) for side in zip(*examples, strict=True)
    )
    tokens = encoder(images)
    named = encoder.named(tokens)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(encoder.seen(tokens), seen.float())
    for logits in named:
        loss = loss + torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), labels.flatten(), ignore_index=_IGNORED
        )
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    asked = (labels != _IGNORED) & (labels != NONE)
    return float((named[2].argmax(-1) == labels)[asked].float().mean())


def _keep(
    path: Path,
    encoder: Encoder,
    optimizer: torch.optim.Optimizer,
    progress: tuple[float, list[float]],
) -> None:
    state = {
        "encoder": encoder.state_dict(),
        "optimizer": optimizer.state_dict(),
        "seconds": progress[0],
        "recent": progress[1],
    }
    torch.save(state, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)


@torch.no_grad()
def encoded(encoder: Encoder, screens: list[Screen]) -> Features:
    """The tokens of screens, in half precision."""
    rows = [_encoded(encoder, screen) for screen in screens]
    names = rows[0].keys()
    stacked = {name: torch.stack([row[name] for row in rows]) for name in names}
    truth = torch.tensor([crop_with_code(screen, "high") for screen in screens])
    return Features(truth=truth, **stacked)


def _encoded(encoder: Encoder, screen: Screen) -> dict[str, Tensor]:
    counts = [count**2 for count in STEPS.values()]
    images = np.concatenate([crops(screen.pixels, step) for step in STEPS])
    parts = encoder(torch.from_numpy(images)).split(counts)
    low, middle, high, native = parts
    found = {
        "low": low,
        "low_pooled": pooled(low, (3, 3)),
        "middle": pooled(middle, (3, 4)),
        "middle_pooled": pooled(middle, (1, 3)),
        "high": pooled(high, (3, 3)),
        "native": pooled(native, (1, 3)),
        "seen": encoder.seen(middle),
    }
    return {name: tokens.half() for name, tokens in found.items()}


def read_arm(data: tuple[Tensor, Tensor, Tensor], count: int, epochs: int, seed: int) -> np.ndarray:
    """Train a reader on the first `count` screens; which codes of the others are read right in all
    digits, [screens, QUARTERS].

    data: tokens and places of an arm, and codes [n, QUARTERS, CODE].
    """
    torch.manual_seed(seed)
    tokens, places, codes = data
    reader = Reader()
    optimizer = torch.optim.AdamW(reader.parameters(), lr=READER_RATE)
    steps, done = epochs * (count // BATCH), 0
    for _ in range(epochs):
        order = torch.randperm(count)
        for start in range(0, count - BATCH + 1, BATCH):
            batch = order[start : start + BATCH]
            for group in optimizer.param_groups:
                group["lr"] = READER_RATE * min(1, done / 30 + 0.02) * (1 - done / (steps + 1))
            logits = reader(tokens[batch].float(), places[batch])
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 2), codes[batch].flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            done += 1
    reader.eval()
    with torch.no_grad():
        tests = range(count, len(tokens), 4 * BATCH)
        parts = [(tokens[n : n + 4 * BATCH].float(), places[n : n + 4 * BATCH]) for n in tests]
        found = torch.cat([reader(*part).argmax(-1) for part in parts])
    right = (found == codes[count:]).all(dim=-1)
    assert right.shape[1] == QUARTERS
    return np.asarray(right)
