"""Figures: read from `figures.toml`, looked up in the recorded results, and compared."""

import json
import operator
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midline.benchmarks.figures.lookup import fits, look_up
from midline.benchmarks.figures.noise import parse_noise
from midline.model.errors import MidlineError

FOLDER = Path(__file__).resolve().parent.parent
RESULTS = FOLDER / "results"
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
REPORTED = "reported"
KERNELS = "midline kernels"
"""The version of a result that names the instruction set of its kernels."""


@dataclass(frozen=True)
class Figure:
    """One figure; its fields are explained at the head of `figures.toml`."""

    name: str
    command: str
    result: str
    value: str
    wanted: str
    unit: str
    needs: str = ""
    floor: str = ""
    noise: str = ""
    isa: str = ""
    limit: str = ""

    def recorded(self, folder: Path = RESULTS) -> float | None:
        """The figure in its result file.

        None without such a file, a value, or what the figure needs, and for a result of another
        instruction set. MidlineError where the file has no such figure.
        """
        result = self._result(folder)
        if result is None:
            return None
        try:
            value = look_up(result, self.value)
            return None if value is None else float(value)
        except (ValueError, KeyError, TypeError) as error:
            raise self._without_figure(folder, error) from error

    def next_floor(self, folder: Path = RESULTS) -> str:
        """The floor that accepting the recorded value sets; empty without a value or `noise`."""
        result, value = self._result(folder), self.recorded(folder)
        if not self.noise or result is None or value is None:
            return ""
        try:
            return parse_noise(self.noise).floor(value, result, self.value, self._direction())
        except (ValueError, KeyError, TypeError) as error:
            raise self._without_figure(folder, error) from error

    def status(self, value: float | None) -> str:
        """`ok`, `missed`, `regressed`, `reported` or `not measured`.

        A regression is a value below the floor, whatever the target.
        """
        if value is None:
            return "not measured"
        if self.floor and not holds(self.floor, value):
            return "regressed"
        if self.wanted == REPORTED:
            return REPORTED
        return "ok" if holds(self.wanted, value) else "missed"

    def check(self) -> None:
        """Raise ValueError for a comparison or a noise that cannot be read."""
        comparisons = [text for text in (self.wanted, self.floor) if text not in ("", REPORTED)]
        for text in comparisons:
            comparison, bound = text.split()
            if comparison not in COMPARISONS:
                raise ValueError(f"{text!r} is no comparison")
            float(bound)
        if self.floor and not self.noise:
            raise ValueError("a floor needs the noise it allows for")
        if self.noise:
            parse_noise(self.noise)

    def _direction(self) -> str:
        known = self.floor or self.wanted
        return "<=" if known.startswith("<") else ">="

    def _result(self, folder: Path) -> dict[str, Any] | None:
        path = folder / self.result
        if not path.exists():
            return None
        try:
            result: dict[str, Any] = json.loads(path.read_text("utf-8"))
        except ValueError as error:
            raise self._without_figure(folder, error) from error
        kernels = result.get("versions", {}).get(KERNELS)
        if self.isa and kernels not in (None, self.isa):
            return None
        return None if self.needs and not fits(result, self.needs) else result

    def _without_figure(self, folder: Path, error: Exception) -> MidlineError:
        return MidlineError(
            f"{folder / self.result} has no figure at {self.value} ({error}); "
            f"run `{self.command}` again"
        )


def load_figures(path: Path = FOLDER / "figures.toml") -> list[Figure]:
    """Every figure in the order of the file; MidlineError names a wrong entry."""
    figures = []
    for entry in tomllib.loads(path.read_text("utf-8"))["figure"]:
        try:
            figure = Figure(**entry)
            figure.check()
        except (TypeError, ValueError) as error:
            raise MidlineError(
                f"{path}: the figure {entry.get('name')!r} is wrong: {error}"
            ) from None
        figures.append(figure)
    return figures


def holds(comparison: str, value: float) -> bool:
    """Whether `comparison`, such as `>= 3.0`, holds for `value`; false for NaN."""
    sign, bound = comparison.split()
    return COMPARISONS[sign](value, float(bound))
