"""What a person sees: Neovim in a terminal (tmux), with the real server and the real model."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from midline.benchmarks.speed.editors.neovim_session import InstalledNeovim

PLUGIN = Path(__file__).resolve().parents[3] / "editor-clients" / "neovim"
SOURCE = '''def parse_version(text: str) -> tuple[int, ...]:
    """The numbers of a version such as 1.20.3."""
'''


class Terminal:
    """A tmux server of its own with one window."""

    def __init__(self, folder: Path, command: list[str], environment: dict[str, str]) -> None:
        self._tmux = ["tmux", "-S", str(folder / "tmux"), "-f", "/dev/null"]
        size = ("-x", "80", "-y", "16")
        subprocess.run(
            [*self._tmux, "new-session", "-d", *size, *command], env=environment, check=True
        )

    def keys(self, *keys: str) -> None:
        subprocess.run([*self._tmux, "send-keys", *keys], check=True)

    def screen(self) -> str:
        done = subprocess.run(
            [*self._tmux, "capture-pane", "-p"], capture_output=True, text=True, check=True
        )
        return done.stdout

    def until(self, wanted: Callable[[str], bool], seconds: float = 60) -> str:
        limit = time.monotonic() + seconds
        while not wanted(screen := self.screen()):
            assert time.monotonic() < limit, screen
            time.sleep(0.05)
        return screen

    def close(self) -> None:
        subprocess.run([*self._tmux, "kill-server"], check=False)


@pytest.fixture
def terminal(
    installed: InstalledNeovim | None, tmp_path: Path, qwen05_path: Path
) -> Iterator[Terminal]:
    """Neovim with a file of Python, the cursor behind its last line."""
    if installed is None:
        pytest.skip("no Neovim is installed here; `make neovim` installs some for the tests")
    if installed.numbers != (0, 12):
        pytest.skip("the terminal is shown by the newest one alone: loading the model takes long")
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed here")
    path, init = tmp_path / "version.py", tmp_path / "init.lua"
    path.write_text(SOURCE, "utf-8")
    command = [sys.executable, "-P", "-m", "midline.server.cli.main", "serve", "--own"]
    settings = {"model": str(qwen05_path), "threads": 2}
    init.write_text(
        f"""
        vim.opt.runtimepath:append({json.dumps(str(PLUGIN))})
        vim.g.loaded_python3_provider = 0
        vim.o.laststatus = 2
        vim.o.statusline = "%f %=%{{v:lua.require'midline'.statusline()}} "
        require('midline').setup({{
          command = vim.json.decode([==[{json.dumps(command)}]==]),
          settings = vim.json.decode([==[{json.dumps(settings)}]==]),
        }})
        """,
        "utf-8",
    )
    environment = {**os.environ, "TERM": "xterm-256color", "XDG_STATE_HOME": str(tmp_path)}
    call = [installed.command, "-n", "-i", "NONE", "-u", str(init), str(path)]
    terminal = Terminal(tmp_path, call, environment)
    yield terminal
    terminal.close()


def test_the_real_model_in_a_terminal(terminal: Terminal, tmp_path: Path):
    terminal.until(lambda screen: "def parse_version" in screen)
    terminal.until(
        lambda screen: (
            "Midline" in screen
            and not any(word in screen for word in ("starting", "loading", "stopped"))
        )
    )
    terminal.keys("G", "o", "return ")
    terminal.until(lambda screen: _return_line(screen) != "return")
    time.sleep(0.5)
    shown = terminal.screen()
    ghost = _return_line(shown).removeprefix("return").strip()
    assert ghost and "no model" not in shown
    terminal.keys("Tab")
    terminal.keys("Escape")
    terminal.keys(":write", "Enter")
    path = tmp_path / "version.py"
    limit = time.monotonic() + 20
    while (written := path.read_text("utf-8")) == SOURCE:
        assert time.monotonic() < limit
        time.sleep(0.05)
    assert ghost in written and written.startswith(SOURCE)


def _return_line(screen: str) -> str:
    lines = [line.strip() for line in screen.splitlines() if line.strip().startswith("return")]
    return lines[0] if lines else "return"
