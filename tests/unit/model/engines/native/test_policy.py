"""The policies that are shipped hold, and what they say is done where nobody says otherwise."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from engine_models import changed, drawn_ids, random_ids

from midline.model.catalog.catalog import CATALOGUE
from midline.model.decoding.options import DRAFTS
from midline.model.decoding.speculative.prompt_lookup import PassCosts
from midline.model.engines.base import NativeOptions, Request, SamplingOptions
from midline.model.engines.native import policy
from midline.model.engines.native.engine import NativeEngine
from midline.model.engines.native.policy import Policy, policy_of
from midline.model.errors import UsageError
from midline.model.teal.profile import SHIPPED, CalibrationText, Profile, write_profile
from midline.model.weights.config import read_config
from midline.model.weights.gguf import read_gguf
from midline.model.weights.packed import model_hash


@pytest.fixture
def path(variants: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model with a profile of 0.5 that drops a lot."""
    found = variants("qwen2")
    monkeypatch.setenv("MIDLINE_HOME", str(tmp_path))
    rows = ((1.0,) * 4,) * read_config(read_gguf(found)).layers
    text = CalibrationText("noise", "", 0)
    own = Profile("x", model_hash(found), 0.5, "magnitude", "uniform", rows, text)
    write_profile(own, tmp_path / "profiles")
    return found


def say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sha256: str, **values: object) -> None:
    file = tmp_path / "policy.json"
    file.write_text(json.dumps({sha256: {"model": "x", **values}}))
    monkeypatch.setattr(policy, "FILE", file)


def test_every_model_of_the_catalogue_has_a_policy_that_can_be_kept() -> None:
    lines = json.loads(policy.FILE.read_text("utf-8"))
    assert {sha256: line["model"] for sha256, line in lines.items()} == {
        entry.sha256: entry.name for entry in CATALOGUE.values()
    }
    for sha256, line in lines.items():
        level, draft_level = line["sparsity"], line.get("draft_sparsity", 0.5)
        for needed in (level, draft_level):
            name = f"{sha256[:16]}-{round(needed * 100)}.json"
            assert needed == 0 or (SHIPPED / name).is_file()
        assert round(level * 100) % 5 == 0 and line["draft"] in DRAFTS


def test_the_file_has_one_line_a_model() -> None:
    """So that a default is changed in one line."""
    lines = policy.FILE.read_text("utf-8").splitlines()
    assert len(lines) == len(CATALOGUE) + 2
    assert all('"sparsity": ' in line and '"draft": ' in line for line in lines[1:-1])


def test_an_unknown_model_has_the_defaults(tmp_path: Path, home: Path) -> None:
    model = tmp_path / "m.gguf"
    model.write_bytes(b"a model")
    assert policy_of(model) == Policy() == Policy(0.0, "lookup", 0.5, PassCosts())


def test_a_line_is_found_by_the_models_hash(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "m.gguf"
    model.write_bytes(b"a model")
    costs = {"base": 1.0, "row": 0.1, "draft": 0.5}
    say(monkeypatch, tmp_path, model_hash(model), sparsity=0.35, draft="both", costs=costs)
    assert policy_of(model) == Policy(0.35, "both", 0.5, PassCosts(1.0, 0.1, 0.5))


@pytest.fixture
def half(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NativeEngine:
    """A model whose policy is to skip half of its weights and draft nothing."""
    say(monkeypatch, tmp_path, model_hash(path), sparsity=0.5, draft="none")
    return NativeEngine.load(path, threads=1, sparsity=None)


EXACT = SamplingOptions(max_tokens=12, engine=NativeOptions(exact=True))


def test_none_is_the_models_level(half: NativeEngine) -> None:
    prompt = random_ids(30, seed=1)
    ids = {
        level: drawn_ids(half.generate(Request(prompt), changed(EXACT, sparsity=level)))
        for level in (None, 0.0, 0.5)
    }
    assert ids[None] == ids[0.5] != ids[0.0]
    levels = [
        half.sparsity(SamplingOptions(engine=NativeOptions(sparsity=level)))
        for level in (None, 0.0, 0.25)
    ]
    assert levels == [0.5, 0.0, 0.25]
    assert half.sparsity(SamplingOptions(samples=2, engine=NativeOptions(sparsity=0.25))) == 0
    assert half.generate(Request(prompt * 3), SamplingOptions(max_tokens=40)).drafted_tokens == 0


def test_what_is_drawn_at_random_is_dense_alone_as_among_others(half: NativeEngine) -> None:
    prompt = random_ids(30, seed=1)
    drawn = SamplingOptions(
        max_tokens=12, temperature=1.0, seed=3, engine=NativeOptions(sparsity=None)
    )
    half.prefill([*prompt, 1])
    four = half.generate(Request(prompt), replace(drawn, samples=4)).completions
    assert half.generate(Request(prompt), drawn).completions == four[:1]
    assert (half.sparsity(drawn), half.sparsity(replace(drawn, greedy_first=True))) == (0.0, 0.5)


def test_a_level_without_its_profile_is_said_when_the_model_is_loaded(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(monkeypatch, tmp_path, model_hash(path), sparsity=0.4)
    with pytest.raises(UsageError, match=r"no profile for --sparsity 0\.4; there are .* 0\.5"):
        NativeEngine.load(path, threads=1, sparsity=None)
    assert NativeEngine.load(path, threads=1).sparsity(SamplingOptions()) == 0
