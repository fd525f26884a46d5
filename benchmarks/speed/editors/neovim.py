"""The newest Neovim that is installed, embedded, with the plug-in of `editor-clients/neovim`."""

import json
import sys
import tempfile
import time
from pathlib import Path

from midline.benchmarks.speed.editors.neovim_session import NeovimSession, installed_neovims
from midline.benchmarks.speed.editors.timing import ServerOptions, Timing, TypedText
from midline.model.errors import MidlineError

PLUGIN = Path(__file__).resolve().parents[3] / "editor-clients" / "neovim"
LOAD_SECONDS, KEY_SECONDS = 120.0, 2.5
PREPARE = """
local ghost = require('midline.ghost')
local draw = ghost.draw
ghost.draw = function(...)
  draw(...)
  vim.cmd.redraw()
  if _G.pressed and not _G.shown then
    _G.shown = (vim.uv.hrtime() - _G.pressed) / 1e6
  end
end
function _G.press(key)
  _G.shown, _G.pressed, _G.tick = nil, vim.uv.hrtime(), vim.b.changedtick
  vim.api.nvim_input(key)
  return require('midline').visible() ~= nil
end
function _G.answer()
  return {
    shown = _G.shown,
    is_over = vim.b.changedtick ~= _G.tick and not require('midline.completion').asking(),
    server = require('midline').status().lastMilliseconds,
  }
end
vim.cmd('set noautoindent indentexpr= indentkeys= textwidth=0')
"""


def measure(server: ServerOptions, typed: TypedText, samples: int) -> Timing:
    """Type until `samples` keys have brought ghost text; MidlineError: there is no Neovim."""
    found = installed_neovims()
    if not found:
        raise MidlineError("there is no Neovim 0.10 or newer; run `make neovim` in a clone")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / typed.name
        source.write_text(f"{typed.before}\n", "utf-8")
        init = _init(Path(folder), server)
        session = NeovimSession(found[-1].command, init, [source], {"XDG_STATE_HOME": folder})
        try:
            return _typed(session, typed.text, samples, f"Neovim {found[-1].version}")
        finally:
            session.close()


def _init(folder: Path, server: ServerOptions) -> Path:
    command = [sys.executable, "-P", "-m", "midline.server.cli.main", "serve", "--own"]
    threads = {} if server.threads is None else {"threads": server.threads}
    settings = {"model": str(server.model), **threads}
    options = json.dumps({"command": command, "settings": settings, "keys": False})
    path = folder / "init.lua"
    path.write_text(
        f"vim.opt.runtimepath:append({json.dumps(str(PLUGIN))})\n"
        "vim.g.loaded_python3_provider = 0\n"
        f"require('midline').setup(vim.json.decode([==[{options}]==]))\n",
        "utf-8",
    )
    return path


def _typed(session: NeovimSession, text: str, samples: int, editor: str) -> Timing:
    ready = "return require('midline').status().state"
    session.until(ready, lambda state: state == "ready", LOAD_SECONDS)
    session.lua(PREPARE)
    session.keys("Gi")
    session.until("return vim.api.nvim_get_mode().mode", lambda mode: mode == "i")
    screen: list[float] = []
    server: list[float] = []
    silent = 0
    for key in text:
        if len(screen) == samples:
            break
        was_visible = session.lua("return _G.press(...)", {"\n": "<CR>", "<": "<lt>"}.get(key, key))
        shown, told = _answer(session)
        if was_visible:
            continue
        if shown is None:
            silent += 1
            continue
        screen.append(shown)
        server += [] if told is None else [told]
    return Timing(editor, screen, server, silent)


def _answer(session: NeovimSession) -> tuple[float | None, float | None]:
    """When ghost text was on the screen, and the server's own time; None where there was none."""
    limit = time.monotonic() + KEY_SECONDS
    while time.monotonic() < limit:
        answer = session.lua("return _G.answer()")
        if answer["is_over"]:
            return answer.get("shown"), answer.get("server")
        time.sleep(0.002)
    return None, None
