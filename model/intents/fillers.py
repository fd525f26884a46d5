"""Made-up texts for slots: identifiers, paths, line ranges, settings and what to generate."""

import random
import tomllib
from collections.abc import Callable
from functools import cache
from importlib import resources

from midline.model.intents.templates import expand, read_templates

_STYLES = (
    "snake",
    "snake",
    "snake",
    "camel",
    "camel",
    "pascal",
    "pascal",
    "short",
    "dotted",
    "one",
)
_STARTS = ("", "", "", "", "./", "../", "~/", "/home/me/", "C:/code/")
_IMAGE_FOLDERS = ("", "", "", "~/Pictures/", "docs/", "./images/", "/tmp/", "assets/")
_IMAGE_SUFFIXES = ("png", "png", "jpg", "jpeg", "webp", "gif", "bmp")
_BETWEEN_LINES = ("-", "-", "-", " to ", " to ", " through ", " - ", " and ", "..")
_BUDGETS = ("a second", "one minute", "a minute", "half a minute", "30s", "one sample")


@cache
def names() -> dict[str, tuple[str, ...]]:
    """The lists of `data/names.toml` by their names."""
    text = (resources.files("midline.model.intents") / "data" / "names.toml").read_text("utf-8")
    lists = tomllib.loads(text)
    return {
        key: tuple(value.split()) if isinstance(value, str) else tuple(value)
        for key, value in lists.items()
    }


def fill(rng: random.Random, kind: str) -> str:
    """A text for a slot; `kind` is its name, with a colon and more where there are kinds of it.

    Raises KeyError for a kind that there is not.
    """
    return _FILLERS[kind](rng)


def identifier(rng: random.Random) -> str:
    """A name as code has it."""
    style = rng.choice(_STYLES)
    words, verbs = names()["words"], names()["verbs"]
    if style == "short":
        return rng.choice(names()["short"])
    if style == "one":
        return rng.choice((rng.choice(words), rng.choice(verbs))) + rng.choice(("", "", "s", "2"))
    parts = [rng.choice(words) for _ in range(rng.choice((1, 1, 2)))]
    if style == "dotted":
        return f"{_pascal(parts)}.{_plain(rng)}"
    if style == "pascal":
        return _pascal([*parts, rng.choice(words)]) if rng.random() < 0.7 else _pascal(parts[:1])
    parts = [rng.choice(verbs), *parts] if rng.random() < 0.75 else [*parts, rng.choice(words)]
    if style == "camel":
        return parts[0] + _pascal(parts[1:])
    name = "_".join(parts)
    shape = rng.random()
    return name.upper() if shape < 0.12 else f"_{name}" if shape < 0.2 else name


def _plain(rng: random.Random) -> str:
    verb = rng.choice(names()["verbs"])
    return verb if rng.random() < 0.6 else f"{verb}_{rng.choice(names()['words'])}"


def _pascal(parts: list[str]) -> str:
    return "".join(part.replace("_", "").capitalize() for part in parts)


def file_path(rng: random.Random) -> str:
    """A file or a folder, seldom with a space in it."""
    kind = rng.random()
    if kind < 0.2:
        return rng.choice(names()["whole"])
    folders = names()["folders"]
    if kind < 0.27:
        return "/".join(rng.choices(folders, k=rng.choice((1, 2)))) + rng.choice(("", "/"))
    depth = rng.choice((0, 0, 0, 1, 1, 2, 3))
    start = rng.choice(_STARTS) if depth else ""
    return start + "".join(f"{rng.choice(folders)}/" for _ in range(depth)) + _file_name(rng)


def _file_name(rng: random.Random) -> str:
    words = names()["words"]
    stem = (identifier(rng) if rng.random() < 0.5 else rng.choice(words)).replace(".", "")
    if rng.random() < 0.06:
        stem = f"{rng.choice(words)} {rng.choice(words)}"
    if rng.random() < 0.15:
        stem = f"test_{stem}"
    return f"{stem}.{rng.choice(names()['extensions'])}"


def _image(rng: random.Random) -> str:
    stem = rng.choice(names()["images"]) if rng.random() < 0.8 else identifier(rng)
    return f"{rng.choice(_IMAGE_FOLDERS)}{stem}.{rng.choice(_IMAGE_SUFFIXES)}"


def _line(rng: random.Random) -> str:
    low = rng.randrange(1, rng.choice((10, 100, 100, 1000)))
    if rng.random() < 0.5:
        return str(low)
    return f"{low}{rng.choice(_BETWEEN_LINES)}{low + rng.randrange(1, 40)}"


def _budget(rng: random.Random) -> str:
    number = str(rng.randrange(2, 31)) if rng.random() < 0.6 else rng.choice(names()["numbers"])
    shape = rng.random()
    if shape < 0.2:
        return f"best of {number}"
    return rng.choice(_BUDGETS) if shape < 0.27 else f"{number} {rng.choice(names()['units'])}"


def _value(rng: random.Random) -> str:
    if rng.random() < 0.55:
        return str(rng.choice((0, 1, 2, 4, 8, 16, 32, 64, 100, 128, 256, 512, 1024, 2048)))
    return rng.choice(names()["values"])


def _count(rng: random.Random) -> str:
    return str(rng.randrange(1, 20)) if rng.random() < 0.7 else rng.choice(names()["numbers"])


def _language(rng: random.Random) -> str:
    name, shape = rng.choice(names()["languages"]), rng.random()
    return name.capitalize() if shape < 0.15 else name.upper() if shape < 0.18 else name


def _query(rng: random.Random) -> str:
    if rng.random() < 0.75:
        return rng.choice(names()["queries"])
    return " ".join(rng.choices(names()["words"], k=rng.choice((1, 2))))


def _description(rng: random.Random) -> str:
    templates = read_templates("descriptions.txt")
    return expand(rng.choice(templates.sentences), templates, rng, fill)


def _one_of(*lists: str) -> Callable[[random.Random], str]:
    return lambda rng: rng.choice(names()[rng.choice(lists)])


_FILLERS: dict[str, Callable[[random.Random], str]] = {
    "symbol": identifier,
    "symbol:word": _one_of("words"),
    "new_name": lambda rng: identifier(rng).rpartition(".")[2],
    "path": file_path,
    "path:image": _image,
    "line": _line,
    "language": _language,
    "framework:test": _one_of("frameworks"),
    "framework:style": _one_of("styles"),
    "framework:runner": _one_of("frameworks", "runners", "runners"),
    "budget": _budget,
    "setting:value": _one_of("value_settings"),
    "setting:switch": _one_of("switches"),
    "setting:count": _one_of("counts"),
    "value": _value,
    "value:number": _count,
    "value:on": _one_of("on"),
    "value:off": _one_of("off"),
    "model": _one_of("models"),
    "query": _query,
    "description": _description,
    "duration": _one_of("durations"),
}
