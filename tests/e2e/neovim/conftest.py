"""A Neovim of every version that is installed here, with the plug-in and a server of the test's."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from midline.benchmarks.speed.editors.neovim_session import (
    InstalledNeovim,
    NeovimSession,
    installed_neovims,
)

TESTS = Path(__file__).resolve().parent.parent.parent
PLUGIN = TESTS.parent / "editor-clients" / "neovim"
SCRIPTED = [sys.executable, "-I", str(TESTS / "scripted_server.py")]
REAL = [sys.executable, "-P", "-m", "midline.server.cli.main", "serve", "--own"]
FAKE = [sys.executable, "-P", str(TESTS / "fake_server.py")]
GHOST = """
local marks = vim.api.nvim_buf_get_extmarks(
  0, vim.api.nvim_create_namespace('midline.ghost'), 0, -1, { details = true })
if not marks[1] then return '' end
local lines = {}
local function join(chunks)
  local text = ''
  for _, chunk in ipairs(chunks) do
    if chunk[2] == 'MidlineGhost' then text = text .. chunk[1] end
  end
  return text
end
table.insert(lines, join(marks[1][4].virt_text))
for _, line in ipairs(marks[1][4].virt_lines or {}) do table.insert(lines, join(line)) end
return table.concat(lines, '\\n')
"""


class Editor(NeovimSession):
    """A session whose server writes every message of the client to a log."""

    log: Path
    version: tuple[int, int]

    def ghost(self, wanted: str) -> None:
        """Wait until exactly this ghost text is on the screen."""
        self.until(GHOST, lambda shown: shown == wanted)

    def no_ghost(self) -> None:
        """Wait until there is none."""
        self.until(GHOST, lambda shown: shown == "")

    def line(self, wanted: str) -> None:
        """Wait until the cursor's line is this."""
        self.until("return vim.api.nvim_get_current_line()", lambda line: line == wanted)

    def becomes(self, text: str) -> None:
        """Wait until the buffer is this."""
        self.until(
            "return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, true), '\\n')",
            lambda found: found == text,
        )

    def asked(self, method: str = "textDocument/inlineCompletion") -> list[dict[str, Any]]:
        """The client's messages of a method, in order."""
        if not self.log.exists():
            return []
        messages = map(json.loads, self.log.read_text("utf-8").splitlines())
        return [message for message in messages if message.get("method") == method]

    def receives(self, method: str) -> list[dict[str, Any]]:
        """The client's messages of a method, once there is one."""
        limit = time.monotonic() + 20
        while not (found := self.asked(method)):
            assert time.monotonic() < limit, f"no {method} was sent"
            self.lua("vim.wait(20)")
        return found

    def attached(self) -> None:
        """Wait until the server is attached to the current buffer."""
        self.until("return require('midline.client').of(vim.api.nvim_get_current_buf()) ~= nil")

    def state(self, wanted: str) -> None:
        """Wait until Midline's state is this."""
        self.until("return require('midline').status().state", lambda state: state == wanted)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test of this folder runs in every Neovim."""
    if "installed" in metafunc.fixturenames:
        found: list[InstalledNeovim | None] = [*installed_neovims()] or [None]
        names = [neovim.version if neovim else "none" for neovim in found]
        metafunc.parametrize("installed", found, ids=names)


@pytest.fixture
def open_editor(
    installed: InstalledNeovim | None, tmp_path: Path
) -> Iterator[Callable[..., Editor]]:
    """Start Neovims; the files' texts and the server's script are the test's."""
    if installed is None:
        pytest.skip("no Neovim is installed here; `make neovim` installs some for the tests")
    pytest.importorskip("pynvim", reason="pynvim drives Neovim; `make test` installs it")
    editors: list[Editor] = []

    def start(
        *texts: str | bytes,
        names: tuple[str, ...] = ("a.py", "b.py"),
        command: list[str] = SCRIPTED,
        init: str = "",
        options: str = "{}",
        environment: dict[str, str] | None = None,
        **script: Any,
    ) -> Editor:
        paths = [tmp_path / name for name in names[: len(texts)]]
        for path, text in zip(paths, texts, strict=False):
            path.write_bytes(text.encode() if isinstance(text, str) else text)
        log = tmp_path / "asked.jsonl"
        script = {"log": str(log), "folder": str(tmp_path), **script}
        editor = Editor(
            installed.command,
            _init(tmp_path, command, init, options),
            paths,
            {
                "MIDLINE_SCRIPT": json.dumps(script),
                "MIDLINE_FAKE": json.dumps(script),
                "MIDLINE_HOME": str(tmp_path / "home"),
                "XDG_STATE_HOME": str(tmp_path / "state"),
                "XDG_CONFIG_HOME": str(tmp_path / "config"),
                **(environment or {}),
            },
        )
        editor.log, editor.version = log, installed.numbers
        editors.append(editor)
        return editor

    yield start
    for editor in editors:
        editor.close()


def _init(folder: Path, command: list[str], init: str, options: str) -> Path:
    path = folder / "init.lua"
    path.write_text(
        f"""
        vim.opt.runtimepath:append({json.dumps(str(PLUGIN))})
        vim.g.loaded_python3_provider = 0  -- a file of Python would look for one for a second
        {init}
        require('midline').setup(vim.tbl_extend('force', {{
          command = vim.json.decode([==[{json.dumps(command)}]==]),
        }}, {options}))
        """,
        "utf-8",
    )
    return path


@pytest.fixture
def open_real(
    installed: InstalledNeovim | None, open_editor: Callable[..., Editor]
) -> Callable[..., Editor]:
    """Start Neovims with Midline's own server; only in the newest one, since models load slowly."""
    if installed is None or installed.version != installed_neovims()[-1].version:
        pytest.skip("the newest Neovim shows it alone: loading a model takes long")

    def start(*texts: str, settings: dict[str, Any], options: str = "", **more: Any) -> Editor:
        given = f"settings = vim.json.decode([==[{json.dumps(settings)}]==])"
        return open_editor(*texts, command=REAL, options=f"{{ {given}, {options} }}", **more)

    return start


@pytest.fixture
def editor(open_editor: Callable[..., Editor]) -> Editor:
    """One that is attached, with the cursor behind `x = ` and two completions for it."""
    editor = open_editor("x = \n", answers=["length(y) + 1", "other"])
    editor.attached()
    return editor
