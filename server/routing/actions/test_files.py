"""Tests that the model writes: how they begin, and the file that they go to."""

import re
from dataclasses import dataclass
from pathlib import Path

from midline.model.completion.syntax import language_of
from midline.model.errors import MidlineError
from midline.server.routing.actions.code_blocks import block_is_over, code_of, not_valid, parses
from midline.server.routing.actions.testing import SCRIPT_RUNNERS, test_file_of
from midline.server.routing.edits import Edit, TextEdit
from midline.server.routing.outcome import Answer
from midline.server.routing.targets import Target
from midline.server.routing.workspace import Workspace

_USUAL = {"python": "pytest", "java": "JUnit", "go": "the package testing", "rust": "#[test]"}
_JAVASCRIPT = ("javascript", "typescript", "tsx")
_NODE_TEST = 'import assert from "node:assert/strict";\nimport test from "node:test";\n'
_IMPORT = re.compile(r"(?:import|from)\s[^\n]*|const [^\n]*= require\([^\n]*|package [^\n]*")
_BEGINS = re.compile(r"\n(?:async def test|def test|func Test|(?:test|it)\()")
MOST = 4
"""Tests of one answer; small models repeat themselves in longer ones."""
_TEST = re.compile(r"def test|\btest\(|\bit\(|func Test|@Test|#\[test\]|TEST(_F)?\(|assert")
_MODULE = re.compile(r"^\s*(?:export|import)\b", re.MULTILINE)


@dataclass(frozen=True)
class TestPlan:
    """What the tests of a target begin with, and where they go; `path` None if only shown."""

    __test__ = False
    target: Target
    workspace: Workspace
    framework: str
    path: Path | None

    @classmethod
    def of(cls, target: Target, workspace: Workspace, framework: str = "") -> "TestPlan":
        """The plan for a target; the project's framework unless one is named."""
        language = language_of(target.path.name) or ""
        framework = framework or _framework(language, target.path, workspace)
        return cls(target, workspace, framework, test_file_of(target.path, workspace))

    @property
    def with_framework(self) -> str:
        """The framework as a part of a sentence."""
        return f" with {self.framework}" if self.framework else ""

    @property
    def language(self) -> str:
        """The language of the target."""
        return language_of(self.target.path.name) or ""

    @property
    def tested(self) -> str:
        """The name to import: the function, or the class that it is a method of."""
        definition = self.target.definition
        if definition is None:
            return "*" if self.language == "python" else ""
        return definition.container if definition.is_member else definition.name

    @property
    def _name(self) -> str:
        definition = self.target.definition
        return re.sub(r"\W", "", definition.name).strip("_") if definition else ""

    def is_enough(self, text: str) -> bool:
        """Whether a text that goes on behind `begins` has its tests, or its block is over."""
        return block_is_over(text) or len(_BEGINS.findall(text)) >= MOST

    @property
    def begins(self) -> str:
        """The fence and the lines that the model need not guess."""
        head = ""
        if self.language == "python":
            head = f"from {_module(self.target.path)} import {self.tested}\n"
            if self.framework.lower() == "pytest":
                head = f"import pytest\n\n{head}\n\ndef test_{self._name}"
        elif self.language in _JAVASCRIPT and self.tested:
            head = self._javascript()
        elif self.language == "go":
            tested = self._name[:1].upper() + self._name[1:]
            head = f'package {self._package()}\n\nimport "testing"\n\nfunc Test{tested}'
        return f"```{self.language}\n{head}"

    def _javascript(self) -> str:
        is_module = _MODULE.search(self.workspace.text(self.target.path) or "")
        name = self.target.path.name
        imports = {
            "vitest": 'import { describe, expect, test } from "vitest";\n',
            "node:test": _NODE_TEST,
        }.get(self.framework, "")
        if not is_module:
            imports = re.sub(r"import (.*) from (\"\S+\");", r"const \1 = require(\2);", imports)
            own = f'const {{ {self.tested} }} = require("./{name}");'
            return f"{imports}{own}\n\n{self._javascript_test}"
        stem = name if name.endswith("js") else self.target.path.stem
        return f'{imports}import {{ {self.tested} }} from "./{stem}";\n\n{self._javascript_test}'

    @property
    def _javascript_test(self) -> str:
        claim = "assert." if self.framework == "node:test" else "expect("
        return f'test("{self._name}", () => {{\n  {claim}'

    def _package(self) -> str:
        found = re.search(r"(?m)^package\s+(\w+)", self.workspace.text(self.target.path) or "")
        return found[1] if found else "main"

    def outcome(self, text: str) -> Edit | Answer:
        """The tests as a new file, at the end of the one there is, or shown.

        Raises MidlineError for a text that has no tests in it, or does not parse.
        """
        code = _whole(_first_tests(code_of(text)), self.language)
        code = _without_unused(code)
        path = self.path
        if path is None:
            return Answer(code, self.language or "text")
        before = self.workspace.data(path)
        if not before or not before.strip():
            edits = (TextEdit(path, 0, len(before or b""), code.encode()),)
            return Edit(f"tests go into {path.name}", edits, frozenset({path} - _there(path)))
        return Edit(f"tests are added to {path.name}", _added(path, before, code))


def _there(path: Path) -> set[Path]:
    return {path} if path.exists() else set()


def _first_tests(code: str) -> str:
    """The code up to the test after the last that is wanted."""
    begins = [match.start() for match in _BEGINS.finditer(f"\n{code}")]
    kept = code[: begins[MOST] - 1] if len(begins) > MOST else code
    return re.sub(r"\n{2,}(?=(?:async )?def |@|class )", "\n\n\n", kept)


def _whole(code: str, language: str) -> str:
    """The code as far as it has tests and parses: its end may have been cut off.

    Raises MidlineError if no beginning of it does.
    """
    parts = re.split(r"(\n\n+)", code)
    lines = code.splitlines()
    close = "});\n" if language in _JAVASCRIPT else "}\n" if language == "go" else ""
    shorter = ["".join(parts[:end]).rstrip() + "\n" for end in range(len(parts), 0, -2)]
    shorter += ["\n".join(lines[:end]) + f"\n{close}" for end in range(len(lines), 0, -1)]
    tested = [kept for kept in shorter if _has_tests(kept)]
    if not tested:
        raise MidlineError("the model wrote no tests, and nothing was changed; try again")
    found = next((kept for kept in tested if parses(kept, language)), None)
    if found is None:
        raise not_valid(language)
    return found


def _has_tests(code: str) -> bool:
    """Whether more than imports is there."""
    return any(_TEST.search(row) for row in code.splitlines() if not _IMPORT.fullmatch(row))


def _without_unused(code: str) -> str:
    """The code without the import of pytest, if nothing is asked of it."""
    return code if "pytest." in code else code.replace("import pytest\n\n", "", 1)


def _added(path: Path, before: bytes, code: str) -> tuple[TextEdit, ...]:
    """Tests at the end of a file, and the imports that it lacks behind its first ones."""
    known = set(before.decode("utf-8", "replace").splitlines())
    lines = code.splitlines()
    head = [line for line in lines if _IMPORT.fullmatch(line)]
    body = "\n".join(line for line in lines if line not in head).strip("\n")
    lacking = [line for line in head if line not in known and not line.startswith("package ")]
    lacking = [line for line in lacking if not _is_imported(line, before)]
    end = len(before)
    gap = "" if before.endswith(b"\n") else "\n"
    blank = "\n\n" if path.suffix == ".py" else "\n"
    edits = [TextEdit(path, end, end, f"{gap}{blank}{body}\n".encode())]
    if lacking:
        at = _behind_imports(before)
        edits.insert(0, TextEdit(path, at, at, "".join(f"{line}\n" for line in lacking).encode()))
    return tuple(edits)


def _is_imported(line: str, before: bytes) -> bool:
    """Whether a file imports what `from module import name` does, together with other names."""
    match = re.fullmatch(r"from (\S+) import (\w+)", line)
    if match is None:
        return False
    names = rf"(?m)^from {re.escape(match[1])} import (?:\([^)]*|[^\n(]*)\b{match[2]}\b(?! as)"
    return re.search(names, before.decode("utf-8", "replace")) is not None


def _behind_imports(before: bytes) -> int:
    """Offset of the line behind the last line of imports in front of all other code, or 0."""
    at = found = 0
    for line in before.splitlines(keepends=True):
        at += len(line)
        if _IMPORT.fullmatch(line.decode("utf-8", "replace").rstrip()):
            found = at
        elif re.match(rb"def |class |@|test\(|describe\(|func ", line):
            break
    return found


def _framework(language: str, path: Path, workspace: Workspace) -> str:
    """What tests of a file are written with: in scripts, what the nearest package depends on."""
    if language not in _JAVASCRIPT:
        return _USUAL.get(language, "")
    packages = (folder / "package.json" for folder in path.parents if workspace.has(folder))
    nearest = next((workspace.text(package) for package in packages if package.is_file()), None)
    return next((name for name in SCRIPT_RUNNERS if f'"{name}"' in (nearest or "")), "node:test")


def _module(path: Path) -> str:
    """The dotted name of a Python file, from the outermost package on."""
    parts, folder = [path.stem], path.parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)
