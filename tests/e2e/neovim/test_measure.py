"""`midline-bench speed editor --editor neovim`, at a server whose answers are known."""

from collections.abc import Callable
from pathlib import Path

from midline.benchmarks.speed.editors import neovim
from midline.benchmarks.speed.editors.timing import ServerOptions


def test_keys_that_bring_ghost_text_are_timed_and_the_others_counted(open_editor: Callable):
    editor = open_editor("\n", answers=["length(y)"])
    timing = neovim._typed(editor, "x = q\ny = len\n", 50, "Neovim")
    # Each space behind "=" brings some. "len" types along with it; "q" and the last line's end find
    # it on the screen; all other keys bring nothing.
    assert len(timing.screen_ms) == 2 and all(0 < shown < 2500 for shown in timing.screen_ms)
    assert timing.silent == len("x =" + "\n" + "y =")
    assert editor.text().startswith("x = q\ny = len\n")


def test_measuring_stops_at_the_number_of_keys(open_editor: Callable):
    editor = open_editor("\n", answers=["length(y)"])
    timing = neovim._typed(editor, "x = q\ny = len\n", 1, "Neovim")
    assert len(timing.screen_ms) == 1 and timing.editor == "Neovim"


def test_the_model_and_the_threads_are_settings_of_the_server(tmp_path: Path):
    init = neovim._init(tmp_path, ServerOptions(Path("/models/m.gguf"), 2)).read_text("utf-8")
    assert '"settings": {"model": "/models/m.gguf", "threads": 2}' in init
