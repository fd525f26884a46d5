""":Midline, :checkhealth midline, the help, and what happens to keys that were mapped before."""

from collections.abc import Callable
from pathlib import Path

import pytest

MESSAGES = "return table.concat(require('midline.notice').history, '\\n')"


@pytest.mark.parametrize("scope", ["buffer", "filetype", "global"])
def test_switched_off_nothing_is_sent_and_switched_on_it_goes_on(editor, scope: str):
    editor.keys("A")
    editor.ghost("length(y) + 1")
    editor.lua(f"vim.cmd('Midline toggle {scope}')")
    editor.no_ghost()
    sent = len(editor.asked("textDocument/didChange"))
    editor.keys("zz<BS><BS>")
    editor.line("x = ")
    editor.lua("vim.wait(300)")
    assert len(editor.asked("textDocument/didChange")) == sent
    assert editor.asked("textDocument/didClose")
    assert editor.lua("return require('midline').statusline()") == "Midline off"
    editor.lua(f"vim.cmd('Midline on {scope}')")
    editor.attached()
    editor.keys("l")
    editor.ghost("ength(y) + 1")


def test_status_tells_what_there_is_to_tell(editor):
    editor.state("ready")
    lines = editor.lua("return require('midline.commands').describe(0)")
    assert "model      tiny" in lines and "speed      31 tokens per second" in lines
    assert "here       on" in lines
    assert editor.lua("return require('midline').statusline()") == "Midline 31 tok/s"
    shown = editor.lua("return vim.api.nvim_exec2('Midline', { output = true }).output")
    assert shown.startswith("state      ready")


def test_subcommands_are_completed_and_wrong_ones_refused(editor):
    complete = "return vim.fn.getcompletion('Midline {}', 'cmdline')"
    assert "status" in editor.lua(complete.format(""))
    assert editor.lua(complete.format("toggle f")) == ["filetype"]
    editor.lua("vim.cmd('Midline nonsense')")
    editor.until(MESSAGES, lambda said: "nonsense is no subcommand" in said)


def test_checkhealth_finds_the_program_the_server_and_the_last_error(
    open_editor: Callable, tmp_path: Path
):
    program = tmp_path / "midline"
    program.write_text(
        "#!/bin/sh\n"
        'case "$1" in --version) echo "midline 9.9";; doctor) echo \'{"kernels": {"path": "avx2"},'
        ' "threads": 2, "model": {"name": "tiny", "path": "/m.gguf"}, "problems": ["hot"]}\';;\n'
        "*) exit 4;; esac\n"
    )
    program.chmod(0o755)
    editor = open_editor("x = \n", command=[str(program), "serve"])
    editor.state("failed")
    editor.lua("vim.cmd('checkhealth midline')")
    report = editor.until(
        "return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, true), '\\n')",
        lambda text: "Keys and buffers" in text,
    )
    for found in ("midline 9.9", "model tiny: /m.gguf", "kernels avx2, 2 threads", "hot"):
        assert found in report
    assert "it does not run" in report and "last error: Midline is off: the server ended" in report


def test_help_has_every_option_key_and_subcommand(editor):
    editor.lua(
        """
        for _, path in ipairs(vim.api.nvim_get_runtime_file('doc/midline.txt', true)) do
          _G.help = table.concat(vim.fn.readfile(path), '\\n')
        end
        """
    )
    names = editor.lua(
        """
        local names = vim.tbl_keys(require('midline.config').defaults)
        table.insert(names, 'filter')
        vim.list_extend(names, vim.tbl_keys(require('midline.config').defaults.keys))
        for _, name in ipairs(require('midline.commands').names()) do
          table.insert(names, ':Midline ' .. name)
        end
        return names
        """
    )
    text = editor.lua("return _G.help")
    assert len(names) > 20 and [name for name in names if name not in text] == []


def test_a_key_does_what_it_did_before_where_there_is_nothing_to_accept(open_editor: Callable):
    editor = open_editor(
        "x = \n",
        answers=["length(y)"],
        init="""
        vim.keymap.set('i', '<Tab>', function() return 'mine' end, { expr = true })
        vim.keymap.set('i', '<M-Right>', '<Right>there')
        """,
    )
    editor.attached()
    editor.keys("Az<Tab><M-Right>")
    editor.line("x = zminethere")
    editor.keys("<Esc>ccx = ")
    editor.ghost("length(y)")
    editor.keys("<Tab>")
    editor.line("x = length(y)")


def test_keys_may_be_left_to_the_user(open_editor: Callable):
    editor = open_editor(
        "x = \n",
        answers=["length(y)"],
        options="{ keys = false }",
        init="vim.keymap.set('i', '<C-l>', '<Plug>(midline-accept)')",
    )
    editor.attached()
    assert editor.lua("return vim.fn.maparg('<M-]>', 'i')") == ""
    editor.keys("A")
    editor.ghost("length(y)")
    editor.keys("<C-l>")
    editor.line("x = length(y)")


def test_a_mapping_that_is_an_expression_may_accept(open_editor: Callable):
    editor = open_editor(
        "x = \n",
        answers=["length(y)"],
        init="""vim.keymap.set('i', '<C-l>', function()
          return require('midline').accept() and '' or 'none'
        end, { expr = true })""",
    )
    editor.attached()
    editor.keys("A")
    editor.ghost("length(y)")
    editor.keys("<C-l>")
    editor.line("x = length(y)")
    editor.keys("<C-l>")
    editor.line("x = length(y)none")


def test_the_builtin_menu_and_ghost_text_get_along(open_editor: Callable):
    editor = open_editor("lengthy\nx = \n", answers=["length(y)"])
    editor.attached()
    editor.keys("jAle")
    editor.ghost("ngth(y)")
    editor.keys("<C-x><C-n>")
    editor.line("x = lengthy")
    editor.no_ghost()
    editor.keys("<C-e>")
    editor.line("x = le")
    editor.ghost("ngth(y)")
    editor.keys("<Tab>")
    editor.line("x = length(y)")


def test_builtin_inline_completion_does_not_draw_a_second_time(open_editor: Callable):
    editor = open_editor("x = \n", answers=["length(y)"])
    if editor.version < (0, 12):
        pytest.skip("this Neovim has none")
    editor.lua("vim.lsp.inline_completion.enable(true)")
    editor.attached()
    editor.keys("A")
    editor.ghost("length(y)")
    editor.lua("vim.wait(400)")
    built_in = editor.lua("return vim.api.nvim_get_namespaces()['nvim.lsp.inline_completion']")
    marks = f"return #vim.api.nvim_buf_get_extmarks(0, {built_in}, 0, -1, {{}})"
    assert built_in is None or editor.lua(marks) == 0
