"""The subjects of a study: models written by recipes, and the engine that runs each."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from midline.benchmarks.quality.quantization.store import Subject
from midline.model.catalog.catalog import resolve
from midline.model.compression.quantization.provenance import PREFIX, Provenance
from midline.model.compression.quantization.recipe import Recipe, find_recipe
from midline.model.compression.quantization.writing import write_model
from midline.model.decoding.options import NativeOptions, SamplingOptions
from midline.model.engines.load import load_engine
from midline.model.engines.native.policy import policy_of
from midline.model.errors import MidlineError
from midline.model.paths import profiles_folder
from midline.model.teal.profile import find_profile, write_profile
from midline.model.weights.gguf import read_gguf
from midline.model.weights.packed import model_hash
from midline.server.cli.quantization import calibration_text, default_target

if TYPE_CHECKING:
    from midline.model.engines.base import Engine

REFERENCE = "onnx-float32"
"""The recipe that the others are compared with: the source dequantized, activations in float."""


def make_subjects(
    model: str, recipes: Sequence[str], sparse: bool, reference: bool = True
) -> list[Subject]:
    """Writes the models that are not there yet; a subject for each, the reference first.

    sparse: also each native model with its source's own level of sparsity, where that is not 0.
    reference: also the float32 reference where `recipes` does not name it.
    """
    names = [REFERENCE] if reference or REFERENCE in recipes else []
    names += [name for name in recipes if name != REFERENCE]
    found = [make_subject(model, find_recipe(name)) for name in names]
    level = policy_of(resolve(model)).sparsity
    if sparse and level:
        natives = [s for s in found if s.engine == "native"]
        found += [replace(s, sparsity=level) for s in natives if _has_profile(s, model, level)]
    return found


def make_subject(model: str, recipe: Recipe) -> Subject:
    """The model in the form of a recipe, which is written into the cache if it is not there."""
    source = resolve(model)
    stem = Path(model).stem if Path(model).suffix == ".gguf" else model
    if recipe.format == "source":
        return Subject(stem, recipe.name, recipe.engine, source)
    target = default_target(model, source, recipe.name, recipe.engine)
    print(f"{recipe.name}: {recipe.title}", file=sys.stderr)
    if not _is_calibrated(target, recipe, source):
        text = calibration_text(None) if recipe.calibration.method != "none" else ""
        write_model(source, target, recipe, text)
    return Subject(stem, recipe.name, recipe.engine, target, is_reference=recipe.name == REFERENCE)


def _is_calibrated(target: Path, recipe: Recipe, source: Path) -> bool:
    """Whether `target` was made by this recipe from this source, calibrated on whatever text.

    Midline's own code, the default text, changes from version to version; results that are kept
    belong to the model that is there. Remove it to calibrate anew.
    """
    if recipe.calibration.method == "none" or recipe.engine != "native" or not target.is_file():
        return False
    file = read_gguf(target)
    text = str(file.metadata.get(PREFIX + "calibration_sha256", ""))
    return Provenance(recipe, source.name, model_hash(source), text).is_of(file)


def _has_profile(subject: Subject, model: str, level: float) -> bool:
    """Whether there is a sparsity profile; that of the source serves models rounded from it.

    Thresholds belong to activations, which rounding of weights hardly moves; scaled inputs (AWQ)
    need a profile of their own.
    """
    with suppress(MidlineError):
        return find_profile(subject.path, level) is not None
    if find_recipe(subject.recipe).calibration.method == "awq":
        return False
    profile = find_profile(resolve(model), level)
    if profile is None:
        return False
    own = replace(profile, model=subject.path.stem, model_sha256=model_hash(subject.path))
    write_profile(own, profiles_folder())
    return True


def engine_of(subject: Subject, threads: int | None, cache_tokens: int | None = None) -> "Engine":
    """The subject's engine, loaded."""
    options = SamplingOptions(engine=NativeOptions(sparsity=subject.sparsity))
    return load_engine(
        subject.path, subject.engine, options=options, threads=threads, cache_tokens=cache_tokens
    )


def options_of(subject: Subject, max_tokens: int) -> SamplingOptions:
    """Greedy decoding as the subject wants it."""
    native = NativeOptions(exact=True, sparsity=subject.sparsity, draft="none")
    return SamplingOptions(max_tokens=max_tokens, engine=native)
