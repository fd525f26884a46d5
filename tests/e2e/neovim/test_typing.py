"""Ghost text while typing: shown, typed through, accepted in parts, cycled, hidden."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from editor import FAKE_SERVER
from tiny_model import QWEN2, write_tiny_model


def test_ghost_text_comes_and_is_accepted(editor):
    editor.keys("A")
    editor.ghost("length(y) + 1")
    editor.keys("<Tab>")
    editor.line("x = length(y) + 1")
    editor.no_ghost()
    assert editor.lua("return vim.api.nvim_win_get_cursor(0)") == [1, 17]


def test_typing_along_shrinks_it_without_a_gap(editor):
    editor.keys("A")
    editor.ghost("length(y) + 1")
    editor.lua(
        """
        _G.seen = {}
        local ghost = require('midline.ghost')
        local draw, clear = ghost.draw, ghost.clear
        ghost.draw = function(bufnr, row, col, text, ...)
            table.insert(_G.seen, text)
            return draw(bufnr, row, col, text, ...)
        end
        """
    )
    for number, key in enumerate("leng", 1):
        editor.keys(key)
        editor.ghost("length(y) + 1"[number:])
    editor.keys("<Tab>")
    editor.line("x = length(y) + 1")
    seen = editor.lua("return _G.seen")
    assert list(dict.fromkeys(seen))[:4] == [
        "ength(y) + 1", "ngth(y) + 1", "gth(y) + 1", "th(y) + 1",
    ]  # fmt: skip


@pytest.mark.parametrize(("typed", "line"), [("len", "x = length(y) + 1"), ("z", "x = z\t")])
def test_a_key_and_tab_at_once_never_spoil_the_text(editor, typed: str, line: str):
    editor.lua("vim.bo.expandtab = false")
    editor.keys("A")
    editor.ghost("length(y) + 1")
    editor.keys(f"{typed}<Tab>")
    editor.line(line)


def test_text_the_server_has_nothing_for_leaves_no_ghost(editor):
    editor.keys("A")
    editor.ghost("length(y) + 1")
    editor.keys("zz")
    editor.no_ghost()
    editor.line("x = zz")


def test_words_and_lines_are_accepted_one_by_one(open_editor: Callable):
    editor = open_editor("x = \n", answers=["one_word(two,\n    three)\ny = 4"])
    editor.attached()
    editor.keys("A")
    editor.ghost("one_word(two,\n    three)\ny = 4")
    for line, key in [
        ("x = one_word", "<M-Right>"),
        ("x = one_word(", "<M-Right>"),
        ("x = one_word(two,", "<M-C-Right>"),
        ("    three)", "<M-C-Right>"),
    ]:
        editor.keys(key)
        editor.line(line)
    editor.ghost("\ny = 4")
    editor.keys("<M-C-Right>")
    editor.becomes("x = one_word(two,\n    three)\ny = 4")


def test_the_next_one_is_asked_for_by_hand_and_the_first_comes_again(editor):
    editor.keys("A")
    editor.ghost("length(y) + 1")
    editor.keys("<M-]>")
    editor.ghost("other")
    assert editor.asked()[-1]["params"]["context"]["triggerKind"] == 1
    editor.keys("<M-]>")
    editor.ghost("length(y) + 1")
    editor.keys("<M-[>")
    editor.ghost("other")
    editor.keys("oth")
    editor.ghost("er")
    editor.keys("<Tab>")
    editor.line("x = other")


def test_a_chosen_one_stays_while_a_word_of_it_is_accepted(open_editor: Callable):
    editor = open_editor("x = \n", answers=["first", "second third"])
    editor.attached()
    editor.keys("A")
    editor.ghost("first")
    editor.keys("<M-]>")
    editor.ghost("second third")
    editor.keys("<M-Right>")
    editor.line("x = second")
    editor.ghost(" third")


def test_by_hand_where_nothing_comes_by_itself(open_editor: Callable):
    editor = open_editor("x = \n", answers=["length(y)", "other"], options="{ automatic = false }")
    editor.attached()
    editor.keys("A")
    editor.keys("<M-Bslash>")
    editor.ghost("length(y)")
    assert [a["params"]["context"]["triggerKind"] for a in editor.asked()] == [1]


def test_escape_and_dismiss_cancel(editor):
    editor.keys("A")
    editor.ghost("length(y) + 1")
    editor.keys("<C-]>")
    editor.no_ghost()
    editor.keys("l")
    editor.ghost("ength(y) + 1")
    editor.keys("<Esc>")
    editor.no_ghost()
    assert editor.text() == "x = l"


def test_escape_cancels_what_is_still_computed(open_editor: Callable):
    editor = open_editor("x = \n", answers=["length(y)"], seconds=0.4)
    editor.attached()
    editor.keys("A")
    editor.until("return require('midline.completion').asking() == 'automatic'")
    editor.keys("<Esc>")
    editor.until("return require('midline.completion').asking() == nil")
    assert editor.until("return true") and _until(lambda: editor.asked("$/cancelRequest"))
    editor.lua("vim.wait(600)")
    editor.no_ghost()


def test_a_newer_key_cancels_the_older_request_and_its_answer_is_not_shown(open_editor: Callable):
    editor = open_editor("x = \n", answers=["length(y)", "zz"], seconds=0.2)
    editor.attached()
    editor.keys("A")
    editor.keys("z")
    editor.ghost("z")
    asked, cancelled = editor.asked(), editor.asked("$/cancelRequest")
    assert [c["params"]["id"] for c in cancelled] == [a["id"] for a in asked[:-1]]


def test_undo_takes_back_the_completion_alone(editor):
    editor.keys("Al")
    editor.ghost("ength(y) + 1")
    editor.keys("<Tab>")
    editor.line("x = length(y) + 1")
    editor.keys(" # more<Esc>")
    editor.line("x = length(y) + 1 # more")
    for line in ("x = length(y) + 1", "x = l", "x = "):
        editor.keys("u")
        editor.line(line)
    editor.keys("<C-r><C-r>")
    editor.line("x = length(y) + 1")


def test_inside_a_token(open_editor: Callable):
    editor = open_editor("x = len(y)\n", answers=["length"])
    editor.attached()
    editor.keys("0fn")
    editor.keys("a")
    editor.ghost("gth")
    editor.keys("<Tab>")
    editor.line("x = length(y)")
    assert editor.lua("return vim.api.nvim_win_get_cursor(0)") == [1, 10]


def test_many_lines_in_front_of_a_rest_are_drawn_over_it(open_editor: Callable):
    editor = open_editor("x = )\n", answers=["(a,\n    b"])
    editor.attached()
    editor.keys("0f)i")
    editor.ghost("(a,\n    b")
    mark = editor.lua(
        """return vim.api.nvim_buf_get_extmarks(
            0, vim.api.nvim_create_namespace('midline.ghost'), 0, -1, { details = true })[1][4]"""
    )
    assert mark["virt_text_pos"] == "overlay"
    assert mark["virt_lines"][0][-1] == [")", "Normal"]
    editor.keys("<Tab>")
    editor.becomes("x = (a,\n    b)")


def _until(found: Callable[[], object]) -> bool:
    limit = time.monotonic() + 10
    while not found():
        assert time.monotonic() < limit
        time.sleep(0.01)
    return True


def test_another_text_for_the_same_place_takes_the_place_of_none(
    open_editor: Callable, tmp_path: Path
) -> None:
    answers = {"small.gguf": "", "large.gguf": "length(y) + 1"}
    small, large = (write_tiny_model(tmp_path / name, QWEN2) for name in answers)
    settings = (
        f"settings = {{ model = {json.dumps(str(small))}, pauseModel = {json.dumps(str(large))} }}"
    )
    editor = open_editor(
        "x = \n",
        command=[sys.executable, "-P", str(FAKE_SERVER)],
        options=f"{{ {settings} }}",
        answers=answers,
    )
    editor.attached()
    editor.state("ready")
    log = tmp_path / "home" / "logs" / "midline.log"
    editor.until(
        "return true", lambda _: log.exists() and "completes at pauses" in log.read_text("utf-8")
    )
    editor.keys("A")
    editor.ghost("length(y) + 1")
    editor.keys("le")
    editor.ghost("ngth(y) + 1")
