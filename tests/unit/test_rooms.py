"""The house rules that a reviewer should not have to check: directions, names, sizes."""

import ast
import re
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from cxx_functions import function_lengths

ROOT = Path(__file__).resolve().parent.parent.parent
MAY_IMPORT = {
    "kernels": {"kernels"},
    "model": {"kernels", "model"},
    "server": {"kernels", "model", "server"},
    "benchmarks": {"kernels", "model", "server", "benchmarks"},
}
# Within a room imports go one way too: a sub-room may import itself and those in front of it.
SUB_ROOMS = {
    "model": (
        "catalog", "weights", "tokenizer", "teal", "runtime", "decoding", "engines", "completion",
        "data_quality", "compression", "intents", "vision", "sandbox", "strategies",
    ),
    "server": ("context", "routing", "lsp", "http", "daemon", "cli"),
}  # fmt: skip
HEAVY = ("torch", "transformers", "onnxruntime", "onnx", "optimum", "llama_cpp", "openvino_genai")
CXX = {".cpp", ".h", ".inc"}
HAS_HTTP = all(find_spec(name) for name in ("starlette", "uvicorn", "prometheus_client"))
"""Whether the packages of the extra `http` are installed."""
MAX_FILE_LINES = 400
MAX_KERNEL_FILE_LINES = 250
MAX_FUNCTION_LINES = 60
P90_FUNCTION_LINES = 30
MEDIAN_FUNCTION_LINES = 10
MAX_PARAMETERS = 7  # self and cls not counted
MAX_METHODS = 15
# What is over these two budgets, with its number: entries may fall and go, none may rise or come.
OVER_PARAMETERS = {"_plan_matrix": 8, "complete": 8, "confined": 9}
OVER_METHODS = {
    "CompletionTask": 16,
    "Decoding": 26,
    "Language": 16,
    "LlamaVim": 22,
    "MidlineSpeed": 17,
    "NativeEngine": 16,
    "Tokenizer": 21,
}


def _files(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _function_lengths(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            place = f"{path.relative_to(ROOT)}:{node.lineno}:{node.name}"
            yield place, node.end_lineno - node.lineno + 1


def _worst(lengths: dict[str, int], count: int = 5) -> str:
    ranked = sorted(lengths.items(), key=lambda item: -item[1])[:count]
    return "the longest: " + ", ".join(f"{name} ({n})" for name, n in ranked)


def _definitions(
    node: ast.AST, prefix: str = ""
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
    """Functions and classes by qualified name."""
    for child in ast.iter_child_nodes(node):
        inner = prefix
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield prefix + child.name, child
            inner = f"{prefix}{child.name}."
        yield from _definitions(child, inner)


def _parameter_count(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    a = function.args
    positional = [*a.posonlyargs, *a.args]
    own = bool(positional) and positional[0].arg in {"self", "cls"}
    return len(positional) + len(a.kwonlyargs) - own


def _method_count(node: ast.ClassDef) -> int:
    return sum(isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef) for n in node.body)


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_point_one_way(room: str) -> None:
    """Kernels <- model <- server; nobody imports benchmarks.

    Kernels know arrays and one decoder step: no files, no tensor names, no text of tokens.
    """
    forbidden = []
    for path in _files(room):
        for name in _imports(ast.parse(path.read_text("utf-8"))):
            parts = name.split(".")
            if parts[0] == "midline" and parts[1] not in MAY_IMPORT[room]:
                forbidden.append(f"{path.relative_to(ROOT)} imports {name}")
            if parts[0] in MAY_IMPORT:
                forbidden.append(f"{path.relative_to(ROOT)} imports bare {name}")
    assert forbidden == []


def _sub_room(name: str, room: str) -> str | None:
    parts = name.split(".")
    inside = parts[:2] == ["midline", room] and len(parts) > 2 and parts[2] in SUB_ROOMS[room]
    return parts[2] if inside else None


@pytest.mark.parametrize("room", SUB_ROOMS)
def test_imports_within_a_room_point_one_way(room: str) -> None:
    """No cycles among sub-rooms; files that belong to none are in front of all of them."""
    order = {name: number for number, name in enumerate(SUB_ROOMS[room])}
    forbidden = []
    for path in _files(room):
        own = order.get(path.relative_to(ROOT / room).parts[0], -1)
        for name in _imports(ast.parse(path.read_text("utf-8"))):
            other = _sub_room(name, room)
            if other is not None and order[other] > own:
                forbidden.append(f"{path.relative_to(ROOT)} imports {name}")
    assert forbidden == []
    found = {p.name for p in (ROOT / room).iterdir() if (p / "__init__.py").is_file()}
    assert found == set(order)


def test_rooms_are_the_four_and_have_no_lumber() -> None:
    """Every room is a typed package, the namespace has no root, and nothing is called utils."""
    for room in MAY_IMPORT:
        assert (ROOT / room / "__init__.py").is_file()
        assert (ROOT / room / "py.typed").is_file()
        lumber = [p for p in _files(room) if {p.stem, p.parent.name} & {"utils", "common"}]
        assert lumber == []
    assert not (ROOT / "__init__.py").exists()


def test_files_and_functions_keep_to_the_budget() -> None:
    """A file is read in one go and a function at one glance."""
    files = [path for room in MAY_IMPORT for path in _files(room)]
    long_files = [
        f"{path.relative_to(ROOT)}: {lines} lines"
        for path in files
        if (lines := len(path.read_text("utf-8").splitlines())) > MAX_FILE_LINES
    ]
    assert long_files == []
    lengths = dict(item for path in files for item in _function_lengths(path))
    assert max(lengths.values()) <= MAX_FUNCTION_LINES, _worst(lengths)
    assert statistics.median(lengths.values()) <= MEDIAN_FUNCTION_LINES
    assert statistics.quantiles(lengths.values(), n=10)[-1] <= P90_FUNCTION_LINES, _worst(lengths)


def test_parameters_and_methods_keep_to_the_budget() -> None:
    """A function or class that falls below its number in a list above must be updated there."""
    parameters: Counter[str] = Counter()
    methods: Counter[str] = Counter()
    for path in (path for room in MAY_IMPORT for path in _files(room)):
        for name, node in _definitions(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                methods[name] = max(methods[name], _method_count(node))
            else:
                parameters[name] = max(parameters[name], _parameter_count(node))
    assert {
        n: count for n, count in parameters.items() if count > MAX_PARAMETERS
    } == OVER_PARAMETERS
    assert {n: count for n, count in methods.items() if count > MAX_METHODS} == OVER_METHODS


def _cxx_files(*folders: str) -> list[Path]:
    found = [p for folder in folders for p in (ROOT / folder).rglob("*") if p.suffix in CXX]
    assert found
    return sorted(found)


def test_kernel_files_keep_to_the_budget() -> None:
    """One kernel a file, the included bodies of vector kernels counted too."""
    counted = {
        str(p.relative_to(ROOT)): len(p.read_text("utf-8").splitlines())
        for p in _cxx_files("kernels/csrc")
    }
    assert any(name.endswith(".inc") for name in counted)
    assert {name: n for name, n in counted.items() if n > MAX_KERNEL_FILE_LINES} == {}


def test_cxx_functions_keep_to_the_budget() -> None:
    """The same as for Python."""
    lengths = {
        f"{path.relative_to(ROOT)}:{line}:{name}": count
        for path in _cxx_files("kernels/csrc", "tests/native")
        for name, line, count in function_lengths(path.read_text("utf-8"))
    }
    assert len(lengths) > 300
    assert max(lengths.values()) <= MAX_FUNCTION_LINES, _worst(lengths)
    assert statistics.median(lengths.values()) <= MEDIAN_FUNCTION_LINES
    assert statistics.quantiles(lengths.values(), n=10)[-1] <= P90_FUNCTION_LINES, _worst(lengths)


def test_cxx_lines_keep_to_the_column_limit() -> None:
    """That of `.clang-format`, which cannot break comments and strings without a space."""
    limit = re.search(r"ColumnLimit: (\d+)", (ROOT / ".clang-format").read_text())
    assert limit is not None
    too_long = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in _cxx_files("kernels/csrc", "tests/native")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if len(line) > int(limit[1])
    ]
    assert too_long == []


BEYOND_THE_INTERFACE = (
    "server/cli/calibration.py", "server/cli/commands/doctor.py", "benchmarks/speed/",
    "benchmarks/quality/alignment/",
    "benchmarks/quality/calibration/", "benchmarks/quality/engines/",
    "benchmarks/quality/instruction_sets/",
    "benchmarks/quality/intents/zero_shot.py",
    "benchmarks/quality/logits/", "benchmarks/quality/quantization/",
    "benchmarks/quality/screen/",
    "benchmarks/quality/sparsity/",
)  # fmt: skip
"""Who measures, calibrates or describes the native engine itself."""


def test_nobody_else_knows_the_native_engine() -> None:
    """All that generates goes through `model/engines/base.py`, whatever the engine."""
    inside = (
        "midline.model.engines.native",
        "midline.model.runtime",
        "midline.model.decoding.cont",
    )
    paths = [*_files("server"), *_files("benchmarks"), *(ROOT / "model/completion").rglob("*.py")]
    reaching = {
        str(path.relative_to(ROOT))
        for path in paths
        for name in _imports(ast.parse(path.read_text("utf-8")))
        if name.startswith(inside)
    }
    assert [path for path in sorted(reaching) if not path.startswith(BEYOND_THE_INTERFACE)] == []


def test_the_server_starts_light() -> None:
    """Importing every file of the server loads no framework, in a process of its own."""
    modules = [
        ".".join(("midline", *path.relative_to(ROOT).with_suffix("").parts))
        for path in _files("server")
        if HAS_HTTP or ROOT / "server/http" not in path.parents
    ]
    assert "midline.server.cli.commands.model" in modules
    code = (
        f"import importlib, sys; [importlib.import_module(m) for m in {modules!r}]; "
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
