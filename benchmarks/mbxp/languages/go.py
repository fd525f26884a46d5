"""Go: `go build` of one file, without modules, without cgo.

92 of the prompts import packages that their tests never use, so that a solution without a use for
them cannot compile: with the correction on, such imports of the prompt are taken out.
"""

import functools
import hashlib
import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from midline.benchmarks.mbxp.corrections import GO_UNUSED_IMPORTS
from midline.benchmarks.mbxp.languages.base import (
    Box,
    Language,
    Tool,
    ToolchainMissing,
    tools_folder,
)
from midline.benchmarks.mbxp.tasks import Task
from midline.model.sandbox.installation import installation
from midline.model.sandbox.policy import Limits

UNUSED = re.compile(r'imported and not used: "([\w./-]+)"|"([\w./-]+)" imported and not used')
"""The compiler's complaint, in its older and newer wording."""
COMMON_PACKAGES = (
    "bufio", "bytes", "container/heap", "container/list", "encoding/json", "errors", "fmt", "math",
    "math/big", "math/bits", "math/rand", "os", "reflect", "regexp", "sort", "strconv", "strings",
    "sync", "time", "unicode", "unicode/utf8",
)  # fmt: skip


class Go(Language):
    """The token is printed by the last statement of `main`, on standard error."""

    name = "go"
    source_name = "main.go"
    expected = re.compile(r"^\s*expected_\d+ := (?P<expected>.*)$", re.MULTILINE)
    single_quotes_characters = True
    tools = (Tool("go", ("version",), "apt-get install golang-go", "brew install go"),)
    compiled = True
    run_limits = Limits(processes=128)

    def prepare(self) -> None:
        """Compile the common packages of the standard library into a build cache."""
        cache = self._cache()
        if (cache / "ready").is_file():
            return
        cache.mkdir(parents=True, exist_ok=True)
        program = cache / "warm.go"
        imports = "".join(f'\t_ "{name}"\n' for name in COMMON_PACKAGES)
        program.write_text(f"package main\n\nimport (\n{imports})\n\nfunc main() {{}}\n", "utf-8")
        environment = {**self.environment(), "PATH": os.environ["PATH"], "HOME": str(cache),
                       "GOCACHE": str(cache)}  # fmt: skip
        command = [self.find("go"), "build", "-o", os.devnull, str(program)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ToolchainMissing(f"go: go build does not work: {done.stderr[:300]}")
        (cache / "ready").touch()

    def reads(self) -> list[Path]:
        """Go's own tree."""
        return [*installation(self.find("go")), self._root(), self._cache()]

    def environment(self) -> dict[str, str]:
        """One file, no network, no other toolchain than the installed one."""
        return {"GO111MODULE": "off", "GOPROXY": "off", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0",
                "GOFLAGS": "", "GOTELEMETRY": "off"}  # fmt: skip

    def source(self, task: Task, completion: str, token: str) -> str:
        """The token is printed by Go's built-in function, which needs no import."""
        head, brace, tail = task.test.rpartition("}")
        test = f'{head}println("{token}")\n{brace}{tail}' if brace else task.test
        return task.prompt + completion + test

    def compile_command(self, boxes: Sequence[Box], jobs: Path) -> list[str]:
        """One program a call, with a copy of the build cache that lasts as long as the call."""
        folder = boxes[0].program
        script = 'cp -r "$0" "$TMPDIR/cache" && GOCACHE="$TMPDIR/cache" GOPATH="$TMPDIR/path" '
        script += 'exec "$@"'
        return ["/bin/sh", "-c", script, str(self._cache()),
                self.find("go"), "build", "-o", str(folder / "main"),
                str(folder / self.source_name)]  # fmt: skip

    def run_command(self, box: Box) -> list[str]:
        """The program itself."""
        return [str(box.program / "main")]

    def repair(self, box: Box, output: str) -> str | None:
        """Take imports out of the prompt that the program does not use."""
        path = box.program / self.source_name
        text = path.read_bytes()
        pruned = prune_imports(text, unused_imports(output), len(box.task.prompt.encode()))
        if pruned == text:
            return None
        path.write_bytes(pruned)
        return GO_UNUSED_IMPORTS

    @functools.cache  # noqa: B019 - there is one instance
    def _root(self) -> Path:
        command = [self.find("go"), "env", "GOROOT"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return Path(done.stdout.strip() or "/usr/lib/go")

    def _cache(self) -> Path:
        identity = hashlib.sha256(self.version.encode()).hexdigest()[:16]
        return tools_folder("go") / identity


def unused_imports(output: str) -> list[str]:
    """Packages that the compiler reports as imported and not used."""
    return [older or newer for older, newer in UNUSED.findall(output)]


def prune_imports(program: bytes, unused: Sequence[str], prompt_bytes: int) -> bytes:
    """`program` without the import lines of `unused` packages in its first `prompt_bytes`."""
    prompt, rest = program[:prompt_bytes], program[prompt_bytes:]
    for name in unused:
        line = re.compile(rb'^[ \t]*(?:import[ \t]+)?"' + re.escape(name.encode()) + rb'"[ \t]*\n',
                          re.MULTILINE)  # fmt: skip
        prompt = line.sub(b"\n", prompt, count=1)
    return prompt + rest


LANGUAGE = Go()
