"""From no model to ghost text in the editor, with the real server: :Midline pull."""

from collections.abc import Callable
from pathlib import Path

SECONDS = 90
MESSAGES = "return table.concat(require('midline.notice').history, '\\n')"


def test_a_model_is_pulled_and_completes_without_a_restart(
    open_real: Callable, smollm2_path: Path, tmp_path: Path
):
    editor = open_real(
        "for i in range(10):\n    print(i)\n\nfor i in range(20):\n    pr\n",
        settings={"model": "smollm2-135m"},
        environment={"MIDLINE_SOURCES": str(smollm2_path.parent)},
    )
    editor.until(
        "return require('midline').status().state", lambda state: state == "noModel", SECONDS
    )
    assert ":Midline pull fetches smollm2-135m" in editor.until(MESSAGES)
    editor.lua("vim.cmd('Midline pull')")
    editor.until(
        "return require('midline').status().state", lambda state: state == "ready", SECONDS
    )
    assert "smollm2-135m is here" in editor.until(MESSAGES, lambda said: "is here" in said)
    assert list((tmp_path / "home").rglob(smollm2_path.name))
    editor.keys("GA")
    ghost = editor.until("return require('midline').visible()", seconds=SECONDS)
    assert ghost.startswith("int")
