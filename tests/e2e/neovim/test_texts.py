"""Texts that are easily spoiled: line ends, wide characters, tabs, many edits, two buffers."""

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from scripted_server import random_answer

EDITS = 200
KEYS = "abcdefgxyz_.,=+ 0123456789"


def test_crlf_stays_crlf(open_editor: Callable, tmp_path: Path):
    editor = open_editor("x = \r\ny\r\n", answers=["f(a,\r\n    b)"])
    editor.attached()
    editor.keys("A")
    editor.ghost("f(a,\n    b)")
    editor.keys("<Tab><Esc>")
    editor.becomes("x = f(a,\n    b)\ny")
    editor.lua("vim.cmd('silent write')")
    assert (tmp_path / "a.py").read_bytes() == b"x = f(a,\r\n    b)\r\ny\r\n"


@pytest.mark.parametrize("before", ["s = '😀😀' + ", "名前 = ", "\t\tx\t= ", "e\u0301 = "])
def test_wide_characters_and_tabs_before_the_cursor(open_editor: Callable, before: str):
    before = before.replace("+ ", "= ")
    editor = open_editor(f"{before}\n", answers=["値😀(y)\tz", "other"])
    editor.attached()
    editor.keys("A")
    editor.until("return require('midline').visible()", lambda shown: shown == "値😀(y)\tz")
    editor.keys("値")
    editor.until("return require('midline').visible()", lambda shown: shown == "😀(y)\tz")
    editor.keys("<Tab>")
    editor.line(f"{before}値😀(y)\tz")
    editor.keys("q")
    editor.line(f"{before}値😀(y)\tzq")


def test_tabs_of_a_completion_are_drawn_as_wide_as_they_will_be(open_editor: Callable):
    editor = open_editor("\tx = \n", answers=["a\tb\n\tc"], names=("a.go",))
    editor.attached()
    editor.lua("vim.bo.tabstop = 8")
    editor.keys("A")
    # x stands in cell 8, so a in cell 12, and the tab character behind it ends at 16.
    editor.ghost("a   b\n        c")


def test_a_tab_still_indents_where_the_completion_only_indents(open_editor: Callable):
    editor = open_editor("if x:\n\n", answers=[])
    editor.attached()
    editor.lua(
        """
        vim.opt_local.expandtab = true
        vim.opt_local.shiftwidth = 4
        vim.opt_local.softtabstop = 4
        local client = require('midline.client')
        local call = client.call
        client.call = function(c, method, name, params, handler, ...)
          if method == 'request' and name == 'textDocument/inlineCompletion' then
            local typed = vim.api.nvim_get_current_line()
            local item = ('    return y'):sub(#typed + 1)
            vim.schedule(function() handler(nil, { items = { { insertText = item } } }) end)
            return true, 1
          elseif method == 'cancel_request' then
            return
          end
          return call(c, method, name, params, handler, ...)
        end
        """
    )
    editor.keys("jA")
    editor.ghost("    return y")
    editor.keys("<Tab>")
    editor.line("    ")
    editor.ghost("return y")
    editor.keys("<Tab>")
    editor.line("    return y")


def test_only_insert_mode_shows_ghost_text(editor):
    editor.keys("A")
    editor.ghost("length(y) + 1")
    for keys, mode in [("<Esc>", "n"), ("v", "v"), ("<Esc>R", "R"), ("<Esc>:", "c")]:
        editor.keys(keys)
        editor.until("return vim.api.nvim_get_mode().mode", lambda found, m=mode: found == m)
        editor.no_ghost()
    editor.keys("<Esc>$R<Right>")
    editor.lua("vim.wait(50)")
    editor.no_ghost()


def test_a_macro_is_carried_out_without_ghost_text_in_its_way(editor):
    editor.lua("vim.fn.setreg('q', 'Azz\\27')")
    editor.keys("2@q")
    editor.line("x = zzzz")


def test_two_buffers_have_their_own(open_editor: Callable):
    editor = open_editor("x = \n", "import os\nx = \n", answers=["length(y)", "zzz"])
    editor.attached()
    editor.keys("A")
    editor.ghost("length(y)")
    editor.keys("<C-o>:bnext<CR>")
    editor.until("return vim.fn.expand('%:t')", lambda name: name == "b.py")
    editor.attached()
    editor.until("return vim.api.nvim_get_mode().mode", lambda mode: mode == "i")
    marks = "vim.api.nvim_buf_get_extmarks(1, require('midline.ghost').namespace, 0, -1, {})"
    assert editor.lua(f"return #{marks}") == 0
    editor.keys("<Esc>GAz")
    editor.ghost("zz")
    editor.keys("<Tab><Esc>")
    editor.becomes("import os\nx = zzz")
    assert editor.lua("return vim.api.nvim_buf_get_lines(1, 0, -1, true)") == ["x = "]
    assert editor.lua("return #vim.lsp.get_clients({ name = 'midline' })") == 1


def word_of(text: str) -> str:
    """The next word of a completion, written down a second time."""
    match = re.match(r"\s*(?:\w+|[^\w\s]+)", text)
    return match[0] if match else text


def line_of(text: str) -> str:
    """The next line of a completion, written down a second time."""
    match = re.match(r"\n*[^\n]*", text)
    assert match
    return match[0]


PARTS = {"<Tab>": lambda text: text, "<M-Right>": word_of, "<M-C-Right>": line_of}


class Expected:
    """What the buffer has to be: a text and a cursor, without an editor."""

    def __init__(self) -> None:
        self.text, self.at = "start\n", 0

    def insert(self, text: str) -> None:
        self.text = self.text[: self.at] + text + self.text[self.at :]
        self.at += len(text)

    def delete(self) -> None:
        if self.at:
            self.text = self.text[: self.at - 1] + self.text[self.at :]
            self.at -= 1

    def position(self) -> list[int]:
        before = self.text[: self.at]
        return [before.count("\n") + 1, len(before.rpartition("\n")[2].encode())]

    def ghost(self) -> str:
        return random_answer(self.text[: self.at])


def test_random_edits_with_accepted_completions_leave_exactly_the_expected_text(
    open_editor: Callable,
):
    editor = open_editor("start\n\n", random=True, names=("a.txt",))
    editor.attached()
    editor.lua("vim.cmd('set noexpandtab noautoindent nosmarttab backspace=indent,eol,start')")
    editor.keys("i")
    expected, source, accepted = Expected(), random.Random(7), 0
    for _ in range(EDITS):
        kind = source.random()
        if kind < 0.5:
            ghost = expected.ghost()
            shown = editor.until(
                "return require('midline').visible() or ''",
                lambda found, ghost=ghost: not ghost or found == ghost,
            )
            if ghost and shown:
                key = source.choice(list(PARTS))
                if key != "<Tab>" or not ghost.startswith((" ", "\n")):
                    editor.keys(key)
                    expected.insert(PARTS[key](ghost))
                    accepted += 1
        elif kind < 0.7:
            typed = "".join(source.choices(KEYS, k=source.randint(1, 3)))
            editor.keys(typed)
            expected.insert(typed)
        elif kind < 0.75:
            editor.keys("<CR>")
            expected.insert("\n")
        elif kind < 0.85:
            editor.keys("<BS>")
            expected.delete()
        else:
            expected.at = source.randint(0, len(expected.text))
            editor.lua("vim.api.nvim_win_set_cursor(0, ...)", expected.position())
        editor.becomes(expected.text)
    assert accepted > EDITS / 5
    editor.keys("<Esc>")
    editor.becomes(expected.text)
