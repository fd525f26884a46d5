"""Pictures of terminals: xterm on a screen of Xvfb, alone, with tmux's panes, and with Neovim."""

import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import ImageGrab

from midline.benchmarks.quality.screenshots.programs import Output
from midline.benchmarks.speed.editors.neovim_session import installed_neovims
from midline.model.errors import MidlineError
from midline.model.vision.opening import Picture

SCREEN = (1600, 1000)
PATIENCE = 20.0
"""Seconds after which a terminal that shows nothing is given up."""
_COLOURS = (("#101014", "#d8d8d8"), ("#ffffff", "#1a1a1a"), ("#002b36", "#93a1a1"))
_FONTS_FILE = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>{folders}<cachedir>{cache}</cachedir></fontconfig>
"""


@dataclass(frozen=True)
class Look:
    """What a terminal shows. columns: of the pane with the output; command: of a shell; before:
    what stands above the output, with the program's name in it."""

    kind: str
    columns: int
    width: int
    command: Callable[[Output, Path], str]
    before: str = ""


def _plain(shown: Output, folder: Path) -> str:
    return f"printf '$ run {shown.name}\\n'; cat output; touch shown; sleep 60"


def _tmux(shown: Output, folder: Path) -> str:
    """Two panes and a bar below: the source to the left, the output to the right."""
    source = shlex.quote(f"cat -n {shown.name}; sleep 60")
    output = shlex.quote("cat output; touch shown; sleep 60")
    server = f"tmux -S {shlex.quote(str(folder / 'tmux'))} -f /dev/null"
    return f"{server} new-session {source} ';' split-window -h -l 100 {output}"


def _neovim(shown: Output, folder: Path) -> str:
    """The source with line numbers, and below it the output in a window of its own."""
    found = installed_neovims()
    if not found:
        raise MidlineError("captures of an editor need Neovim; `make neovim` installs it")
    height = shown.text.count("\n") + 1
    commands = ["syntax on", "set number laststatus=2", f"botright {height}split output"]
    commands += ["setlocal nonumber", "wincmd k", "call writefile([], 'shown')"]
    flags = " ".join(f"-c {shlex.quote(command)}" for command in commands)
    return f"{shlex.quote(found[-1].command)} --clean {shown.name} {flags}"


TERMINAL_LOOKS = {
    "xterm": Look("terminal", 120, 120, _plain, "$ run {name}\n"),
    "tmux": Look("terminal", 100, 150, _tmux),
    "neovim": Look("editor", 120, 120, _neovim),
}


class Terminals:
    """A screen without a monitor, on which one terminal at a time is shown."""

    def __init__(self, fonts: dict[str, Path]) -> None:
        for program, package in (("Xvfb", "xvfb"), ("xterm", "xterm"), ("tmux", "tmux")):
            if shutil.which(program) is None:
                raise MidlineError(f"captures need {program}; install it (Debian: {package})")
        self._folder = tempfile.TemporaryDirectory()
        self.root = Path(self._folder.name)
        folders = "".join(f"<dir>{path.parent}</dir>" for path in fonts.values())
        config = self.root / "fonts.conf"
        config.write_text(_FONTS_FILE.format(folders=folders, cache=self.root / "cache"), "utf-8")
        read, write = os.pipe()
        screen = f"{SCREEN[0]}x{SCREEN[1]}x24"
        words = [
            "Xvfb", "-displayfd", str(write), "-screen", "0", screen, "-nolisten", "tcp",
            "-noreset", "-dpi", "96",
        ]  # fmt: skip
        self._server = subprocess.Popen(words, pass_fds=(write,), stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as told:
            self.display = f":{told.readline().strip()}"
        self._environment = {
            **os.environ,
            "DISPLAY": self.display,
            "FONTCONFIG_FILE": str(config),
            "HOME": str(self.root),
            "LANG": "C.UTF-8",
        }

    def __enter__(self) -> "Terminals":
        return self

    def __exit__(self, *error: object) -> None:
        self._server.terminate()
        self._server.wait()
        self._folder.cleanup()

    def capture(self, look: str, shown: Output, font: str, size: int) -> tuple[Picture, int]:
        """The screen once it stands still, and the columns of the pane with the output."""
        (self.root / shown.name).write_text(shown.source, "utf-8")
        (self.root / "output").write_text(shown.text + "\n", "utf-8")
        what, mark = TERMINAL_LOOKS[look], self.root / "shown"
        mark.unlink(missing_ok=True)
        ground, ink = _COLOURS[(size + len(shown.name)) % len(_COLOURS)]
        words = [
            "xterm", "-fa", f"{font}:pixelsize={size}", "-geometry", f"{what.width}x40+20+10",
            "-bg", ground, "-fg", ink, "-e", "sh", "-c", what.command(shown, self.root),
        ]  # fmt: skip
        terminal = subprocess.Popen(
            words, cwd=self.root, env=self._environment, stderr=subprocess.DEVNULL
        )
        try:
            return self._settled(mark), what.columns
        finally:
            terminal.terminate()
            terminal.wait()
            if look == "tmux":
                stop = ["tmux", "-S", str(self.root / "tmux"), "kill-server"]
                subprocess.run(stop, check=False, stderr=subprocess.DEVNULL)

    def _settled(self, mark: Path) -> Picture:
        """The screen once the mark is there and nothing has changed for a second."""
        end, before, still = time.monotonic() + PATIENCE, None, 0
        while time.monotonic() < end:
            now = np.asarray(ImageGrab.grab(xdisplay=self.display).convert("RGB"))
            is_still = mark.exists() and before is not None and bool((now == before).all())
            still = still + 1 if is_still else 0
            if still >= 4:
                return now
            before = now
            time.sleep(0.25)
        raise MidlineError("a terminal showed nothing; see whether xterm runs on this machine")
