"""Servers as they are: missing, dying, killed, old, without a model, still loading."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

MESSAGES = "return table.concat(require('midline.notice').history, '\\n')"


def starts(editor) -> int:
    """How often the server's process was started."""
    path = editor.log.with_suffix(".starts")
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_a_missing_program_is_one_sentence_with_the_way_out(open_editor: Callable):
    editor = open_editor("x = \n", command=["/nowhere/midline", "serve"])
    message = editor.until(MESSAGES)
    assert message.count("no program /nowhere/midline") == 1 and "midline-install" in message
    assert editor.lua("return require('midline').status().state") == "failed"
    editor.keys("Azz<Tab>q<Esc>")
    editor.until("return vim.api.nvim_get_current_line()", lambda line: line.startswith("x = zz"))


def test_a_server_that_dies_at_once_is_tried_four_times_and_then_reported(open_editor: Callable):
    editor = open_editor("x = \n", dies=3)
    editor.state("failed")
    message = editor.lua(MESSAGES)
    assert (
        "ended 4 times" in message and "exit status 3" in message and ":Midline restart" in message
    )
    assert starts(editor) == 4
    editor.keys("Az<Esc>")
    editor.line("x = z")
    assert editor.lua("return vim.api.nvim_get_mode().blocking") is False
    editor.lua("vim.cmd('Midline restart')")
    editor.until("return require('midline').status().state", lambda state: state == "starting")


def test_a_killed_server_comes_back(editor):
    editor.keys("A")
    editor.ghost("length(y) + 1")
    for _ in range(2):
        before = starts(editor)
        pids = "return vim.fn.systemlist('pgrep -P ' .. vim.fn.getpid())"
        for pid in editor.lua(pids):
            command = Path(f"/proc/{pid}/cmdline")
            if command.exists() and b"scripted_server" in command.read_bytes():
                os.kill(int(pid), signal.SIGKILL)
        editor.until("return require('midline.client').get() == nil")
        limit = time.monotonic() + 20
        while starts(editor) == before:
            assert time.monotonic() < limit
            editor.lua("vim.wait(20)")
        editor.attached()
        editor.keys("z<BS>")
        editor.ghost("length(y) + 1")
    said = editor.lua("return vim.api.nvim_exec2('messages', { output = true }).output")
    assert "quit with" not in said


def test_no_model_is_said_and_pulled_from_the_editor(open_editor: Callable):
    editor = open_editor("x = \n", no_model=True, answers=["length(y)"])
    editor.state("noModel")
    message = editor.until(MESSAGES)
    assert ":Midline pull" in message and message.count("Midline has no model") == 1
    assert editor.lua("return require('midline').statusline()") == "Midline has no model"
    editor.lua(
        """_G.seen = {}
        vim.api.nvim_create_autocmd('User', { pattern = 'MidlineStatus', callback = function()
          table.insert(_G.seen, require('midline').statusline())
        end })"""
    )
    editor.lua("vim.cmd('Midline pull')")
    editor.state("ready")
    assert editor.lua("return _G.seen") == ["Midline pulling 50%", "Midline"]
    [asked] = editor.asked("workspace/executeCommand")
    assert asked["params"] == {"command": "midline.pullModel", "arguments": ["tiny"]}


def test_an_old_server_without_a_model_is_pulled_by_the_command_line(
    open_editor: Callable, tmp_path: Path
):
    program = tmp_path / "midline"
    script = Path(__file__).resolve().parent.parent.parent / "scripted_server.py"
    program.write_text(
        f'#!/bin/sh\nif [ "$1" = model ]; then echo "$@" > {tmp_path}/pulled; exit 0; fi\n'
        f"exec {sys.executable} -I {script}\n"
    )
    program.chmod(0o755)
    sentence = "Midline: the model q is not here yet; `midline model pull q` fetches it"
    editor = open_editor(
        "x = \n", command=[str(program), "serve"], old=True, message=sentence,
        answers=["length(y)"], options="{ settings = { model = 'q' } }",
    )  # fmt: skip
    editor.state("noModel")
    assert ":Midline pull fetches q" in editor.until(MESSAGES)
    editor.lua("vim.cmd('Midline pull')")
    editor.until(
        "return vim.fn.filereadable(...)".replace("...", f"'{tmp_path}/pulled'"),
        lambda found: found == 1,
    )
    assert (tmp_path / "pulled").read_text() == "model pull q\n"
    limit = time.monotonic() + 20
    while starts(editor) < 2:
        assert time.monotonic() < limit
        editor.lua("vim.wait(20)")
    editor.attached()
    editor.keys("A")
    editor.ghost("length(y)")


def test_an_old_server_shows_ghost_text_all_the_same(open_editor: Callable):
    editor = open_editor("x = \n", old=True, answers=["length(y)"])
    editor.attached()
    editor.keys("A")
    editor.ghost("length(y)")
    assert editor.lua("return require('midline.client').tells_status") is False
    editor.lua("vim.cmd('Midline pause')")
    editor.until(MESSAGES, lambda said: "no command midline.pause; update Midline" in said)


def test_loading_is_seen_in_the_status_line_and_at_the_cursor(open_editor: Callable):
    editor = open_editor("x = \n", loading=0.6, answers=["length(y)"])
    editor.attached()
    editor.keys("A")
    shown = editor.until(
        """local hint = vim.api.nvim_create_namespace('midline.hint')
        local mark = vim.api.nvim_buf_get_extmarks(0, hint, 0, -1, { details = true })[1]
        return mark and mark[4].virt_text[1][1] or ''""",
        lambda text: "%" in text,
    )
    assert shown.startswith("  Midline loading ")
    editor.state("ready")
    hint = "vim.api.nvim_create_namespace('midline.hint')"
    editor.until(f"return #vim.api.nvim_buf_get_extmarks(0, {hint}, 0, -1, {{}}) == 0")


def test_settings_arrive_as_an_object_and_change_without_a_restart(open_editor: Callable):
    editor = open_editor("x = \n", answers=["length(y)"])
    editor.attached()
    [asked] = editor.asked("initialize")
    assert asked["params"]["initializationOptions"] == {}
    editor.lua("require('midline').setup({ settings = { maxTokens = 8 } })")
    editor.until("return true")
    limit = time.monotonic() + 10
    while not (sent := editor.asked("workspace/didChangeConfiguration")):
        assert time.monotonic() < limit
        editor.lua("vim.wait(20)")
    assert sent[-1]["params"]["settings"] == {"midline": {"maxTokens": 8}}


def test_wrong_options_are_said_and_the_others_hold(open_editor: Callable):
    editor = open_editor(
        "x = \n", options="{ keys = { nonsense = 'a' }, sparsity = 1, automatic = 'x' }"
    )
    said = editor.until(MESSAGES, lambda said: said.count("Midline:") == 3)
    assert "keys.nonsense is no action" in said and "sparsity is no option" in said
    assert "automatic is a string and should be a boolean" in said
    editor.attached()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (".env", "may hold secrets"),
        ("server.PEM", "may hold secrets"),
        ("COMMIT_EDITMSG", "filetype"),
    ],
)
def test_files_that_are_none_of_its_business_are_not_sent(
    open_editor: Callable, name: str, reason: str
):
    editor = open_editor("x = \n", "y = \n", names=(name, "b.py"), answers=["length(y)"])
    editor.lua("vim.cmd('filetype on')")
    editor.keys(":buffer 2<CR>")
    editor.attached()
    editor.lua("vim.cmd('buffer 1')")
    editor.keys("Az<Esc>")
    editor.line("x = z")
    assert reason in editor.lua("return require('midline.filter').reason(1) or ''")
    assert editor.lua("return require('midline').statusline()") == "Midline off"
    editor.lua("vim.cmd('buffer 2')")
    editor.keys("Ax = ")
    editor.ghost("length(y)")
    opened = editor.asked("textDocument/didOpen")
    assert [sent["params"]["textDocument"]["uri"][-4:] for sent in opened] == ["b.py"]
