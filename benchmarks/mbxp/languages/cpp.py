"""C++: g++, or clang++ where that is the system's compiler, with <bits/stdc++.h> precompiled."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from midline.benchmarks.mbxp.languages.base import (
    DRIVERS,
    Box,
    Language,
    Tool,
    ToolchainMissing,
    tools_folder,
)
from midline.benchmarks.mbxp.tasks import Task
from midline.model.sandbox.installation import installation
from midline.model.sandbox.policy import MEBIBYTE, Limits

HEADER = "stdc++.h"
PORTABLE_HEADER = DRIVERS / "stdc++.h"
LAST_RETURN = re.compile(r"return 0;\s*\}\s*\Z")


class Cpp(Language):
    """`g++ main.cpp -o main`: no optimization, the compiler's default standard (17 if older)."""

    name = "cpp"
    source_name = "main.cpp"
    expected = re.compile(r"compare\(x\d+, (?P<expected>.*)\)\)\) \{$", re.MULTILINE)
    single_quotes_characters = True
    tools = (Tool("g++", ("--version",), "apt-get install g++", "xcode-select --install"),)
    compiled = True
    run_limits = Limits(address_space=2048 * MEBIBYTE)

    def prepare(self) -> None:
        """Precompile the header every program includes: half of each compilation."""
        folder = self._headers()
        if folder.is_dir():
            return
        partial = folder.with_name(f"{folder.name}.{os.getpid()}")
        bits = partial / "bits"
        bits.mkdir(parents=True, exist_ok=True)
        if sys.platform == "darwin":
            shutil.copyfile(PORTABLE_HEADER, bits / HEADER)
        else:
            (bits / HEADER).write_text(f"#include_next <bits/{HEADER}>\n", "utf-8")
            self._precompile(bits)
        try:
            partial.rename(folder)
        except OSError:
            shutil.rmtree(partial)

    def _precompile(self, bits: Path) -> None:
        # Through <...>: #include_next in the file given to the compiler itself would not search on.
        command = [self.find("g++"), "-std=gnu++17", f"-I{bits.parent}", "-x", "c++-header",
                   "-include", f"bits/{HEADER}", "/dev/null",
                   "-o", str(bits / f"{HEADER}.gch")]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ToolchainMissing(f"cpp: g++ does not work: {done.stderr[:300]}")

    def reads(self) -> list[Path]:
        """The compiler's own folder and the precompiled header."""
        return [*installation(self.find("g++")), self._headers()]

    def source(self, task: Task, completion: str, token: str) -> str:
        """The token is printed before `main` returns 0."""
        end = LAST_RETURN.search(task.test)
        if end is None:
            return task.prompt + completion + task.test
        statement = f'::std::fputs("{token}", stdout); '
        test = task.test[: end.start()] + statement + task.test[end.start() :]
        return task.prompt + completion + test

    def compile_command(self, boxes: Sequence[Box], jobs: Path) -> list[str]:
        """One program a call."""
        folder = boxes[0].program
        return [self.find("g++"), "-std=gnu++17", f"-I{self._headers()}", "-w",
                str(folder / self.source_name), "-o", str(folder / "main")]  # fmt: skip

    def run_command(self, box: Box) -> list[str]:
        """The program itself."""
        return [str(box.program / "main")]

    def _headers(self) -> Path:
        identity = f"{self.version} {sys.platform} gnu++17".encode()
        return tools_folder("cpp") / hashlib.sha256(identity).hexdigest()[:16]


LANGUAGE = Cpp()
