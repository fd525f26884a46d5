"""Zoom-in selection in small: is a closer look at a few places worth its tokens?

A screen of 288 x 288 pixels is full of digits, and in each quarter one of them has a frame around
it: which digits are these? At a sixth of its size the screen shows where frames are, but no digit.
An encoder of crops is trained to name digits and frames in crops of all steps, and frozen. For each
arm a reader of its tokens is trained to answer. Every reader gets 81 tokens; the encoder's
operations are counted beside it. Screens are new at the test, fonts are not. This reproduces the
mechanism of Dragonfly (arXiv 2406.00977), not its model.

The rule, stated before the first run: where native tiles answer as many digits right as the best
ladder that can be had without knowing the answer (top-k or pooled), by a paired difference whose
95% interval does not lie above zero, the ladder is not used, and that is said.

examples:
  midline-bench quality zoom --fonts FONTS --json zoom.json
  midline-bench quality zoom --minutes 2 --screens 200 --seeds 1
"""

import argparse
import json
import math
import random
import shlex
import sys
import time
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.mbxp.statistics import Z95
from midline.benchmarks.outputs import output_file
from midline.benchmarks.quality.screenshots.fonts import HELD_OUT, font_folder, measured_fonts
from midline.benchmarks.quality.zoom.arms import (
    CROPS_ENCODED,
    best_of,
    inside,
    oracle,
    raster_slice,
    tokens_of,
)
from midline.benchmarks.quality.zoom.network import (
    PATCH,
    SIDE_TOKENS,
    Encoder,
    Reader,
)
from midline.benchmarks.quality.zoom.screens import (
    CELL,
    CLASSES,
    CROP,
    DIGITS,
    SIDE,
    Screen,
    draw_screen,
    ladder,
    resized,
)

BATCH = 64
READER_RATE = 3e-3
IGNORED = -100


Scores: TypeAlias = list[list[list[int]]]
"""1 for each right answer: [seeds, screens, answers]."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the budget and the output."""
    add = parser.add_argument
    add("--fonts", type=Path, metavar="DIR", help="where the fonts are (MIDLINE_FONTS)")
    add(
        "--minutes", type=float, default=6, metavar="N", help="processor minutes of the encoder (6)"
    )
    add("--screens", type=int, default=2400, metavar="N", help="screens to train readers on (2400)")
    add("--epochs", type=int, default=12, metavar="N", help="passes of each reader (12)")
    add("--seeds", type=int, default=3, metavar="N", help="readers of each arm (3)")
    add("--work", type=Path, metavar="DIR", help="keep what is done here, and continue from it")
    add("--json", type=output_file, metavar="FILE", help="write the figures here")


def run(args: argparse.Namespace) -> int:
    """Train the encoder, cache its tokens, train a reader for each arm and seed, and compare."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    fonts = [p for n, p in measured_fonts(font_folder(args.fonts)).items() if n != HELD_OUT]
    if args.work:
        args.work.mkdir(parents=True, exist_ok=True)
    encoder, right = trained_encoder(fonts, args.minutes, args.work)
    rng = random.Random(1)
    screens = [draw_screen(rng, fonts) for _ in range(args.screens + args.screens // 4)]
    features = [encoded(encoder, screen) for screen in screens]
    scores: dict[str, Scores] = {}
    for arm in CROPS_ENCODED:
        kept = args.work / f"{arm.replace(', ', '-').replace(' ', '-')}.json" if args.work else None
        if kept and kept.exists():
            scores[arm] = json.loads(kept.read_text("utf-8"))
            continue
        data = arm_data(arm, features, screens)
        runs = [read_arm(data, args.screens, args.epochs, seed) for seed in range(args.seeds)]
        scores[arm] = [r.astype(int).tolist() for r in runs]
        if kept:
            kept.write_text(json.dumps(scores[arm]), "utf-8")
        print(f"{arm}: {np.mean(scores[arm]):.3f}", file=sys.stderr, flush=True)
    result = summary(scores, encoder, right)
    result["command"] = f"midline-bench {shlex.join(sys.argv[1:])}"
    print(json.dumps(result, indent=1))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    return 0


def _random_crop(rng: random.Random, screen: Screen) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A crop of one of the three steps; for each patch of it, what is in its middle, and whether
    a frame is in it. Digits are not asked for at the lowest step: they cannot be seen there.
    """
    scale = rng.choice((1, 1, 1, 3, 3, 6))
    pixels = screen.pixels if scale == 1 else resized(screen.pixels, SIDE // scale)
    x, y = (rng.randint(0, pixels.shape[0] // CROP - 1) * CROP for _ in range(2))
    rows, columns = (slice(at * scale, (at + CROP) * scale) for at in (y, x))
    cells = screen.cells.repeat(CELL, 0).repeat(CELL, 1)[rows, columns]
    size = PATCH * scale
    names = cells[size // 2 :: size, size // 2 :: size].flatten()
    framed = (cells > len(DIGITS)).reshape(SIDE_TOKENS, size, SIDE_TOKENS, size).any(axis=(1, 3))
    if scale == 6:
        names = np.full_like(names, IGNORED)
    return pixels[y : y + CROP, x : x + CROP], names, framed.flatten()


def trained_encoder(fonts: list[Path], minutes: float, work: Path | None) -> tuple[Encoder, float]:
    """An encoder that names digits and sees frames, and the share of digits it names right at the
    end, in crops of the screen and of the middle step."""
    rng, encoder = random.Random(0), Encoder()
    optimizer = torch.optim.AdamW(encoder.parameters(), lr=2e-3)
    pool = [draw_screen(rng, fonts) for _ in range(300)]
    spent, recent = 0.0, [0.0]
    kept = work / "encoder.pt" if work else None
    if kept and kept.exists():
        state = torch.load(kept, weights_only=True)
        encoder.load_state_dict(state["encoder"])
        optimizer.load_state_dict(state["optimizer"])
        spent, recent = state["seconds"], state["recent"]
    began = saved = time.process_time() - spent
    while (share := (time.process_time() - began) / (60 * minutes)) < 1:
        pool[rng.randrange(len(pool))] = draw_screen(rng, fonts)
        examples = [_random_crop(rng, rng.choice(pool)) for _ in range(BATCH)]
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * (0.02 + 0.49 * (1 + math.cos(math.pi * share)))
        recent = [*recent[-50:], _encoder_step(encoder, optimizer, examples)]
        if kept and time.process_time() - saved > 15:
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
    """One step; the share of digits named right."""
    crops, names, framed = (
        torch.from_numpy(np.stack(side)) for side in zip(*examples, strict=True)
    )
    logits, frames = encoder.told(encoder(crops))
    flat, target = logits.reshape(-1, CLASSES), names.flatten()
    loss = torch.nn.functional.cross_entropy(flat, target, ignore_index=IGNORED)
    loss = loss + torch.nn.functional.binary_cross_entropy_with_logits(frames, framed.float())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    inked = target > 0
    return float((flat.argmax(-1) == target)[inked].float().mean())


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
def encoded(encoder: Encoder, screen: Screen) -> Tensor:
    """The tokens of all crops of a screen [41, 36, 96]."""
    return encoder(torch.from_numpy(ladder(screen.pixels))).half()


def arm_data(
    arm: str, features: list[Tensor], screens: list[Screen]
) -> tuple[Tensor, Tensor, Tensor]:
    """Tokens, places and answers of all screens in an arm."""
    rng, rows = random.Random(2), []
    for half, screen in zip(features, screens, strict=True):
        tokens = half.float()
        chosen = [rng.choice(inside(region)) for region in range(4)]
        if arm == "top-k, contained":
            chosen = best_of(tokens, inside)
        elif arm == "top-k, raster slices":
            chosen = best_of(tokens, raster_slice)
        elif arm == "oracle k":
            chosen = oracle(screen.places)
        rows.append(tokens_of(arm, tokens, chosen))
    tokens, places = (torch.stack(side) for side in zip(*rows, strict=True))
    return tokens, places, torch.tensor([screen.labels for screen in screens])


def read_arm(data: tuple[Tensor, Tensor, Tensor], count: int, epochs: int, seed: int) -> np.ndarray:
    """Train a reader on the first `count` screens; which answers on the others are right, as
    [screens, answers]."""
    torch.manual_seed(seed)
    tokens, places, labels = data
    reader = Reader()
    optimizer = torch.optim.AdamW(reader.parameters(), lr=READER_RATE)
    steps, done = epochs * (count // BATCH), 0
    for _ in range(epochs):
        order = torch.randperm(count)
        for start in range(0, count - BATCH + 1, BATCH):
            batch = order[start : start + BATCH]
            for group in optimizer.param_groups:
                group["lr"] = READER_RATE * min(1, done / 50 + 0.02) * (1 - done / (steps + 1))
            logits = reader(tokens[batch], places[batch])
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels[batch].flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            done += 1
    with torch.no_grad():
        logits = reader.eval()(tokens[count:], places[count:])
    return np.asarray(logits.argmax(-1) == labels[count:])


def summary(scores: dict[str, Scores], encoder: Encoder, right: float) -> dict[str, Any]:
    """Shares of right answers by arm with their spread over seeds, and the rule's verdict."""
    means = {arm: np.mean(runs, axis=(0, 2)) for arm, runs in scores.items()}
    rows = [
        {
            "arm": arm,
            "right": float(np.mean(runs)),
            "interval": _interval(means[arm]),
            "by_seed": [round(float(np.mean(r)), 4) for r in runs],
            "encoder_gflops": CROPS_ENCODED[arm] * encoder.flops() / 1e9,
        }
        for arm, runs in scores.items()
    ]
    rivals = ["ladder, pooled", "top-k, contained"]
    best = max(rivals, key=lambda arm: float(np.mean(scores[arm])))
    differences = means[best] - means["native tiles"]
    interval = _interval(differences)
    return {
        "benchmark": "zoom",
        "machine": describe_machine(),
        "versions": describe_versions(),
        "reader_tokens": 81,
        "digits_named_right": right,
        "rows": rows,
        "best_ladder": best,
        "ladder_minus_native": {
            "screens": len(differences),
            "difference": round(float(differences.mean()), 4),
            "interval": interval,
        },
        "ladder_is_used": interval[0] > 0,
    }


def _interval(values: np.ndarray) -> list[float]:
    """The interval of 95% of a mean over screens, by the normal distribution."""
    half = Z95 * values.std() / np.sqrt(len(values))
    return [round(float(values.mean() - half), 4), round(float(values.mean() + half), 4)]
