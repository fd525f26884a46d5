"""Model files whose numbers or sizes are damaged: refused, or one sentence when it shows."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from engine_models import changed, drawn_ids, engine, forget, pages_in_use, random_ids
from gguf_writer import gguf_bytes
from tiny_model import LLAMA, QWEN2, metadata, tensors, write_tiny_model

from midline.model.engines.base import NativeOptions, Request, SamplingOptions
from midline.model.errors import MidlineError, ModelFileError
from midline.model.weights import packed
from midline.model.weights.gguf import read_gguf

GREEDY = SamplingOptions(max_tokens=12, engine=NativeOptions(exact=True))
RANDOM = SamplingOptions(max_tokens=12, temperature=1.0, seed=11)


def alter(path: Path, tensor: str, start: int, new: bytes) -> None:
    """Writes over the bytes of one tensor in a model file."""
    old = read_gguf(path).data(tensor).tobytes()
    data = bytearray(path.read_bytes())
    at = data.find(old) + start
    data[at : at + len(new)] = new
    path.write_bytes(data)
    assert read_gguf(path).data(tensor)[start : start + len(new)].tobytes() == new


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scales that are no number reach the engine, as if its arithmetic had made them."""
    monkeypatch.setattr(packed, "check_all_scales", lambda file, threads: None)


def test_scales_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "broken.gguf", LLAMA)
    alter(path, "token_embd.weight", 34, np.array([np.nan], "<f2").tobytes())
    with pytest.raises(ModelFileError, match=r"token_embd\.weight has weights that are infinite"):
        engine(path)


def test_outputs_that_are_no_numbers_are_an_error(tmp_path: Path, unchecked: None) -> None:
    """Every scale of the output matrix is NaN: a sentence, whatever is asked, and no crash."""
    path = write_tiny_model(tmp_path / "broken.gguf", LLAMA)
    blocks = read_gguf(path).data("token_embd.weight").reshape(-1, 34).copy()
    blocks[:, :2] = np.array([np.nan], "<f2").view(np.uint8)
    alter(path, "token_embd.weight", 0, blocks.tobytes())
    model = engine(path)
    for options in (GREEDY, RANDOM, changed(GREEDY, exact=False), replace(RANDOM, samples=5)):
        with pytest.raises(MidlineError, match="the model's output is not numbers"):
            model.generate(Request(random_ids(40)), options)
    forget(model)
    assert pages_in_use(model.decoder) == 0


def test_a_token_whose_output_is_no_number_is_never_drawn(tmp_path: Path, unchecked: None) -> None:
    path = write_tiny_model(tmp_path / "broken.gguf", LLAMA)
    alter(path, "token_embd.weight", 0, np.array([np.nan], "<f2").tobytes())
    model = engine(path)
    assert np.isnan(model.logits([1, 2])[:, 0]).all()
    for options in (GREEDY, replace(RANDOM, samples=8, temperature=50.0)):
        found = model.generate(Request([1, 2, 3]), options)
        assert not any(0 in ids for ids in drawn_ids(found))
        assert all(np.isfinite(c.mean_logprob) for c in found.completions)


def test_norms_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "broken.gguf", LLAMA)
    alter(path, "blk.1.ffn_norm.weight", 8, np.array([np.inf], "<f4").tobytes())
    with pytest.raises(ModelFileError, match=r"is damaged: blk\.1\.ffn_norm\.weight is not all"):
        engine(path)


def test_tokens_and_embedding_must_agree(tmp_path: Path) -> None:
    entries = metadata(replace(QWEN2, vocabulary=510))
    path = tmp_path / "odd.gguf"
    path.write_bytes(gguf_bytes(entries, tensors(QWEN2, np.random.default_rng(0))))
    with pytest.raises(ModelFileError, match=r"has 510 tokens and embeds 512; pull it again"):
        engine(path)
