"""Quantization recipes: data in TOML files, checked when they are read.

A recipe says which engine its model is for, how weights are rounded and stored, what becomes of
activations, which matrices stay as they are in the source, and what is calibrated.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from midline.kernels.formats import GGMLType
from midline.model.errors import UsageError
from midline.model.weights.block_encoding import holds
from midline.model.weights.rounding import GRANULARITIES, Rounding

FOLDER = Path(__file__).resolve().parent / "recipes"
NATIVE_FORMATS = ("source", "F32", "F16", "Q8_0", "Q4_0", "Q4_1")
ONNX_FORMATS = ("float32", "int8", "nbits")
FLOATS = ("source", "F32", "F16", "float32")
"""Formats whose weights are not rounded."""
ACTIVATIONS = ("float", "dynamic-block", "dynamic-token", "dynamic-tensor", "static-tensor")
METHODS = ("none", "min-max", "percentile", "awq")
MATRICES = (
    "token_embd", "output", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up",
    "ffn_down",
)  # fmt: skip
_FIELDS = {
    "": {"title", "engine", "format", "activations", "exclude", "weights", "calibration"},
    "weights": {"bits", "granularity", "group", "symmetric"},
    "calibration": {"method", "percentile", "tokens"},
}


@dataclass(frozen=True, slots=True)
class CalibrationPlan:
    """What is calibrated, on how many tokens.

    method: "awq" searches scales of the inputs; "min-max" and "percentile" choose the range of
    activations that have static scales.
    """

    method: Literal["none", "min-max", "percentile", "awq"] = "none"
    percentile: float = 100.0
    tokens: int = 2048


@dataclass(frozen=True, slots=True)
class Recipe:
    """One form of quantization; `rounding` is None where weights keep their numbers.

    exclude: matrices that stay as they are in the source. activations: what the matrix products
    take; the native engine rounds them to 8 bits a token and block of 32 or 256 channels.
    """

    name: str
    title: str
    engine: Literal["native", "onnx"]
    format: str
    activations: str
    rounding: Rounding | None = None
    exclude: tuple[str, ...] = ()
    calibration: CalibrationPlan = CalibrationPlan()

    @property
    def bits(self) -> float:
        """Bits of a rounded weight, without its share of the scale; 32 for floats."""
        return self.rounding.bits if self.rounding else 16 if self.format == "F16" else 32

    @property
    def sha256(self) -> str:
        """Identifies what the recipe does: of everything but its name and title."""
        values = asdict(self)
        del values["name"], values["title"]
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def recipe_names() -> list[str]:
    """Names of the recipes that come with Midline."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def find_recipe(name: str) -> Recipe:
    """The recipe of this name, or in this TOML file.

    Raises UsageError naming the recipes there are, or what is wrong with the file.
    """
    path = FOLDER / f"{name}.toml" if name in recipe_names() else Path(name)
    if path.suffix != ".toml":
        known = ", ".join(recipe_names())
        raise UsageError(f"there is no recipe {name!r}; there is {known}, or name a TOML file")
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(
            f"the recipe {path} cannot be read ({error.strerror}); name another file"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"the recipe {path} is not TOML ({error}); correct it") from error
    try:
        return parse_recipe(path.stem, values)
    except ValueError as error:
        raise UsageError(f"the recipe {path} {error}; correct it") from error


def parse_recipe(name: str, values: Mapping[str, Any]) -> Recipe:
    """The recipe in a TOML file's tables; ValueError completes the sentence "the recipe .."."""
    _check_fields("", values)
    engine = _choice(values, "engine", ("native", "onnx"))
    form = _choice(values, "format", NATIVE_FORMATS if engine == "native" else ONNX_FORMATS)
    recipe = Recipe(
        name=name,
        title=str(values.get("title", name)),
        engine="native" if engine == "native" else "onnx",
        format=form,
        activations=_choice(values, "activations", ACTIVATIONS),
        rounding=_rounding(values.get("weights"), form),
        exclude=_exclude(values.get("exclude", [])),
        calibration=_calibration(values.get("calibration", {})),
    )
    _check(recipe)
    return recipe


def _check_fields(table: str, values: Mapping[str, Any]) -> None:
    unknown = sorted(set(values) - _FIELDS[table])
    if unknown:
        raise ValueError(f"has the unknown field {'.'.join(filter(None, (table, unknown[0])))}")


def _choice(values: Mapping[str, Any], field: str, allowed: tuple[str, ...]) -> str:
    value = values.get(field)
    if value not in allowed:
        raise ValueError(f"has {value!r} for {field}, which is one of {', '.join(allowed)}")
    return str(value)


def _number(values: Mapping[str, Any], field: str, default: float, low: float, high: float) -> Any:
    value = values.get(field, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"has {value!r} for {field}, which is between {low:g} and {high:g}")
    return value


def _rounding(values: Mapping[str, Any] | None, form: str) -> Rounding | None:
    if form in FLOATS:
        if values is not None:
            raise ValueError(f"rounds weights that its format {form} keeps as they are")
        return None
    if not isinstance(values, Mapping):
        raise ValueError(f"does not say how weights are rounded, which its format {form} needs")
    _check_fields("weights", values)
    bits = _number(values, "bits", 0, 2, 8)
    group = _number(values, "group", 32, 16, 1024)
    if not isinstance(bits, int) or not isinstance(group, int) or group & (group - 1):
        raise ValueError(f"has {bits} bits in groups of {group}; both are whole, a group 16, 32 ..")
    granularity = _choice(values, "granularity", GRANULARITIES)
    symmetric = values.get("symmetric", True)
    if not isinstance(symmetric, bool):
        raise ValueError(f"has {symmetric!r} for symmetric, which is true or false")
    half = form in NATIVE_FORMATS
    return Rounding(bits, granularity, group, symmetric, half)  # type: ignore[arg-type]


def _exclude(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(value in MATRICES for value in values):
        raise ValueError(f"has {values!r} for exclude, which names some of {', '.join(MATRICES)}")
    return tuple(values)


def _calibration(values: Any) -> CalibrationPlan:
    if not isinstance(values, Mapping):
        raise ValueError(f"has {values!r} for calibration, which is a table")
    _check_fields("calibration", values)
    method = _choice({"method": "none", **values}, "method", METHODS)
    percentile = float(_number(values, "percentile", 100.0, 50, 100))
    return CalibrationPlan(method, percentile, int(_number(values, "tokens", 2048, 256, 1 << 20)))  # type: ignore[arg-type]


def _check(recipe: Recipe) -> None:
    """ValueError for what its engine or its format cannot do."""
    how, form, method = recipe.rounding, recipe.format, recipe.calibration.method
    if recipe.engine == "native":
        wanted = "float" if form in ("F32", "F16") else "dynamic-block"
        if recipe.activations != wanted:
            raise ValueError(f"has {recipe.activations} activations, and {form} takes {wanted}")
        if how and not holds(GGMLType[form], how):
            raise ValueError(f"rounds in a way that blocks of {form} cannot hold")
    elif recipe.activations == "dynamic-block":
        raise ValueError("has dynamic-block activations, which the native engine alone has")
    elif recipe.activations != "float" and form != "int8":
        raise ValueError(f"rounds activations, for which weights are int8 and not {form}")
    elif (
        how and form == "int8" and (how.granularity == "group" or not how.symmetric or how.bits < 8)
    ):
        raise ValueError(
            "has int8 weights, which are 8 bits, symmetric, and of a tensor or channel"
        )
    elif how and form == "nbits" and (how.bits not in (4, 8) or how.group % 32):
        raise ValueError("has nbits weights, which are 4 or 8 bits in groups of 32 or more")
    if (recipe.activations == "static-tensor") != (method in ("min-max", "percentile")):
        raise ValueError("has static activations without min-max or percentile, or the reverse")
    if method == "awq" and (recipe.engine != "native" or how is None):
        raise ValueError("scales inputs (awq), which is for rounded weights of the native engine")
