"""Execution of candidates in the sandbox: the values of calls that the user, or a model, wrote.

All candidates of one question share a sandbox, in which each has a process or context of its own,
with a limit of its own on time and memory. A program prints a line for each check, with a mark that
is new in every run. It could print such lines itself, or disturb its neighbours: that decides which
candidate is shown, and nothing else.
"""

import contextlib
import json
import os
import secrets
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from midline.model.errors import MidlineError
from midline.model.sandbox import Limits, Policy, Sandbox
from midline.model.sandbox.execution import execute
from midline.model.sandbox.installation import installation
from midline.model.sandbox.policy import MEBIBYTE, environment, system_folders
from midline.model.strategies.examples import Check

SECONDS = 2.0
"""Time limit of one candidate, all its checks together."""
SLACK_SECONDS = 5.0
"""What a question may take on top: the start of the sandbox and the interpreter."""
MEMORY = 1024 * MEBIBYTE
NO_ANSWER = "no answer"
CANDIDATES = "candidates.txt"
VALUE_CHARACTERS = 400
HEAP_MEGABYTES = 512

_PYTHON = """\
import json, os, resource, signal, sys
write, dumps, mark, most = os.write, json.dumps, {mark!r}, {most}
def report(*fields):
    write(1, (mark + dumps(fields) + "\\n").encode("utf-8", "replace"))
def said(error):
    return type(error).__name__ + ": " + str(error)[:most]
def run(which, program):
    report = globals()["report"]
    space = {{"__name__": "candidate"}}
    try:
        exec(compile(program, "candidate", "exec"), space)
    except BaseException as error:
        report(which, -1, False, "", said(error))
        return
    for number, (call, expected) in enumerate({checks!r}):
        try:
            value = eval(call, dict(space))
            text = repr(value)[:most]
            right = bool(value == eval(expected, dict(space))) if expected else False
            report(which, number, right, text, "")
        except BaseException as error:
            report(which, number, False, "", said(error))
for which, program in enumerate({programs!r}):
    process = os.fork()
    if process == 0:
        resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))
        signal.setitimer(signal.ITIMER_REAL, {seconds})
        run(which, program)
        os._exit(0)
    os.waitpid(process, 0)
"""
_JAVASCRIPT = """\
const util = require("util"), fs = require("fs"), vm = require("vm");
const report = (...fields) => fs.writeSync(1, {mark} + JSON.stringify(fields) + "\\n");
const show = (x) => util.inspect(x, {{depth: 8, maxArrayLength: 200, breakLength: Infinity}});
const said = (e) => String(e && e.name ? e.name + ": " + e.message : e).slice(0, {most});
const quiet = {{log() {{}}, error() {{}}, warn() {{}}, info() {{}}}};
{programs}.forEach((program, which) => {{
  const space = vm.createContext({{require, console: quiet}}), end = Date.now() + {milliseconds};
  const run = (x) => vm.runInContext(x, space, {{timeout: Math.max(1, end - Date.now())}});
  const plain = (x) => run("(" + x + "\\n)");
  try {{
    run(program);
  }} catch (error) {{
    return report(which, -1, false, "", said(error));
  }}
  {checks}.forEach(([call, expected], number) => {{
    try {{
      const value = plain(call);
      const right = expected ? util.isDeepStrictEqual(value, plain(expected)) : false;
      report(which, number, right, show(value).slice(0, {most}), "");
    }} catch (error) {{
      report(which, number, false, "", said(error));
    }}
  }});
}});
process.exit(0);
"""
Observed = tuple["Observation", ...]


@dataclass(frozen=True)
class Observation:
    """What a call did: its value as text, whether that is the expected one, or the error.

    An error is "TypeError: ..." as the program said it, or "no answer" where it did not come to an
    end in time.
    """

    passed: bool
    value: str = ""
    error: str = ""

    @property
    def outcome(self) -> str:
        """The value, or the kind of the error: what agreement compares."""
        return self.value if not self.error else f"! {self.error.partition(':')[0]}"


class Programs:
    """Executes candidates; `executed` counts the programs that were started."""

    def __init__(
        self, sandbox: Sandbox, stop: threading.Event | None = None, seconds: float = SECONDS
    ) -> None:
        self.sandbox = sandbox
        self.stop = stop
        self.seconds = seconds
        self.limits = Limits(memory=2 * MEMORY, output=4 * MEBIBYTE, scratch=16 * MEBIBYTE)
        self.executed = 0

    def observe(
        self, programs: Sequence[str], language: str, checks: Sequence[Check]
    ) -> list[Observed]:
        """What each of `programs` does in `checks`; MidlineError if its language is missing."""
        if not programs:
            return []
        mark = secrets.token_hex(8)
        source = _source(language, programs, checks, (mark, self.seconds))
        self.executed += len(programs)
        seconds = self.seconds * len(programs) + SLACK_SECONDS
        output = self.output(language, source.encode("utf-8", "surrogatepass"), seconds)
        return _read(output, mark, len(programs), len(checks))

    def prepare(self, language: str) -> None:
        """Get ready for an execution that may follow; nothing, unless a subclass can."""

    def close(self) -> None:
        """End what `prepare` began."""

    def output(self, language: str, source: bytes, seconds: float) -> bytes:
        """What a program of this module writes to standard output within so many seconds."""
        command = command_of(language)
        with private_folder() as folder:
            path = folder / "program" / CANDIDATES
            path.write_bytes(source)
            policy = policy_of(folder, command[0], replace(self.limits, seconds=seconds))
            return execute(self.sandbox, [*command, str(path)], policy, stop=self.stop).stdout


def policy_of(folder: Path, tool: str, limits: Limits) -> Policy:
    """What a program may do whose source is in a private folder."""
    scratch = folder / "scratch"
    return Policy(
        read=(*system_folders(), *installation(tool), folder / "program"), write=(),
        folder=scratch, scratch=scratch, environment=environment(scratch), limits=limits,
    )  # fmt: skip


def command_of(language: str) -> list[str]:
    """The interpreter of a language with its options; MidlineError if it is missing."""
    if language == "python":
        python = str(getattr(sys, "_base_executable", sys.executable))
        return [python, "-I", "-S", "-B", "-X", "utf8"]
    node = shutil.which("node")
    if node is None:
        raise MidlineError(
            "executing JavaScript needs node, which is not on PATH; install Node.js, or leave out "
            "--execute"
        )
    return [node, f"--max-old-space-size={HEAP_MEGABYTES}"]


def _source(
    language: str, programs: Sequence[str], checks: Sequence[Check], marked: tuple[str, float]
) -> str:
    mark, seconds = marked
    pairs = [(check.call, check.expected) for check in checks]
    if language == "python":
        return _PYTHON.format(
            mark=mark, programs=list(programs), checks=pairs, most=VALUE_CHARACTERS,
            seconds=seconds, memory=MEMORY,
        )  # fmt: skip
    return _JAVASCRIPT.format(
        mark=json.dumps(mark), programs=json.dumps(list(programs)), checks=json.dumps(pairs),
        most=VALUE_CHARACTERS, milliseconds=int(seconds * 1000),
    )  # fmt: skip


def _read(output: bytes, mark: str, programs: int, checks: int) -> list[Observed]:
    found: dict[tuple[int, int], Observation] = {}
    for line in output.decode("utf-8", "replace").splitlines():
        at = line.find(mark)
        if at >= 0:
            with contextlib.suppress(ValueError, TypeError):
                which, number, passed, value, error = json.loads(line[at + len(mark) :])
                seen = Observation(bool(passed), str(value), str(error))
                found.setdefault((int(which), int(number)), seen)
    missing = Observation(False, error=NO_ANSWER)
    wholes = [found.get((which, -1), missing) for which in range(programs)]
    return [
        tuple(found.get((which, number), wholes[which]) for number in range(checks))
        for which in range(programs)
    ]


@contextlib.contextmanager
def private_folder() -> Iterator[Path]:
    """A folder with `program` and `scratch` that other users may pass through but not list."""
    folder = Path(tempfile.mkdtemp(prefix="midline-candidate-"))
    try:
        os.chmod(folder, 0o711)
        (folder / "program").mkdir()
        (folder / "scratch").mkdir()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
