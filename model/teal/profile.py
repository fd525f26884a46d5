"""Sparsity profiles (TEAL, arXiv 2408.14690): thresholds of one model at one level, as files.

A profile says, for one model and one share of the weights to skip, below which magnitude an entry
of each matrix's input counts as zero. With the criterion "magnitude" that is one number for each
matrix. With "weighted" (arXiv 2505.19427) the threshold applies to the magnitude times the norm of
the weights' column, which gives every channel a threshold of its own at no cost in decoding.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import numpy as np

from midline.model.atomic_write import atomic_write
from midline.model.errors import MidlineError, UsageError
from midline.model.paths import profiles_folder
from midline.model.weights.packed import model_hash

FORMAT_VERSION = 1
INPUTS = ("qkv", "out", "gate_up", "down")
"""The inputs of a layer that can be sparse: of Q, K and V, of O, of gate and up, of down."""
MAX_LEVEL = 0.9
MAX_PROFILE_BYTES = 1 << 20
SHIPPED = Path(__file__).parent / "profiles"
Criterion = Literal["magnitude", "weighted"]
Allocation = Literal["uniform", "greedy"]
SENTENCE_END = "calibrate the model again or leave --sparsity at 0"


class ProfileError(MidlineError):
    """A profile cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class CalibrationText:
    """The calibration text: `sha256` of its token ids, `tokens` their number."""

    description: str
    sha256: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Profile:
    """Thresholds [layer][input] in the order of INPUTS, None where a matrix stays dense.

    level: share of the layers' weights that is skipped on average.
    """

    model: str
    model_sha256: str
    level: float
    criterion: Criterion
    allocation: Allocation
    thresholds: tuple[tuple[float | None, ...], ...]
    calibration: CalibrationText

    @property
    def file_name(self) -> str:
        """Name of the profile's file: the model's hash and the level in percent."""
        return f"{self.model_sha256[:16]}-{round(self.level * 100):02d}.json"


def check_level(level: float) -> None:
    """Raises UsageError unless `level` is from 0 to 0.9."""
    if not (math.isfinite(level) and 0 <= level <= MAX_LEVEL):
        raise UsageError(f"sparsity is {level}, it must be between 0 and {MAX_LEVEL}")


def find_profile(model: Path, level: float) -> Profile | None:
    """The profile of the GGUF file `model` at `level`; None at level 0, which needs none.

    Own profiles come before shipped ones. Raises UsageError (level out of range, or none fits: the
    sentence names the levels there are), ProfileError (a damaged file).
    """
    check_level(level)
    if level == 0:
        return None
    sha256 = model_hash(model)
    found = dict(_profile_files(sha256))
    percent = level * 100
    if abs(percent - round(percent)) < 1e-6 and round(percent) in found:
        return read_profile(found[round(percent)], sha256, round(percent) / 100)
    known = ", ".join(f"{known / 100:g}" for known in sorted(found))
    raise UsageError(
        f"{model.name} has no profile for --sparsity {level:g}; "
        + (f"there are profiles for {known}" if known else "it has none at all")
        + ", and `midline model calibrate` makes others"
    )


def levels(model: Path) -> list[float]:
    """Levels for which there is a profile of the GGUF file `model`, in order."""
    return sorted(percent / 100 for percent in dict(_profile_files(model_hash(model))))


def _profile_files(sha256: str) -> Iterator[tuple[int, Path]]:
    """(percent, file) of one model; the last one of a percent is the one to use."""
    for folder in (SHIPPED, profiles_folder()):
        for path in sorted(folder.glob(f"{sha256[:16]}-*.json")):
            percent = path.stem.rpartition("-")[2]
            if percent.isascii() and percent.isdigit():
                yield int(percent), path


def write_profile(profile: Profile, folder: Path) -> Path:
    """Writes the profile to `folder` under its file name; the path. Raises OSError."""
    path = folder / profile.file_name
    atomic_write(path, as_json(profile).encode())
    return path


def as_json(profile: Profile) -> str:
    """The profile as its file has it: one layer's thresholds a line."""
    values = {"version": FORMAT_VERSION, **asdict(profile)}
    rows = values.pop("thresholds")
    head = json.dumps({**values, "inputs": INPUTS}, indent=1)[:-2]
    return head + ',\n "thresholds": [\n  ' + ",\n  ".join(map(json.dumps, rows)) + "\n ]\n}\n"


def read_profile(path: Path, sha256: str, level: float) -> Profile:
    """The profile in `path`, which has to be of this model and level.

    Raises ProfileError naming what is wrong with the file.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_PROFILE_BYTES + 1)
    except OSError as error:
        raise ProfileError(f"{path} cannot be read ({error.strerror}); {SENTENCE_END}") from error
    if len(data) > MAX_PROFILE_BYTES:
        raise ProfileError(f"{path} is too large for a profile; {SENTENCE_END}")
    try:
        values = json.loads(data)
    except (ValueError, RecursionError):
        raise ProfileError(f"{path} is cut short or no profile; {SENTENCE_END}") from None
    try:
        return _checked(values, sha256, level)
    except ValueError as error:
        raise ProfileError(f"{path} {error}; {SENTENCE_END}") from None


def _checked(values: Any, sha256: str, level: float) -> Profile:
    if not isinstance(values, dict) or values.get("version") != FORMAT_VERSION:
        raise ValueError("is a profile of another version of Midline")
    if values.get("model_sha256") != sha256:
        raise ValueError("is the profile of another model")
    if values.get("inputs") != list(INPUTS) or values.get("level") != level:
        raise ValueError(f"does not hold the level {level:g} that its name says")
    criterion, allocation = values.get("criterion"), values.get("allocation")
    if criterion not in ("magnitude", "weighted") or allocation not in ("uniform", "greedy"):
        raise ValueError("names a criterion or an allocation that this version does not know")
    rows = values.get("thresholds")
    if not isinstance(rows, list) or not all(_is_row(row) for row in rows):
        raise ValueError("has a threshold that is negative or no number")
    return Profile(
        str(values.get("model", "")), sha256, level, criterion, allocation,
        tuple(map(tuple, rows)), _checked_text(values.get("calibration")),
    )  # fmt: skip


def _is_row(row: Any) -> bool:
    return isinstance(row, list) and len(row) == len(INPUTS) and all(map(_is_threshold, row))


def _is_threshold(value: Any) -> bool:
    if value is None:
        return True
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 <= value <= float(np.finfo(np.float32).max)


def _checked_text(values: Any) -> CalibrationText:
    known = isinstance(values, Mapping) and isinstance(values.get("tokens"), int)
    if not known:
        raise ValueError("does not say what it was calibrated on")
    return CalibrationText(
        str(values.get("description", "")), str(values.get("sha256", "")), values["tokens"]
    )


def describe(profile: Profile) -> str:
    """A one-line description: level, allocation, criterion and calibration text."""
    dense = sum(t is None for t in chain.from_iterable(profile.thresholds))
    kept = f", {dense} matrices dense" if dense else ""
    return (
        f"{profile.level:.0%} of the weights skipped ({profile.allocation}, {profile.criterion}"
        f"{kept}), calibrated on {profile.calibration.tokens} tokens: "
        f"{profile.calibration.description}"
    )
