"""`midline-bench speed editor --editor neovim`, at a server whose answers are known."""

from collections.abc import Callable

from midline.benchmarks.speed.editors import neovim


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
