"""Calibration: text that is refused, levels that skip what was asked for at less error."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from engine_models import engine

from midline.model.compression import teal_calibration as calibration
from midline.model.compression.activation_statistics import GRID, Curves
from midline.model.compression.teal_calibration import allocate, measure, read_text, windows
from midline.model.engines.native.engine import NativeEngine
from midline.model.errors import UsageError
from midline.model.runtime.decoder import StepOptions
from midline.model.runtime.kv_cache import Sequence

CODE = "def value(self, index):\n    return self.items[index] + len(self.items)\n"


@pytest.fixture
def model(
    variants: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> NativeEngine:
    found = engine(variants("qwen2"))
    monkeypatch.setenv("MIDLINE_HOME", str(tmp_path / "home"))
    return found


def test_text_of_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "b.py").write_text("second")
    (tmp_path / "a.py").write_text("first")
    (tmp_path / "sub" / "c.bin").write_bytes(b"\x00\x01")
    (tmp_path / "sub" / "d.txt").write_bytes("drei ü".encode())
    assert read_text([tmp_path]) == "first\nsecond\ndrei ü"
    assert read_text([tmp_path / "b.py", tmp_path / "a.py"]) == "second\nfirst"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no text; calibration needs at least 1024 tokens, about 4 KB of code"),
        (b" \n\n", "holds no text"),
        (b"abc\x00def", "is binary"),
        (b"\xff\xfe\xfd", "is binary"),
    ],
)
def test_text_that_is_none_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "x.py"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        read_text([path])


def test_missing_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        read_text([tmp_path / "nowhere"])


def test_short_text_is_refused(model: NativeEngine) -> None:
    with pytest.raises(UsageError, match=r"has \d+ tokens .* needs at least 1024 tokens"):
        windows(model, CODE * 5)


def test_windows_come_from_all_over_the_text(model: NativeEngine) -> None:
    text = "".join(f"{i:06}\n" for i in range(9000))
    found = windows(model, text)
    assert len(found) == calibration.WINDOWS
    assert all(len(ids) == calibration.WINDOW_TOKENS for ids in found)
    starts = [int(model.tokenizer.decode(ids).split("\n")[1]) for ids in found]
    assert np.diff(starts).min() > 500 and starts[-1] > 8000


def test_measured_profiles_skip_what_they_say(
    model: NativeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[str, float]] = []
    text = "".join(f"{CODE}value_{i} = {i}\n" for i in range(200))
    measured = measure(model, text, "made up", lambda *said: heard.append(said))
    assert {what for what, share in heard if share == 1.0} == {
        "measuring magnitudes",
        "probing layers",
    }
    assert (measured.sensitivity > 0).all()
    for criterion in ("magnitude", "weighted"):
        profile = measured.profile(0.5, "uniform", criterion)
        options = StepOptions(thresholds=model.decoder.thresholds(profile))
        sequence = Sequence(sparse_from=0)
        ids = model.tokenizer.encode(text)[3000:3200]
        kept = (model.decoder.activations(sequence, ids, options) != 0).mean()
        model.release(sequence)
        assert kept == pytest.approx(0.5, abs=0.08)
    kept = measured.profile(0.4, "uniform", "weighted", ["out", "qkv"])
    assert all(row[0] is row[1] is None and row[2] > 0 < row[3] for row in kept.thresholds)
    with pytest.raises(UsageError, match="with gate_up, down dense at most 0"):
        measured.profile(0.5, "greedy", "weighted", ["gate_up", "down"])
    greedy = measured.profile(0.4, "greedy", "weighted")
    assert greedy.calibration.description == "made up"
    assert greedy.calibration.tokens == calibration.WINDOWS * calibration.WINDOW_TOKENS
    monkeypatch.setattr(calibration, "_measure", None)  # what is measured is not measured again
    assert measure(model, text, "made up").profile(0.4, "greedy", "weighted") == greedy


def test_a_damaged_measurement_is_made_again(
    model: NativeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "".join(f"{CODE}value_{i} = {i}\n" for i in range(200))
    measure(model, text, "made up")
    path = next((tmp_path / "home" / "profiles").glob("*.npz"))
    whole = path.read_bytes()
    calls: list[int] = []

    def fail(*arguments: object) -> None:
        calls.append(1)
        raise UsageError("measured again")

    monkeypatch.setattr(calibration, "_measure", fail)
    for damage in (whole[:1000], b"", b"no archive"):
        path.write_bytes(damage)
        with pytest.raises(UsageError, match="measured again"):
            measure(model, text, "made up")
    assert len(calls) == 3


def test_allocation_skips_the_bytes_asked_for_at_the_least_error() -> None:
    rng = np.random.default_rng(2)
    shape = (3, 4)
    sizes = rng.uniform(1, 9, shape)
    sensitivity = rng.uniform(0.1, 5, shape)
    power = rng.uniform(2, 4, shape)[..., None]
    curves = Curves(np.tile(GRID, (*shape, 1)), GRID**power)
    for level in (0.25, 0.5, 0.6):
        found = allocate(curves, sensitivity, sizes, level)
        assert (found * sizes).sum() / sizes.sum() == pytest.approx(level, abs=1e-6)
        assert found.min() >= 0 and found.max() <= GRID[-1] + 1e-9
        error = (sensitivity * curves.energy_at(found)).sum()
        uniform = (sensitivity * curves.energy_at(np.full(shape, level))).sum()
        assert error < 0.95 * uniform
        # At the optimum of convex errors all inputs gain the same by the same bytes.
        slope = sensitivity * power[..., 0] * found ** (power[..., 0] - 1) / sizes
        inner = (found > 0.02) & (found < 0.94)
        assert slope[inner].max() / slope[inner].min() < 1.3
