"""Where the tests of a file go, and which command runs the tests of a project."""

from pathlib import Path

from midline.model.completion.syntax import language_of
from midline.server.routing.outcome import QuestionError, ShellCommand
from midline.server.routing.targets import Resolver
from midline.server.routing.workspace import Workspace

_BY_FILE = (
    ("Cargo.toml", ("cargo", "test")),
    ("go.mod", ("go", "test", "./...")),
    ("package.json", ("npm", "test")),
    ("pom.xml", ("mvn", "test")),
    ("build.gradle", ("gradle", "test")),
    ("build.gradle.kts", ("gradle", "test")),
    ("mix.exs", ("mix", "test")),
    ("Gemfile", ("bundle", "exec", "rspec")),
    ("pyproject.toml", ("pytest",)),
    ("setup.py", ("pytest",)),
    ("pytest.ini", ("pytest",)),
    ("Makefile", ("make", "test")),
)
_COMMANDS = {
    "unittest": "python -m unittest",
    "doctest": "python -m doctest",
    "jest": "npx jest",
    "vitest": "npx vitest run",
    "mocha": "npx mocha",
    "go test": "go test ./...",
}
_AS_THEY_ARE = frozenset(
    {
        *("pytest", "rspec", "tox", "nox", "ctest", "phpunit", "cargo test", "npm test"),
        *("mvn test", "gradle test", "make test", "yarn test", "dotnet test", "mix test"),
    }
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
    """The command that runs the tests that the frame names; QuestionError if none is known."""
    workspace, frame = resolver.workspace, resolver.frame
    named = frame["framework"].lower()
    line = _COMMANDS.get(named, named if named in _AS_THEY_ARE else "")
    words = tuple(line.split()) or _usual(workspace)
    if words is None:
        raise QuestionError("which command runs the tests of this project, pytest or another one?")
    path = resolver.path()
    name = resolver.symbol()
    if words[0] == "pytest":
        words += tuple([workspace.name_of(path)] if path else [])
        words += ("-k", name) if name else ()
    elif words[:2] == ("cargo", "test") and name:
        words += (name,)
    elif words[0] == "npx" and path:
        words += (workspace.name_of(path),)
    return ShellCommand(words, workspace.root)


def _usual(workspace: Workspace) -> tuple[str, ...] | None:
    for name, words in _BY_FILE:
        if (workspace.root / name).is_file():
            return words
    is_python = any(path.name.startswith("test_") for path in workspace.paths())
    return ("pytest",) if is_python else None
