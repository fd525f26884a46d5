"""Numbers of a source tree: files by folder, long signatures and classes, state, repetition."""

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

ROOMS = ("kernels", "model", "server", "benchmarks")
MOST_PARAMETERS = 7
MOST_METHODS = 15
MOST_CPP_CHARACTERS = 120
REPEATED_LINES = 6
CPP = frozenset({".cpp", ".h", ".inc"})
CACHES = frozenset({"cache", "lru_cache"})
CONTAINERS = (ast.Dict, ast.List, ast.Set, ast.DictComp, ast.ListComp, ast.SetComp)


def files_by_folder(root: Path) -> dict[str, int]:
    """Python and C++ files of every folder of the rooms that has some."""
    found = (p for room in ROOMS for p in (root / room).rglob("*"))
    sources = (p for p in found if p.suffix in {".py", *CPP} and p.name != "__init__.py")
    return dict(sorted(Counter(str(p.parent.relative_to(root)) for p in sources).items()))


def long_signatures(root: Path) -> list[str]:
    """Functions of more than MOST_PARAMETERS parameters, `self` included, with their number."""
    return [
        f"{place} {node.name}: {count}"
        for place, node in _functions(root)
        if (count := _parameters(node.args)) > MOST_PARAMETERS
    ]


def large_classes(root: Path) -> list[str]:
    """Classes of more than MOST_METHODS methods, with their number."""
    return [
        f"{place} {node.name}: {count}"
        for place, tree in _trees(root)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and (count := sum(isinstance(each, _FUNCTION) for each in node.body)) > MOST_METHODS
    ]


def module_state(root: Path) -> list[str]:
    """What outlives a call without an owner.

    Names rebound by `global`, results kept by functools' caches, and containers at module level
    that are not named as constants.
    """
    found = []
    for place, tree in _trees(root):
        rebound = {
            name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names
        }
        kept = {f"{n.name}()" for n in ast.walk(tree) if isinstance(n, _FUNCTION) and _is_kept(n)}
        held = {name for name, value in _assigned(tree) if isinstance(value, CONTAINERS)}
        lower = {name for name in held if name != name.upper() and not name.startswith("__")}
        found += [f"{place} {name}" for name in sorted(rebound | kept | lower)]
    return found


def long_cpp_lines(root: Path) -> int:
    """Lines of the kernels of more than MOST_CPP_CHARACTERS characters."""
    sources = [p for p in (root / "kernels").rglob("*") if p.suffix in CPP]
    lines = (line for path in sources for line in path.read_text("utf-8").splitlines())
    return sum(len(line) > MOST_CPP_CHARACTERS for line in lines)


def repetitions(root: Path) -> list[str]:
    """Places of REPEATED_LINES equal lines in a row that stand somewhere else, too.

    White space, empty lines, imports and lines without a letter do not count. Longer runs are one
    place, named by their first line.
    """
    places: dict[tuple[str, ...], list[tuple[str, int]]] = defaultdict(list)
    for path in _python(root):
        lines = _telling_lines(path)
        for start in range(len(lines) - REPEATED_LINES + 1):
            window = lines[start : start + REPEATED_LINES]
            key = tuple(text for _, text in window)
            places[key].append((str(path.relative_to(root)), window[0][0]))
    starts = sorted(place for found in places.values() if len(found) > 1 for place in found)
    return [
        f"{file}:{line}"
        for (before, last), (file, line) in pairwise([("", 0), *starts])
        if before != file or line > last + REPEATED_LINES
    ]


_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def _python(root: Path) -> Iterator[Path]:
    for room in ROOMS:
        yield from sorted((root / room).rglob("*.py"))


def _trees(root: Path) -> Iterator[tuple[str, ast.Module]]:
    for path in _python(root):
        yield str(path.relative_to(root)), ast.parse(path.read_text("utf-8"))


def _functions(root: Path) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for place, tree in _trees(root):
        for node in ast.walk(tree):
            if isinstance(node, _FUNCTION):
                yield place, node


def _parameters(args: ast.arguments) -> int:
    named = len(args.posonlyargs) + len(args.args) + len(args.kwonlyargs)
    return named + (args.vararg is not None) + (args.kwarg is not None)


def _is_kept(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    names = {
        each.id if isinstance(each, ast.Name) else each.attr
        for decorator in node.decorator_list
        for each in ast.walk(decorator)
        if isinstance(each, ast.Name | ast.Attribute)
    }
    return bool(names & CACHES)


def _assigned(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in tree.body:
        if isinstance(node, ast.Assign):
            yield from ((t.id, node.value) for t in node.targets if isinstance(t, ast.Name))
        elif isinstance(node, ast.AnnAssign) and node.value and isinstance(node.target, ast.Name):
            yield node.target.id, node.value


def _telling_lines(path: Path) -> list[tuple[int, str]]:
    numbered = enumerate((line.strip() for line in path.read_text("utf-8").splitlines()), 1)
    return [
        (number, line)
        for number, line in numbered
        if any(map(str.isalpha, line)) and not line.startswith(("import ", "from "))
    ]
