"""Neovim for measurements and tests: which are installed here, and a session with one."""

import contextlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midline.model.errors import MidlineError
from midline.model.paths import cache_folder

OLDEST = (0, 10)
VARIABLE = "MIDLINE_NVIM"
_KEY_SECONDS = 0.005
"""Between two looks at what Neovim shows."""


@dataclass(frozen=True)
class InstalledNeovim:
    """A Neovim that runs here."""

    version: str
    command: str

    @property
    def numbers(self) -> tuple[int, int]:
        """The first two numbers of the version."""
        major, minor, *_ = self.version.split(".")
        return int(major), int(minor)


def neovims_folder() -> Path:
    """Where `make neovim` puts Neovims, a folder for each."""
    return cache_folder() / "editors" / "neovim"


def installed_neovims() -> list[InstalledNeovim]:
    """Those of `MIDLINE_NVIM`, of `make neovim` and of the PATH, the oldest first, each once."""
    commands = [os.environ.get(VARIABLE), shutil.which("nvim")]
    commands += map(str, sorted(neovims_folder().glob("*/bin/nvim")))
    found: dict[str, InstalledNeovim] = {}
    for command in filter(None, commands):
        version = _version(command)
        if version and version not in found:
            found[version] = InstalledNeovim(version, command)
    fit = [neovim for neovim in found.values() if neovim.numbers >= OLDEST]
    return sorted(fit, key=lambda neovim: neovim.numbers)


def _version(command: str) -> str | None:
    try:
        done = subprocess.run([command, "--version"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.match(r"NVIM v(\d+\.\d+\.\d+)", done.stdout)
    return match[1] if match else None


class NeovimSession:
    """An embedded Neovim of 80 by 24 characters, with `init` as its only configuration."""

    def __init__(
        self, command: str, init: Path, files: Sequence[Path], environment: Mapping[str, str]
    ) -> None:
        """Start it. MidlineError: the package pynvim is missing."""
        try:
            import pynvim
        except ImportError as error:
            raise MidlineError(
                "Neovim is driven by the package pynvim; run `pip install pynvim`"
            ) from error
        argv = [command, "--embed", "--headless", "-n", "-i", "NONE", "-u", str(init)]
        before = dict(os.environ)
        os.environ.update(environment)
        try:
            self.nvim = pynvim.attach("child", argv=[*argv, *map(str, files)])
        finally:
            os.environ.clear()
            os.environ.update(before)

    def lua(self, code: str, *arguments: Any) -> Any:
        """What a chunk of Lua returns; it finds `arguments` in `...`."""
        return self.nvim.exec_lua(code, *arguments)

    def keys(self, keys: str) -> None:
        """Type `keys`, in Neovim's notation; returns before they are worked off."""
        self.nvim.input(keys)

    def until(self, code: str, wanted: Callable[[Any], bool] = bool, seconds: float = 20.0) -> Any:
        """The value of a chunk of Lua as soon as it is `wanted`. TimeoutError: it never was."""
        limit = time.monotonic() + seconds
        while not wanted(value := self.lua(code)):
            if time.monotonic() > limit:
                raise TimeoutError(f"still {value!r}; {self.lua(_MESSAGES)}")
            time.sleep(_KEY_SECONDS)
        return value

    def text(self) -> str:
        """The lines of the current buffer."""
        return "\n".join(self.lua("return vim.api.nvim_buf_get_lines(0, 0, -1, true)"))

    def close(self) -> None:
        """End Neovim and with it its server."""
        with contextlib.suppress(Exception):  # it has ended already, or ends before it answers
            self.nvim.command("qall!")
        self.nvim.close()


_MESSAGES = "return vim.api.nvim_exec2('messages', { output = true }).output"
