"""Names that were read, corrected to those that a project has: O and 0, l and 1 look alike."""

from collections.abc import Iterable
from pathlib import PurePosixPath

_ALIKE = str.maketrans(
    {
        "0": "o", "O": "o", "Q": "o", "D": "o", "l": "i", "1": "i", "I": "i", "|": "i", "!": "i",
        "5": "s", "S": "s", "8": "b", "B": "b", "2": "z", "Z": "z", "6": "g", "9": "g", "q": "g",
        "-": "_", "~": "_", ",": ".", "c": "e", "v": "u", "w": "u",
    }
)  # fmt: skip
_LEAST_LENGTH = 5


def outline_of(name: str) -> str:
    """What a name looks like from afar: the same for names that are easily confused."""
    return name.translate(_ALIKE).lower().replace("rn", "m").replace(" ", "")


def corrected(name: str, known: Iterable[str]) -> str:
    """The known name that `name` is a reading of: itself, its like, or the one a letter away.

    A name that fits several, or none, stays as it is.
    """
    names = set(known)
    if not name or name in names:
        return name
    like = _alike(name, names)
    if len(like) == 1:
        return like[0]
    if like or len(name) < _LEAST_LENGTH:
        return name
    near = [other for other in names if abs(len(other) - len(name)) <= 1 and _near(name, other)]
    return near[0] if len(near) == 1 else name


def like_one_of(name: str, known: Iterable[str]) -> str:
    """The known name that `name` looks the same as; itself if it is known, or if none is meant."""
    names = set(known)
    like = _alike(name, names)
    return like[0] if name not in names and len(like) == 1 else name


def _alike(name: str, names: Iterable[str]) -> list[str]:
    """Those of the names that look the same as `name`."""
    return [other for other in names if outline_of(other) == outline_of(name)]


def is_near(one: str, other: str) -> bool:
    """Whether two names look the same, or differ by one edit and are not short."""
    if outline_of(one) == outline_of(other):
        return True
    long_enough = min(len(one), len(other)) >= _LEAST_LENGTH
    return long_enough and abs(len(one) - len(other)) <= 1 and _near(one, other)


def _near(one: str, other: str) -> bool:
    """Whether one edit makes the one name the other."""
    short, long = sorted((one, other), key=len)
    start = 0
    while start < len(short) and short[start] == long[start]:
        start += 1
    rest = long[start + 1 :]
    return short[start:] == rest or (len(short) == len(long) and short[start + 1 :] == rest)


def fitting_paths(path: str, known: Iterable[str]) -> list[str]:
    """The project's files that a path may end in.

    Paths are compared from their ends; the files that share the most folders are meant.
    """
    parts = _parts(path)
    if not parts:
        return []
    scores: dict[str, int] = {}
    for other in known:
        shared = 0
        for a, b in zip(reversed(parts), reversed(_parts(other)), strict=False):
            if outline_of(a) != outline_of(b):
                break
            shared += 1
        if shared:
            scores[other] = shared
    best = [other for other, shared in scores.items() if shared == max(scores.values())]
    exact = [other for other in best if PurePosixPath(other).name == parts[-1]]
    return exact if len(best) > 1 and len(exact) == 1 else best


def near_paths(path: str, known: Iterable[str]) -> list[str]:
    """The project's files whose name is an edit away from that of a path: only a guess."""
    name = (_parts(path) or [""])[-1]
    return [other for other in known if is_near(name, PurePosixPath(other).name)]


def _parts(path: str) -> list[str]:
    return [part for part in path.replace("\\", "/").split("/") if part not in ("", ".", "..")]
