"""Training of the recognizer on drawn lines; it continues from its checkpoint after a kill."""

import argparse
import math
import random
import sys
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from midline.benchmarks.quality.screenshots.fonts import font_folder, training_fonts
from midline.benchmarks.quality.screenshots.recognizer_network import Recognizer, export
from midline.benchmarks.quality.screenshots.training_lines import IGNORED, example
from midline.model.vision.alphabet import CLASSES

BATCH = 24
PEAK_RATE = 3e-3
MEAN_DECAY = 0.995
"""How much of the weights' running mean stays at a step; the mean is what is exported."""


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


@dataclass
class Progress:
    """Steps done, and processor seconds spent, in all calls together."""

    steps: int = 0
    seconds: float = 0.0


class Training:
    """A network, its optimizer and the running mean of its weights, kept in a folder."""

    def __init__(self, folder: Path) -> None:
        self.checkpoint = folder / "checkpoint.pt"
        self.network = Recognizer().to(memory_format=torch.channels_last)
        self.mean = AveragedModel(
            self.network, multi_avg_fn=get_ema_multi_avg_fn(MEAN_DECAY), use_buffers=True
        )
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=PEAK_RATE, weight_decay=0.01
        )
        self.progress = Progress()
        if self.checkpoint.exists():
            self._restore(torch.load(self.checkpoint, weights_only=True))

    def _restore(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.mean.load_state_dict(state["mean"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.progress = Progress(state["steps"], state["seconds"])

    def save(self) -> None:
        """Write the checkpoint, whole or not at all."""
        state = {
            "network": self.network.state_dict(),
            "mean": self.mean.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "steps": self.progress.steps,
            "seconds": self.progress.seconds,
        }
        partial = self.checkpoint.with_suffix(".part")
        torch.save(state, partial)
        partial.replace(self.checkpoint)

    def step(self, images: Tensor, targets: Tensor, rate: float) -> tuple[float, float]:
        """One step at a learning rate: the loss, and the share of characters named right."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.network.train()
        with torch.autocast("cpu", torch.bfloat16):
            logits = self.network(images)
        flat, wanted = logits.float().reshape(-1, CLASSES), targets.reshape(-1)
        loss = nn.functional.cross_entropy(flat, wanted, ignore_index=IGNORED)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.mean.update_parameters(self.network)
        self.progress.steps += 1
        is_glyph = wanted > 0
        return loss.item(), float((flat.argmax(-1) == wanted)[is_glyph].float().mean())


def train(folder: Path, fonts_at: Path, minutes: float) -> Path:
    """Train for so many processor minutes in all, of all calls together; the ONNX file's path."""
    torch.set_num_threads(1)
    fonts, lines = training_fonts(fonts_at), code_lines()
    training = Training(folder)
    progress, path = training.progress, folder / "recognizer.onnx"
    rng = random.Random(progress.steps)
    began = time.process_time() - progress.seconds
    told, recent = 0.0, []
    while (share := progress.seconds / (60 * minutes)) < 1:
        images, targets = batch(rng, fonts, lines)
        warm = min(1.0, (progress.steps + 1) / 100)
        rate = PEAK_RATE * warm * (0.5 + 0.5 * math.cos(math.pi * share)) + 1e-5
        recent.append(training.step(images, targets, rate))
        progress.seconds = time.process_time() - began
        if progress.seconds - told > 20:
            told = progress.seconds
            loss, right = np.mean(recent, axis=0)
            recent = []
            print(
                f"step {progress.steps}, {told:.0f} s: loss {loss:.4f}, "
                f"characters right {right:.4f}",
                file=sys.stderr,
                flush=True,
            )
            training.save()
            export(training.mean.module, str(folder / "partial.onnx"))
    training.save()
    export(training.mean.module, str(path))
    return path


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fonts", type=Path)
    parser.add_argument("--minutes", type=float, default=25)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    train(given.folder, font_folder(given.fonts), given.minutes)
