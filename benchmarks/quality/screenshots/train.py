"""Training of the recognizer on drawn lines; it continues from its checkpoint after a kill."""

import argparse
import math
import random
import sys
import sysconfig
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from midline.benchmarks.quality.screenshots.fonts import font_folder, training_fonts
from midline.benchmarks.quality.screenshots.recognizer_network import Recognizer, export
from midline.benchmarks.quality.screenshots.training_lines import IGNORED, example
from midline.model.vision.alphabet import CLASSES

BATCH = 24
PEAK_RATE = 3e-3


def code_lines() -> list[str]:
    """Lines of the standard library, of 4 to 100 characters."""
    folder = Path(sysconfig.get_paths()["stdlib"])
    found: list[str] = []
    for path in sorted(folder.glob("*.py")) + sorted(folder.glob("asyncio/*.py")):
        text = path.read_text("utf-8", "replace")
        found += [line for line in text.splitlines() if len(line.strip()) >= 4 and len(line) <= 100]
    return found


def batch(
    rng: random.Random, fonts: list[Path], lines: list[str]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Images [BATCH, 24, 640] and classes [BATCH, 320]."""
    examples = [example(rng, fonts, lines) for _ in range(BATCH)]
    images, targets = zip(*examples, strict=True)
    return torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(targets))


def train(folder: Path, fonts_at: Path, minutes: float) -> Path:
    """Train for so many minutes in all, of all calls together; the path of the ONNX file."""
    torch.set_num_threads(1)
    fonts, lines = training_fonts(fonts_at), code_lines()
    network = Recognizer()
    optimizer = torch.optim.AdamW(network.parameters(), lr=PEAK_RATE, weight_decay=0.01)
    checkpoint, done, spent = folder / "checkpoint.pt", 0, 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        done, spent = state["steps"], state["seconds"]
    weights = torch.ones(CLASSES)
    loss_of = nn.CrossEntropyLoss(weight=weights, ignore_index=IGNORED)
    rng = random.Random(done)
    began = told = time.monotonic() - spent
    while (spent := time.monotonic() - began) < 60 * minutes:
        images, targets = batch(rng, fonts, lines)
        warm = min(1.0, (done + 1) / 100)
        for group in optimizer.param_groups:
            group["lr"] = (
                PEAK_RATE * warm * (0.5 + 0.5 * math.cos(math.pi * spent / (60 * minutes))) + 1e-5
            )
        network.train()
        logits = network(images)
        loss = loss_of(logits.reshape(-1, CLASSES), targets.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        done += 1
        if time.monotonic() - told > 20:
            told = time.monotonic()
            is_glyph = targets > 0
            right = float((logits.argmax(-1) == targets)[is_glyph].float().mean())
            print(
                f"step {done}: loss {loss.item():.4f}, characters right {right:.4f}",
                file=sys.stderr,
                flush=True,
            )
            _save(checkpoint, network, optimizer, (done, spent))
            export(network, str(folder / "partial.onnx"))
    path = folder / "recognizer.onnx"
    export(network, str(path))
    return path


def _save(
    path: Path, network: nn.Module, optimizer: torch.optim.Optimizer, progress: tuple[int, float]
) -> None:
    state = {
        "network": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "steps": progress[0],
        "seconds": progress[1],
    }
    partial = path.with_suffix(".part")
    torch.save(state, partial)
    partial.replace(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fonts", type=Path)
    parser.add_argument("--minutes", type=float, default=25)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    train(given.folder, font_folder(given.fonts), given.minutes)
