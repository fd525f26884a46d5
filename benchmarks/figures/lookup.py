"""Values in a result file by their path: keys joined by dots, list items by what they have."""

import re
from typing import Any

STEP = re.compile(r"(?P<key>[^.\[\]]+)(?:\[(?P<pick>[^\]]*)\])?(?:\.|$)")


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
        if fits(item, conditions):
            return item
    raise KeyError(f"no item with {conditions}")


def fits(item: dict[str, Any], conditions: str) -> bool:
    """Whether `item` has every FIELD=VALUE of `conditions`, separated by commas."""
    wanted = dict(condition.split("=", 1) for condition in conditions.split(","))
    return all(str(item.get(key)) == value for key, value in wanted.items())
