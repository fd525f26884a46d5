"""The sampling options of a result folder, so that samples of different options are not mixed."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from midline.benchmarks.mbxp.report import write_json
from midline.benchmarks.mbxp.samples import SAMPLES
from midline.model.catalog.catalog import CATALOGUE, resolve
from midline.model.errors import MidlineError, UsageError

RUN = "run.json"


def claim(folder: Path, options: Mapping[str, Any]) -> None:
    """Record `options`, by the names of their flags, as those of the samples in `folder`.

    Raises UsageError naming the options in which existing samples differ. Samples without recorded
    options are accepted; recorded options without samples are overwritten.
    """
    path, samples = folder / RUN, folder / SAMPLES
    if path.is_file() and samples.is_file() and samples.stat().st_size:
        before = _read(path)
        other = [name for name in options if name in before and before[name] != options[name]]
        if other:
            found = ", ".join(f"--{name} {before[name]}, not {options[name]}" for name in other)
            raise UsageError(f"{folder} has samples of {found}; give another --out for these")
    write_json(path, options)


def model_identity(model: str) -> str:
    """The model's catalogue name, or the file name with its SHA-256."""
    if model in CATALOGUE:
        return model
    from midline.model.weights.packed import model_hash

    path = resolve(model)
    sha256 = model_hash(path)
    names = [entry.name for entry in CATALOGUE.values() if entry.sha256 == sha256]
    return names[0] if names else f"{path.name} (SHA-256 {sha256})"


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except (ValueError, TypeError) as error:
        raise MidlineError(
            f"{path} does not say what the samples beside it were drawn with ({error}); remove it "
            "to take them as they are, or give another --out"
        ) from error
