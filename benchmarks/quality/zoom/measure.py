"""Zoom-in selection in small: is a closer look at a few places worth its tokens?

A screen of 192 x 192 pixels has a code of two digits in each quarter, among shapes: which codes are
these? A crop has 48 x 48 pixels. The lowest step is the whole screen in one, the middle step a
quarter; there a code has a few pixels, and its digits are hard to tell. The high step enlarges
the screen to 36 crops, 9 in each quarter; native tiles are the 16 crops of the screen as it is. A
convolutional encoder is trained to name the code in crops of all steps from tokens that are pooled
as in the arms, and frozen. For each arm a reader of its tokens is trained to name all four codes.
Every reader gets 57 tokens; the encoder's operations are counted beside it. Screens are new at the
test, fonts are not. This reproduces the mechanism of Dragonfly (arXiv 2406.00977), not its model.

Rules, stated before the first run. No arm is judged unless the oracle, which is shown the right
crops, reads more than 90% of the codes. Where native tiles do as well as the best ladder that can
be had without knowing the answer, by a paired difference whose 95% interval does not lie above
zero, the ladder is not used, and that is said. How faint the codes are, and the length of the
training, were set in a pilot of one reader on other screens, in which the scores of the oracle, of
native tiles and of two kinds of the ladder were seen.

examples:
  midline-bench quality zoom --fonts FONTS --work build/zoom --json zoom.json
  midline-bench quality zoom --minutes 2 --screens 500 --seeds 1
"""

import argparse
import json
import random
import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.outputs import output_file
from midline.benchmarks.quality.screenshots.fonts import HELD_OUT, font_folder, measured_fonts
from midline.benchmarks.quality.zoom.arms import (
    CROPS_ENCODED,
    Features,
    arm_tokens,
    chosen_crops,
    joined,
    shown,
)
from midline.benchmarks.quality.zoom.network import Encoder
from midline.benchmarks.quality.zoom.screens import Screen, draw_screen
from midline.benchmarks.quality.zoom.summary import ORACLE, Right, is_judged, summary
from midline.benchmarks.quality.zoom.training import encoded, read_arm, train_encoder
from midline.model.errors import UsageError

TESTED = 1000
PART = 250
"""Screens whose tokens are kept together."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the budget and the output."""
    add = parser.add_argument
    add("--fonts", type=Path, metavar="DIR", help="where the fonts are (MIDLINE_FONTS)")
    add("--minutes", type=float, default=3, metavar="N", help="minutes of the encoder (3)")
    add("--screens", type=int, default=1600, metavar="N", help="screens to train readers on (1600)")
    add("--epochs", type=int, default=10, metavar="N", help="passes of each reader (10)")
    add("--seeds", type=int, default=3, metavar="N", help="readers of each arm (3)")
    add("--work", type=Path, metavar="DIR", help="keep what is done here, and continue from it")
    add("--json", type=output_file, metavar="FILE", help="write the figures here")


def run(args: argparse.Namespace) -> int:
    """Train the encoder, keep its tokens, train a reader for each arm and seed, and compare."""
    if min(args.screens, args.seeds, args.epochs) < 1:
        raise UsageError("--screens, --seeds and --epochs need at least 1")
    torch.set_num_threads(1)
    if args.work:
        args.work.mkdir(parents=True, exist_ok=True)
    features, codes, named = _prepared(args)
    right: dict[str, Right] = {}
    selected: dict[str, float] = {}
    for arm in CROPS_ENCODED:
        right[arm] = _arm(arm, features, codes, args)
        print(f"{arm}: {right[arm].mean():.3f}", file=sys.stderr, flush=True)
        chosen = chosen_crops(arm, features)
        if chosen is not None:
            selected[arm] = shown(chosen[args.screens :], features.truth[args.screens :])
        if arm == ORACLE and not is_judged(right[arm]):
            break
    result = {
        "benchmark": "zoom",
        "machine": describe_machine(),
        "versions": describe_versions(),
        "command": f"midline-bench {shlex.join(sys.argv[1:])}",
        "mechanism_only": True,
        "screens": {"trained": args.screens, "tested": TESTED},
        "digits_named_by_encoder": round(named, 4),
        **summary(right, selected),
    }
    print(json.dumps(result, indent=1))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    return 0


def _prepared(args: argparse.Namespace) -> tuple[Features, Tensor, float]:
    """The encoder's tokens and the codes of all screens; how many digits it names right."""
    fonts = [p for n, p in measured_fonts(font_folder(args.fonts)).items() if n != HELD_OUT]
    kept = args.work / "encoder.pt" if args.work else None
    encoder, named = train_encoder(fonts, args.minutes, kept)
    parts, codes = [], []
    for start in range(0, args.screens + TESTED, PART):
        numbers = range(start, min(start + PART, args.screens + TESTED))
        screens = [draw_screen(random.Random(f"screen {n}"), fonts) for n in numbers]
        codes += [screen.codes for screen in screens]
        parts.append(_encoded_part(encoder, screens, args.work, numbers))
    return joined(parts), torch.tensor(codes), named


def _encoded_part(
    encoder: Encoder, screens: list[Screen], work: Path | None, numbers: range
) -> Features:
    """The tokens of some screens, from the work folder if they are there."""
    kept = work / f"tokens.{numbers.start}-{numbers.stop}.pt" if work else None
    if kept and kept.exists():
        return Features(**torch.load(kept, weights_only=True))
    found = encoded(encoder, screens)
    if kept:
        torch.save(asdict(found), kept.with_suffix(".part"))
        kept.with_suffix(".part").replace(kept)
    return found


def _arm(arm: str, features: Features, codes: Tensor, args: argparse.Namespace) -> Right:
    """The share of codes read right in each screen of the test, [seeds, screens]."""
    data: tuple[Tensor, Tensor, Tensor] | None = None
    runs: list[Any] = []
    for seed in range(args.seeds):
        name = f"{arm.replace(' ', '-')}.{seed}.json"
        kept = args.work / name if args.work else None
        if kept and kept.exists():
            runs.append(json.loads(kept.read_text("utf-8")))
            continue
        data = data or (*arm_tokens(arm, features), codes)
        runs.append(read_arm(data, args.screens, args.epochs, seed).astype(int).tolist())
        if kept:
            kept.write_text(json.dumps(runs[-1]), "utf-8")
    return np.asarray(runs, np.float64).mean(axis=2)
