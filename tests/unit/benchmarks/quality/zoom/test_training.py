"""The reader learns what its tokens tell, and the encoder's training is continued."""

import math
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import ImageFont

from midline.benchmarks.quality.zoom import screens
from midline.benchmarks.quality.zoom.arms import arm_tokens
from midline.benchmarks.quality.zoom.network import SLOTS, WIDTH, Encoder
from midline.benchmarks.quality.zoom.screens import CODE, DIGITS, QUARTERS
from midline.benchmarks.quality.zoom.training import encoded, read_arm, train_encoder


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


def test_a_reader_reads_tokens_that_tell_the_codes() -> None:
    """Tokens that hold the digits of quarter q in slot q; the others are noise."""
    count, trained = 256, 192
    codes = torch.randint(len(DIGITS), (count, QUARTERS, CODE))
    tokens = torch.randn(count, SLOTS, WIDTH) * 0.1
    for digit in range(CODE):
        place = 10 * digit + codes[..., digit]
        tokens[:, :QUARTERS].scatter_add_(2, place[..., None], torch.full((count, 4, 1), 8.0))
    places = torch.rand(SLOTS, 3).expand(count, -1, -1)
    right = read_arm((tokens, places, codes), trained, 30, seed=0)
    assert right.shape == (count - trained, QUARTERS)
    assert right.mean() > 0.7
    shuffled = codes[torch.randperm(count)]
    assert read_arm((tokens, places, shuffled), trained, 1, seed=0).mean() < 0.2


def test_training_continues_from_what_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(screens, "_font", lambda path: ImageFont.load_default(10))
    kept = tmp_path / "encoder.pt"
    first, _ = train_encoder([tmp_path], 0.01, kept)
    assert torch.load(kept, weights_only=True)["seconds"] >= 0.6
    again, right = train_encoder([tmp_path], 0.01, kept)
    for name, values in first.state_dict().items():
        assert torch.equal(values, again.state_dict()[name])
    assert math.isfinite(right)


def test_every_screen_has_its_tokens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(screens, "_font", lambda path: ImageFont.load_default(10))
    drawn = [screens.draw_screen(random.Random(n), [tmp_path]) for n in range(3)]
    features = encoded(Encoder().eval(), drawn)
    assert features.high.shape == (3, 36, 9, WIDTH)
    assert features.truth.tolist() == [screens.crop_with_code(s, "high") for s in drawn]
    tokens, _ = arm_tokens("native tiles", features)
    assert tokens.shape == (3, SLOTS, WIDTH)
    assert bool(np.isfinite(tokens.float().numpy()).all())
