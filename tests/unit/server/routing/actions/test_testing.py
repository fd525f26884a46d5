"""Which command runs the tests that a sentence names, and where they are."""

from collections.abc import Callable
from pathlib import Path

import pytest

from midline.model.errors import MidlineError
from midline.server.routing.actions.testing import is_test_file, run_tests
from midline.server.routing.frame import Frame
from midline.server.routing.outcome import QuestionError
from midline.server.routing.targets import Resolver
from midline.server.routing.workspace import Workspace

Run = Callable[..., str]
FILES = {
    "go.mod": "module x\n",
    "stock/count.go": "package stock\n\nfunc Count() int { return 1 }\n",
    "stock/count_test.go": "package stock\n\nfunc TestCount(t *testing.T) {}\n",
    "pyproject.toml": "[project]\nname = 'x'\n",
    "src/cart.py": "def total():\n    return 1\n",
    "tests/test_cart.py": "def test_total():\n    pass\n",
    "web/package.json": '{"devDependencies": {"vitest": "1"}}\n',
    "web/page.ts": "export function page() {}\n",
    "web/page.test.ts": 'test("page", () => {});\n',
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project in three languages."""
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.fixture
def run(root: Path) -> Run:
    """The command for a frame, with its folder in front where that is not the project's."""

    def run(text: str = "run the tests", **slots: str) -> str:
        frame = Frame("run_tests", slots, text, 1.0)
        command = run_tests(Resolver(Workspace(root), frame))
        folder = command.folder.relative_to(root).as_posix()
        return f"{'' if folder == '.' else f'{folder}: '}{' '.join(command.words)}"

    return run


@pytest.mark.parametrize(
    ("slots", "line"),
    [
        ({"path": "tests/test_cart.py"}, "pytest tests/test_cart.py"),
        ({"path": "src/cart.py"}, "pytest tests/test_cart.py"),
        ({"path": "tests"}, "pytest tests"),
        ({"symbol": "test_total"}, "pytest -k test_total"),
        ({"path": "stock/count_test.go"}, "go test ./stock"),
        ({"symbol": "TestCount"}, "go test ./... -run TestCount"),
        ({"path": "web"}, "web: npx vitest run"),
        ({"path": "page.ts"}, "web: npx vitest run page.test.ts"),
        ({"framework": "pytest"}, "pytest"),
        ({"framework": "go"}, "go test ./..."),
    ],
)
def test_what_is_named_says_which_command(run: Run, slots: dict[str, str], line: str) -> None:
    assert run(**slots) == line


def test_the_language_may_stand_in_the_sentence(run: Run) -> None:
    assert run("run the python tests") == "pytest"


def test_several_kinds_are_asked_for(run: Run, root: Path) -> None:
    with pytest.raises(QuestionError, match=r"those of `go test \./\.\.\.` or `pytest`"):
        run()
    (root / "Makefile").write_text("test:\n\ttrue\n")
    assert run() == "make test"
    assert run("run the go tests") == "go test ./..."


def test_a_folder_below_is_found_where_nothing_is_above(run: Run) -> None:
    assert run("run the typescript tests") == "web: npx vitest run"


def test_a_package_runs_its_own_script(run: Run, root: Path) -> None:
    (root / "web" / "package.json").write_text('{"scripts": {"test": "vitest"}}\n')
    assert run(path="web/page.test.ts") == "web: npm test -- page.test.ts"


def test_what_a_command_cannot_be_told_is_no_command_for_all(run: Run, root: Path) -> None:
    with pytest.raises(MidlineError, match="`make test` cannot be told to run tests"):
        run(framework="make", path="tests/test_cart.py")
    with pytest.raises(MidlineError, match="`mvn test` cannot be told to run test_total alone"):
        run(framework="mvn test", symbol="test_total")


def test_an_unknown_runner_is_asked_for(run: Run) -> None:
    with pytest.raises(QuestionError, match="no test runner is called foo; which one of "):
        run(framework="foo")


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("test_a.py", True), ("a_test.go", True), ("a.test.ts", True), ("latest.py", False)],
)
def test_files_of_tests_are_known_by_their_names(name: str, is_one: bool) -> None:
    assert is_test_file(Path(name)) is is_one
