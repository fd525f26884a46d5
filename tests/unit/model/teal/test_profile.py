"""Sparse decode: profiles that are refused, and the same numbers whatever the company."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from engine_models import EXACT, changed, decoder, engine, random_ids, requests

from midline.model.engines.base import NativeOptions, Request, SamplingOptions
from midline.model.errors import UsageError
from midline.model.runtime.decoder import Decoder, Logits, StepOptions
from midline.model.runtime.kv_cache import Sequence
from midline.model.teal import profile as sparsity
from midline.model.teal.profile import (
    CalibrationText,
    Profile,
    ProfileError,
    find_profile,
    levels,
    read_profile,
    write_profile,
)
from midline.model.teal.thresholds import input_widths, per_channel
from midline.model.weights.packed import model_hash

TEXT = CalibrationText("noise", "ab" * 32, 2048)
SHA256 = "0123456789abcdef" * 4


def profile(layers: int, *row: float | None, **changes: object) -> Profile:
    """One of `layers` equal rows."""
    values = Profile("tiny", SHA256, 0.5, "magnitude", "uniform", (row,) * layers, TEXT)
    return replace(values, **changes)  # type: ignore[arg-type]


def run(model: Decoder, ids: list[int], cuts: list[int], options: StepOptions) -> Logits:
    """Logits of all `ids`, sparse from the fifth on, in pieces of these lengths."""
    sequence, at, parts = Sequence(sparse_from=5), 0, []
    for length in cuts:
        piece = [(sequence, ids[at : at + length])]
        parts.append(model.forward(piece, logits="all", options=options))
        at += length
    model.cache.finish(sequence, remember=False)
    return np.vstack(parts)


@pytest.mark.parametrize("criterion", ["magnitude", "weighted"])
@pytest.mark.parametrize("row", [(0.6, 0.1, 0.7, 0.05), (None, 0.1, None, 0.0)])
def test_one_row_and_many_are_the_same_to_the_bit(
    variant: Path,
    criterion: str,
    row: tuple[float | None, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MIDLINE_HOME", str(variant.parent))
    model = decoder(variant)
    found = profile(model.config.layers, *row, criterion=criterion)
    options = replace(EXACT, thresholds=model.thresholds(found))
    ids = random_ids(32, seed=9)
    alone = run(model, ids, [1] * 32, options)
    assert np.array_equal(alone, run(model, ids, [32], options))
    assert np.array_equal(alone, run(model, ids, [7, 1, 24], options))
    dense = run(model, ids, [32], EXACT)
    assert np.array_equal(alone[:5], dense[:5])
    assert not np.array_equal(alone[5:], dense[5:])


def test_activations_are_what_is_above_the_threshold(
    variants: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = variants("qwen2")
    monkeypatch.setenv("MIDLINE_HOME", str(path.parent))
    model = decoder(path)
    row = (0.6, 0.1, None, 0.02)
    options = replace(EXACT, thresholds=model.thresholds(profile(model.config.layers, *row)))
    ids, widths = random_ids(20), input_widths(model.config)
    plain, sparse = Sequence(), Sequence(sparse_from=0)
    everything, kept = model.activations(plain, ids), model.activations(sparse, ids, options)
    assert everything.shape == kept.shape == (20, model.config.layers, sum(widths))
    first = everything[:, 0, : widths[0]]
    truth = np.where(np.abs(first) <= np.float32(0.6), 0, first)
    np.testing.assert_array_equal(kept[:, 0, : widths[0]], truth)
    assert plain.tokens == sparse.tokens == ids
    for j, threshold in enumerate(row):
        part = kept[:, :, sum(widths[:j]) : sum(widths[: j + 1])]
        assert (np.abs(part[part != 0]) > (threshold or 0)).all()
        assert ((part == 0).mean() > 0.01) == (threshold is not None)


def test_prompts_together_are_sparse_as_alone_and_several_samples_dense(
    variants: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = variants("qwen2")
    monkeypatch.setenv("MIDLINE_HOME", str(path.parent))
    model = engine(path)
    own = profile(model.config.layers, 1.0, 1.0, 1.0, 1.0, model_sha256=model_hash(path))
    write_profile(own, path.parent / "profiles")
    prompts = [random_ids(30, seed=seed) for seed in range(3)]
    sparse = SamplingOptions(max_tokens=12, engine=NativeOptions(sparsity=0.5, exact=True))
    dense = changed(sparse, sparsity=0.0)
    ids = [c.ids for p in prompts for c in model.generate(Request(p), sparse).completions]
    other = [c.ids for p in prompts for c in model.generate(Request(p), dense).completions]
    assert ids != other and [i[:4] for i in ids] == [i[:4] for i in other]
    together = [c.ids for g in model.batch(requests(prompts), sparse) for c in g.completions]
    assert together == ids
    several = replace(sparse, samples=3, temperature=1.0)
    drawn = (
        model.generate(Request(prompts[0]), several),
        model.generate(Request(prompts[0]), changed(several, sparsity=0.0)),
    )
    assert [c.ids for c in drawn[0].completions] == [c.ids for c in drawn[1].completions]


def test_sparse_keys_and_values_are_not_remembered(
    variants: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = variants("llama")
    monkeypatch.setenv("MIDLINE_HOME", str(path.parent))
    model = decoder(path)
    options = replace(
        EXACT, thresholds=model.thresholds(profile(model.config.layers, 1.0, 1.0, 1.0, 1.0))
    )
    ids = random_ids(60)
    sequence = Sequence(sparse_from=41)
    model.forward([(sequence, ids[:30])], options=options)
    model.forward([(sequence, ids[30:60])], options=options)
    model.cache.finish(sequence)
    assert model.cache.known([*ids, 0]) == 41


def test_a_profile_comes_back_from_its_file(tmp_path: Path) -> None:
    written = profile(3, 0.5, None, 0.25, 1e-5, criterion="weighted", allocation="greedy")
    path = write_profile(written, tmp_path / "new")
    assert path.name == "0123456789abcdef-50.json"
    assert read_profile(path, SHA256, 0.5) == written


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"version": 1', '"version": 2', "another version"),
        (SHA256, "f" * 64, "another model"),
        ('"level": 0.5', '"level": 0.4', "level 0.5 that its name says"),
        ('"down"', '"up"', "level 0.5 that its name says"),
        ('"magnitude"', '"luck"', "criterion or an allocation"),
        ('"uniform"', '["uniform"]', "criterion or an allocation"),
        ("0.125", "NaN", "negative or no number"),
        ("0.125", "Infinity", "negative or no number"),
        ("0.125", "-0.125", "negative or no number"),
        ("0.125", "1" + "0" * 400, "negative or no number"),
        ("0.125", "true", "negative or no number"),
        ("0.125", '"0.125"', "negative or no number"),
        ("0.125, ", "", "negative or no number"),
        ('"tokens": 2048', '"tokens": "many"', "calibrated on"),
        ('"thresholds": [', '"thresholds": {"a": [', "cut short or no profile"),
        ("]\n}", "]", "cut short or no profile"),
        ('{\n "version"', "[" * 100_000 + '{"version"', "cut short or no profile"),
        ('"tiny"', '"' + "x" * sparsity.MAX_PROFILE_BYTES + '"', "too large"),
    ],
)
def test_hostile_profiles_are_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = write_profile(profile(2, 0.125, 0.25, None, 1.0), tmp_path)
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(ProfileError, match=message) as caught:
        read_profile(path, SHA256, 0.5)
    assert path.name in str(caught.value) and "calibrate the model again" in str(caught.value)


def test_a_profile_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    path = write_profile(profile(2, 0.125, 0.25, None, 1.0), tmp_path)
    text = path.read_text("utf-8").rstrip("\n")
    for end in range(len(text)):
        path.write_text(text[:end], "utf-8")
        with pytest.raises(ProfileError, match="cut short or no profile"):
            read_profile(path, SHA256, 0.5)


def test_what_is_no_text_or_no_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    with pytest.raises(ProfileError, match="cannot be read"):
        read_profile(path, SHA256, 0.5)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProfileError, match="cut short or no profile"):
        read_profile(path, SHA256, 0.5)


def test_a_profile_of_other_layers_is_refused(
    variants: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = variants("qwen2")
    monkeypatch.setenv("MIDLINE_HOME", str(path.parent))
    with pytest.raises(ProfileError, match="has 99 layers and the model"):
        decoder(path).thresholds(profile(99, 1.0, 1.0, 1.0, 1.0))


def test_own_profiles_come_before_shipped_ones(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "m.gguf"
    model.write_bytes(b"a model")
    sha256 = model_hash(model)
    monkeypatch.setattr(sparsity, "SHIPPED", tmp_path / "shipped")
    with pytest.raises(UsageError, match="it has none at all, and `midline model calibrate`"):
        find_profile(model, 0.5)
    shipped = profile(1, 0.1, 0.1, 0.1, 0.1, model_sha256=sha256)
    write_profile(shipped, tmp_path / "shipped")
    write_profile(replace(shipped, level=0.25), tmp_path / "shipped")
    assert find_profile(model, 0.5) == shipped
    own = replace(shipped, model="own")
    write_profile(own, home / "profiles")
    assert find_profile(model, 0.5) == own
    assert find_profile(model, 0.0) is None
    assert levels(model) == [0.25, 0.5]
    for level in (0.4, 0.499):
        with pytest.raises(UsageError, match=rf"--sparsity {level}; there .* 0\.25, 0\.5"):
            find_profile(model, level)


@pytest.mark.parametrize("level", [-0.1, 0.91, float("nan"), float("inf")])
def test_levels_out_of_range_are_refused(tmp_path: Path, level: float) -> None:
    with pytest.raises(UsageError, match="must be between 0 and"):
        find_profile(tmp_path / "never-read", level)


def test_thresholds_by_channel() -> None:
    norms = np.array([1, 0.5, 0, 2.0**-126], np.float32)
    most = np.finfo(np.float32).max
    np.testing.assert_array_equal(per_channel(2.0, 4, norms), [2, 4, most, 2.0**127])
    np.testing.assert_array_equal(per_channel(1e9, 4, norms)[2:], [most, most])
    np.testing.assert_array_equal(per_channel(0.5, 2, None), [0.5, 0.5])
    assert per_channel(None, 2, None).shape == (0,)


def test_shipped_profiles_are_whole() -> None:
    files = sorted(sparsity.SHIPPED.glob("*.json"))
    assert files
    for path in files:
        values = json.loads(path.read_text("utf-8"))
        found = read_profile(path, values["model_sha256"], values["level"])
        assert path.name == found.file_name
