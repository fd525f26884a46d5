"""Timing a real editor: what is counted, and what is missing."""

import json
from pathlib import Path

import pytest

from midline.benchmarks.speed import editor
from midline.benchmarks.speed.editors import EDITORS, vscode
from midline.benchmarks.speed.editors.timing import ServerOptions, Timing, TypedText, typed_text
from midline.model.errors import MidlineError

TYPED = TypedText("a.py", "x = 1\n", "y = x\n")
SERVER = ServerOptions(Path("/tiny.gguf"))


def test_the_last_lines_are_typed_behind_the_others(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("1\n2\n3\n")
    assert typed_text(path, 2) == TypedText("a.py", "1\n", "2\n3\n")


def test_medians_are_of_the_keys_that_brought_ghost_text() -> None:
    found = editor.found(Timing("Some 1.0", [30.0, 10.0, 20.0], [5.0], silent=4))
    assert found["median_screen_milliseconds"] == 20.0
    assert (found["median_server_milliseconds"], found["silent_keys"]) == (5.0, 4)
    told = editor.lines({**found, "model": "tiny"})
    assert "median 20 ms" in told[1] and "median 5 ms" in told[2]


def test_a_server_that_tells_no_time_is_said_and_no_ghost_text_at_all_is_an_error() -> None:
    found = editor.found(Timing("Some 1.0", [1.0], []))
    assert "not told" in editor.lines({**found, "model": "tiny"})[2]
    with pytest.raises(MidlineError, match="no key brought ghost text"):
        editor.found(Timing("Some 1.0", [], []))


@pytest.mark.parametrize("name", EDITORS)
def test_every_editor_has_a_module(name: str) -> None:
    module = editor.importlib.import_module(f"midline.benchmarks.speed.editors.{name}")
    assert callable(module.measure)


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for Node that the test writes."""
    monkeypatch.setattr(vscode, "tools_folder", lambda: tmp_path)
    extension = tmp_path / "midline.vsix"
    extension.touch()
    monkeypatch.setattr(vscode, "EXTENSION", extension)
    program = tmp_path / "bin" / "node"
    program.parent.mkdir()
    return program


def test_vscode_gets_the_work_and_its_times_are_read(node: Path, tmp_path: Path) -> None:
    answer = {"screen": [12.5], "server": [9], "silent": 1, "version": "1.1", "browser": "C 2"}
    node.write_text(f"#!/bin/sh\ncat > {tmp_path}/work\necho '{json.dumps(answer)}'\n")
    node.chmod(0o755)
    timing = vscode.measure(SERVER, TYPED, 50)
    assert timing == Timing("VS Code 1.1 in C 2", [12.5], [9], 1)
    work = json.loads((tmp_path / "work").read_text())
    assert (work["before"], work["text"], work["samples"]) == ("x = 1\n", "y = x\n", 50)
    assert work["settings"]["midline.modelFile"] == "/tiny.gguf"


def test_what_node_says_of_a_failure_is_in_the_sentence(node: Path) -> None:
    node.write_text("#!/bin/sh\necho 'Error: no screen' >&2\nexit 1\n")
    node.chmod(0o755)
    with pytest.raises(MidlineError, match=r"could not be measured: Error: no screen$"):
        vscode.measure(SERVER, TYPED, 50)


def test_a_missing_extension_is_a_sentence(node: Path) -> None:
    with pytest.raises(MidlineError, match="run `make vsix`"):
        vscode.measure(SERVER, TYPED, 50)
