"""The promised figures: read from `figures.toml`, looked up in the recorded results."""

import json
import operator
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
STEP = re.compile(r"(?P<key>[^.\[\]]+)(?:\[(?P<pick>[^\]]*)\])?(?:\.|$)")


@dataclass(frozen=True)
class Figure:
    """One promise; the fields are explained at the head of `figures.toml`."""

    name: str
    command: str
    result: str
    value: str
    wanted: str
    unit: str
    issue: int
    needs: str = ""

    def recorded(self, folder: Path = RESULTS) -> float | None:
        """The figure in its result file; None without such a file, a value, or what it needs."""
        path = folder / self.result
        if not path.exists():
            return None
        try:
            result = json.loads(path.read_text("utf-8"))
            if self.needs and not _fits(result, self.needs):
                return None
            value = look_up(result, self.value)
            return None if value is None else float(value)
        except (ValueError, KeyError, TypeError) as error:
            raise MidlineError(
                f"{path} has no figure at {self.value} ({error}); run `{self.command}` again"
            ) from error

    def status(self, value: float | None) -> str:
        """`ok`, `missed`, `reported` or `not measured`."""
        if value is None:
            return "not measured"
        if self.wanted == REPORTED:
            return REPORTED
        comparison, bound = self.wanted.split()
        return "ok" if COMPARISONS[comparison](value, float(bound)) else "missed"


def load_figures(path: Path = FOLDER / "figures.toml") -> list[Figure]:
    """Every promised figure in the order of the file; MidlineError names a wrong entry."""
    figures = []
    for entry in tomllib.loads(path.read_text("utf-8"))["figure"]:
        try:
            figure = Figure(**entry)
        except TypeError as error:
            raise MidlineError(
                f"{path}: the figure {entry.get('name')!r} is wrong: {error}"
            ) from None
        if figure.wanted != REPORTED and figure.wanted.split()[0] not in COMPARISONS:
            raise MidlineError(f"{path}: the figure {figure.name!r} wants {figure.wanted!r}")
        figures.append(figure)
    return figures


def look_up(result: Any, path: str) -> Any:
    """The value at `path` in `result`: `a.b`, or `rows[engine=midline].mean_kl` in a list.

    Raises KeyError when a key or a list item is not there.
    """
    value = result
    for step in STEP.finditer(path):
        value = value[step["key"]]
        if step["pick"] is not None:
            value = _pick(value, step["pick"])
    return value


def _pick(items: list[dict[str, Any]], conditions: str) -> dict[str, Any]:
    for item in items:
        if _fits(item, conditions):
            return item
    raise KeyError(f"no item with {conditions}")


def _fits(item: dict[str, Any], conditions: str) -> bool:
    wanted = dict(condition.split("=", 1) for condition in conditions.split(","))
    return all(str(item.get(key)) == value for key, value in wanted.items())
