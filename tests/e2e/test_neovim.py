"""editor-clients/neovim in a real Neovim: MIDLINE_NVIM, or the one on the PATH, 0.11 or newer."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from editor import FAKE_SERVER

PLUGIN = Path(__file__).resolve().parent.parent.parent / "editor-clients" / "neovim"
GHOST = """
local ns = vim.api.nvim_get_namespaces()['nvim.lsp.inline_completion']
local marks = ns and vim.api.nvim_buf_get_extmarks(0, ns, 0, -1, { details = true }) or {}
return marks[1] and marks[1][4].virt_text and marks[1][4].virt_text[1][1] or ''
"""


@dataclass
class Neovim:
    """A running Neovim, spoken to through its socket."""

    command: str
    socket: Path
    version: tuple[int, int]

    def lua(self, code: str) -> Any:
        wrapped = f"json_encode(luaeval('(function() {code.replace(chr(39), chr(39) * 2)} end)()'))"
        done = self._remote("--remote-expr", wrapped.replace("\n", " "))
        return json.loads(done.stdout or done.stderr)

    def keys(self, keys: str) -> None:
        self._remote("--remote-send", keys)

    def until(self, code: str, wanted: Callable[[Any], bool] = bool) -> Any:
        limit = time.monotonic() + 20
        while not wanted(value := self.lua(code)):
            assert time.monotonic() < limit, (value, self.lua("return vim.fn.execute('messages')"))
            time.sleep(0.05)
        return value

    def text(self) -> str:
        return "\n".join(self.lua("return vim.api.nvim_buf_get_lines(0, 0, -1, true)"))

    def _remote(self, how: str, what: str) -> subprocess.CompletedProcess[str]:
        command = [self.command, "--server", str(self.socket), how, what]
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)


@pytest.fixture
def neovim(tmp_path: Path) -> Iterator[Neovim]:
    command = os.environ.get("MIDLINE_NVIM") or shutil.which("nvim")
    if command is None:
        pytest.skip("no nvim on the PATH, and MIDLINE_NVIM names none")
    shown = subprocess.run([command, "--version"], capture_output=True, text=True).stdout
    match = re.match(r"NVIM v(\d+)\.(\d+)", shown)
    if match is None or (version := (int(match[1]), int(match[2]))) < (0, 11):
        pytest.skip(f"{command} is older than Neovim 0.11")
    socket = tmp_path / "nvim.sock"
    process = _started(command, socket, tmp_path)
    try:
        while not socket.exists():
            assert process.poll() is None
            time.sleep(0.02)
        yield Neovim(command, socket, version)
    finally:
        process.kill()
        process.wait()


def _started(command: str, socket: Path, folder: Path) -> "subprocess.Popen[bytes]":
    init, source = folder / "init.lua", folder / "a.py"
    source.write_text("x = \n", "utf-8")
    server = json.dumps([sys.executable, "-P", str(FAKE_SERVER)])
    init.write_text(
        f"""
        vim.opt.swapfile = false
        vim.opt.runtimepath:append({json.dumps(str(PLUGIN))})
        vim.lsp.config('midline', {{
          cmd = vim.json.decode([==[{server}]==]),
          settings = {{ midline = {{ samples = 2 }} }},
        }})
        vim.keymap.set('i', '<Tab>', '<Plug>(midline-accept)')
        vim.keymap.set('i', '<M-]>', '<Plug>(midline-next)')
        """,
        "utf-8",
    )
    fake = {"log": str(folder / "asked"), "folder": str(folder), "answer": "length(y)|other"}
    environment = {**os.environ, "MIDLINE_HOME": str(folder), "MIDLINE_FAKE": json.dumps(fake)}
    return subprocess.Popen(
        [command, "--headless", "--listen", str(socket), "-u", str(init), str(source)],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _attached(neovim: Neovim) -> None:
    neovim.until("local c = vim.lsp.get_clients({ name = 'midline' })[1] return c ~= nil")


def test_ghost_text_is_shown_cycled_and_accepted(neovim: Neovim) -> None:
    if neovim.version < (0, 12):
        pytest.skip("ghost text needs Neovim 0.12")
    _attached(neovim)
    neovim.keys("A")
    assert neovim.until(GHOST) == "length(y)"
    neovim.keys("<M-]>")
    neovim.until(GHOST, lambda shown: shown.startswith("other"))
    neovim.keys("<Tab>")
    neovim.until("return vim.api.nvim_get_current_line()", lambda line: line == "x = other")


@pytest.mark.parametrize(("typed", "expected"), [("len", "x = length(y)"), ("z", "x = z")])
def test_a_completion_that_typing_has_overtaken_spoils_nothing(
    neovim: Neovim, typed: str, expected: str
) -> None:
    if neovim.version < (0, 12):
        pytest.skip("ghost text needs Neovim 0.12")
    _attached(neovim)
    neovim.keys("A")
    neovim.until(GHOST)
    neovim.keys(f"{typed}<Tab>")
    neovim.until("return vim.api.nvim_get_current_line()", lambda line: line == expected)
    time.sleep(0.1)
    assert neovim.text() == expected


def test_without_ghost_text_there_is_a_menu(neovim: Neovim) -> None:
    if neovim.version >= (0, 12):
        pytest.skip("this Neovim shows ghost text")
    _attached(neovim)
    neovim.keys("Al<M-]>")
    neovim.until("return vim.fn.pumvisible() == 1")
    neovim.keys("<C-n><C-y>")
    line = neovim.until("return vim.api.nvim_get_current_line()", lambda line: len(line) > 6)
    assert line.startswith("x = l")
