"""Where the tests of a file go, and which command runs the tests of a project."""

import re
from dataclasses import dataclass
from pathlib import Path

from midline.model.completion.syntax import language_of
from midline.model.errors import MidlineError
from midline.server.routing.outcome import QuestionError, ShellCommand
from midline.server.routing.targets import Resolver
from midline.server.routing.workspace import Workspace

_SCRIPT = "javascript"
_BY_FILE = (
    ("Cargo.toml", "rust", "cargo test"),
    ("go.mod", "go", "go test ./..."),
    ("package.json", _SCRIPT, "npm test"),
    ("pom.xml", "java", "mvn test"),
    ("build.gradle", "java", "gradle test"),
    ("build.gradle.kts", "java", "gradle test"),
    ("mix.exs", "elixir", "mix test"),
    ("Gemfile", "ruby", "bundle exec rspec"),
    ("pyproject.toml", "python", "pytest"),
    ("setup.py", "python", "pytest"),
    ("pytest.ini", "python", "pytest"),
)
_MAKE = re.compile(r"^test\s*:", re.MULTILINE)
_FAMILY = {"typescript": _SCRIPT, "tsx": _SCRIPT, "node": _SCRIPT, "js": _SCRIPT, "kotlin": "java"}
_LANGUAGES = frozenset(language for _, language, _ in _BY_FILE) | _FAMILY.keys()
_OF_LANGUAGE = re.compile(rf"\b({'|'.join(sorted(_LANGUAGES))})\s+(?:unit\s+)?tests?\b")
_COMMANDS = {
    "unittest": "python -m unittest",
    "doctest": "python -m doctest",
    "jest": "npx jest",
    "vitest": "npx vitest run",
    "mocha": "npx mocha",
    "go test": "go test ./...",
    "npm": "npm test",
    "cargo": "cargo test",
    "make": "make test",
}
SCRIPT_RUNNERS = ("vitest", "jest", "mocha")
_AS_THEY_ARE = frozenset(
    {
        *("pytest", "rspec", "tox", "nox", "ctest", "phpunit", "cargo test", "npm test"),
        *("mvn test", "gradle test", "make test", "yarn test", "dotnet test", "mix test"),
    }
)
_TAKES_FILES = frozenset({"pytest", "npx", "mix", "bundle", "rspec", "phpunit"})
_BY_NAME = {"pytest": "-k", "jest": "-t", "vitest": "-t", "mocha": "-g", "go": "-run"}
"""The options that choose tests by their names."""


@dataclass(frozen=True)
class _Runner:
    """A command that runs tests in a folder, and the language that they are of, "" for any."""

    language: str
    line: str
    folder: Path


def is_test_file(path: Path) -> bool:
    """Whether a file is one of tests, by its name."""
    name = path.name.lower()
    return name.startswith("test_") or any(
        part in name for part in ("_test.", ".test.", ".spec.", "_spec.", "test.java")
    )


def test_file_of(path: Path, workspace: Workspace) -> Path | None:
    """The file for the tests of `path`; None where the language keeps them in the file itself."""
    language, stem = language_of(path.name), path.stem
    if language == "python":
        folder = workspace.root / "tests"
        return (folder if folder.is_dir() else path.parent) / f"test_{stem}.py"
    if language in ("javascript", "typescript", "tsx"):
        return path.with_name(f"{stem}.test{path.suffix}")
    if language == "go":
        return path.with_name(f"{stem}_test.go")
    if language == "java":
        return path.with_name(f"{stem}Test.java")
    return None


def run_tests(resolver: Resolver) -> ShellCommand:
    """The command that runs the tests that the frame names.

    Raises QuestionError if none is known, or several would do; MidlineError for a file that the
    command cannot be told.
    """
    path, name = resolver.path(), resolver.symbol()
    if path is not None and path.is_file() and not is_test_file(path):
        tests = test_file_of(path, resolver.workspace)
        path = tests if tests is not None and tests.is_file() else path
    runner = _named(resolver) or _usual(resolver, path)
    words = tuple(runner.line.split())
    if path is not None and path != runner.folder:
        words = _of_path(words, path, runner)
    if name:
        words = _of_name(words, name, runner)
    return ShellCommand(words, runner.folder)


def _named(resolver: Resolver) -> _Runner | None:
    """The runner that the sentence names; None for none, or for the name of a language."""
    named = resolver.frame["framework"].lower()
    line = _COMMANDS.get(named, named if named in _AS_THEY_ARE else "")
    if line:
        return _Runner("", line, resolver.workspace.root)
    if named and named not in _LANGUAGES:
        known = ", ".join(sorted(_COMMANDS.keys() | _AS_THEY_ARE))
        raise QuestionError(f"no test runner is called {named}; which one of {known}?")
    return None


def _usual(resolver: Resolver, path: Path | None) -> _Runner:
    """The runner of the language that is meant, of the folder that is nearest to the tests."""
    folder, language = _meant(resolver, path)
    workspace = resolver.workspace
    folders = [f for f in (folder, *folder.parents) if f.is_relative_to(workspace.root)]
    for folder in folders or [workspace.root]:
        found = _runners(workspace, folder)
        if language:
            found = [runner for runner in found if runner.language == language]
        has_make = _MAKE.search(workspace.text(folder / "Makefile") or "") is not None
        if has_make and (not found or (len(found) > 1 and not language)):
            found = [_Runner("", "make test", folder)]
        if len(found) > 1:
            lines = " or ".join(f"`{runner.line}`" for runner in found)
            raise QuestionError(f"which tests are to be run, those of {lines}?")
        if found:
            return found[0]
    below = [r for r in _runners_below(workspace) if language in ("", r.language)]
    if len(below) == 1:
        return below[0]
    raise QuestionError("which command runs the tests of this project, pytest or another one?")


def _meant(resolver: Resolver, path: Path | None) -> tuple[Path, str]:
    """The folder and the language of the tests that are meant; "" where nothing says which."""
    frame, root = resolver.frame, resolver.workspace.root
    named = _OF_LANGUAGE.search(frame.text.lower())
    language = named[1] if named else frame["framework"].lower()
    if path is None and resolver.symbol():
        paths = {definition.source.path for definition in resolver.candidates()}
        path = paths.pop() if len(paths) == 1 else None
    if not language and path is not None:
        language = _language_in(resolver.workspace, path)
    folder = root if path is None else path if path.is_dir() else path.parent
    return folder, _FAMILY.get(language, language)


def _language_in(workspace: Workspace, path: Path) -> str:
    """The language of a file, or the only one with tests that the files of a folder have."""
    paths = [p for p in workspace.paths() if p.is_relative_to(path)] if path.is_dir() else [path]
    names = {language_of(p.name) or "" for p in paths}
    found = {_FAMILY.get(name, name) for name in names} & _LANGUAGES
    return found.pop() if len(found) == 1 else ""


def _runners(workspace: Workspace, folder: Path) -> list[_Runner]:
    """What runs tests in a folder, by the files of its build; one of each language."""
    found: dict[str, _Runner] = {}
    for name, language, line in _BY_FILE:
        if (folder / name).is_file():
            line = _line_of_scripts(workspace, folder / name) if language == _SCRIPT else line
            if line:
                found.setdefault(language, _Runner(language, line, folder))
    paths = workspace.paths() if folder == workspace.root else []
    if any(path.name.startswith("test_") and path.suffix == ".py" for path in paths):
        found.setdefault("python", _Runner("python", "pytest", folder))
    return list(found.values())


def _runners_below(workspace: Workspace) -> list[_Runner]:
    """What runs tests in the folders of a project that has nothing for them at its top."""
    names = {name for name, _, _ in _BY_FILE}
    folders = sorted({path.parent for path in workspace.paths() if path.name in names})
    return [runner for folder in folders for runner in _runners(workspace, folder)]


def _line_of_scripts(workspace: Workspace, package: Path) -> str:
    """The command of a package of JavaScript: its own script, or else the runner it depends on."""
    text = workspace.text(package) or ""
    if re.search(r'"test"\s*:', text):
        return "npm test"
    return next((_COMMANDS[name] for name in SCRIPT_RUNNERS if f'"{name}"' in text), "")


def _of_path(words: tuple[str, ...], path: Path, runner: _Runner) -> tuple[str, ...]:
    """The command for the tests in a file or folder; MidlineError if it runs all or none."""
    inside = path.is_relative_to(runner.folder)
    name = path.relative_to(runner.folder).as_posix() if inside else str(path)
    if words[:2] == ("go", "test"):
        folder = f"{name}/..." if path.is_dir() else Path(name).parent.as_posix()
        return ("go", "test", f"./{folder}" if folder != "." else ".")
    if words == ("npm", "test"):
        return (*words, "--", name)
    if words[0] in _TAKES_FILES:
        return (*words, name)
    raise MidlineError(
        f"`{runner.line}` cannot be told to run {name} alone; say `run the tests` to run all"
    )


def _of_name(words: tuple[str, ...], name: str, runner: _Runner) -> tuple[str, ...]:
    """The command for tests of this name; MidlineError if it runs all or none."""
    if words[:2] == ("cargo", "test"):
        return (*words, name)
    tool = words[1] if words[0] == "npx" else words[0]
    if tool not in _BY_NAME:
        raise MidlineError(
            f"`{runner.line}` cannot be told to run {name} alone; say `run the tests` to run all"
        )
    return (*words, _BY_NAME[tool], name)
