import pytest

from midline.benchmarks.mbxp import doctor
from midline.benchmarks.mbxp.doctor import diagnose, examine, render
from midline.benchmarks.mbxp.languages import NAMES, ToolchainMissing, language


def test_every_language_and_kind_of_isolation_is_listed() -> None:
    state = diagnose()
    assert [row["language"] for row in state["languages"]] == list(NAMES)
    assert set(state["sandboxes"]) == {"bubblewrap", "unshare", "landlock", "seatbelt"}
    assert state["languages"][0]["version"].startswith("Python 3")
    text = render(state)
    assert all(name in text for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_tool_comes_with_its_commands(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluator = type(language(name))()

    def missing(tool: object) -> str:
        raise ToolchainMissing(f"{name} needs {tool}")

    monkeypatch.setattr(evaluator, "find", missing)
    monkeypatch.setattr(evaluator, "tool_version", missing)
    monkeypatch.setattr(doctor, "language", lambda asked: evaluator)
    monkeypatch.setenv("MIDLINE_MBXP_NODE", "/nowhere")
    monkeypatch.setattr("shutil.which", lambda *args, **kwargs: None)
    state = examine(name)
    assert state.version == ""
    assert state.reason
    assert all(state.debian), state
    assert all(state.macos), state
    if name in doctor.NPM_LANGUAGES:
        assert any(command.startswith("npm install ") for command in state.debian)


def test_without_isolation_the_way_to_some_is_named() -> None:
    state = {"sandboxes": {"bubblewrap": "not found"}, "languages": []}
    assert "apt-get install bubblewrap" in render(state)
    state["sandboxes"] = {"bubblewrap": "works"}
    assert "apt-get" not in render(state)
