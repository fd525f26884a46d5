"""The interface of a language: tools, source text, commands, and the judging of outcomes.

Each program has a box: `program` holds its source and compiled files, `scratch` is the private
folder it runs in. A program prints a token, new in every run, at its end; without the token, its
tests did not run to completion, whatever the exit status. Programs that could print it earlier are
executed again by control.py.
"""

import os
import re
import shutil
import subprocess
import tomllib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from midline.benchmarks.mbxp.status import Status
from midline.benchmarks.mbxp.tasks import Task
from midline.model.errors import MidlineError
from midline.model.paths import cache_folder
from midline.model.sandbox.execution import Ending, Outcome
from midline.model.sandbox.policy import Limits

DRIVERS = Path(__file__).resolve().parent.parent / "drivers"
FAILED_TEST = re.compile(
    r"Exception ---? test case \d+|Error at \d+th assert|Error at test case \d+|assertion failed:"
)
OUT_OF_MEMORY = re.compile(
    r"\bMemoryError\b|std::bad_alloc|OutOfMemoryError|OutOfMemoryException|heap out of memory"
    r"|Allowed memory size|runtime: out of memory|NoMemoryError|^Out of memory"
    r"|Cannot allocate memory"
    r"|virtual memory exhausted|cc1plus: out of memory",
    re.MULTILINE,
)
REACH = Path(__file__).with_name("reach.toml")
"""By language, the words and patterns of which a program that can forge a pass contains one."""
VERSION_SECONDS = 120
COMPILE_LIMITS = Limits(seconds=100, memory=3 << 30, processes=256, scratch=1 << 30)


class ToolchainMissing(MidlineError):
    """A tool of the language is not installed; the message names it."""


@dataclass(frozen=True)
class Tool:
    """A required program, the arguments that print its version, and how to install it."""

    name: str
    version: tuple[str, ...]
    debian: str
    macos: str


@dataclass(eq=False)
class Box:
    """One program on disk; `repair` names the correction that its text was changed by, if any."""

    task: Task
    completion: str
    token: str
    folder: Path
    slot: int = 0
    repair: str = ""

    @property
    def program(self) -> Path:
        """Folder of the source and of what is compiled from it."""
        return self.folder / "program"

    @property
    def scratch(self) -> Path:
        """Folder the program runs in and may write to."""
        return self.folder / "scratch"


class Language(ABC):
    """One language; tools are looked up on first use."""

    name: str
    source_name: str
    tools: tuple[Tool, ...] = ()
    compiled = False
    compile_batch = 1
    """Number of programs per call of the compiler."""
    batch_compiler = False
    """Whether the compiler reports per program, in compile.exit and compile.out."""
    compile_passes = frozenset({0})
    """Exit statuses of the compiler after which there is a program to run."""
    exit_zero_passes = True
    """Whether the reference evaluator takes exit status 0 alone for a pass."""
    expected: re.Pattern[str]
    """Matches the lines of a test that state an expected value, its group `expected`."""
    half_parsed: re.Pattern[str] | None = None
    """Matches the message of a compiler that compiles a program in spite of a syntax error."""
    stricter = ("", "")
    """A comparison in a test that takes unequal values for equal, and its exact replacement."""
    single_quotes_characters = False
    """Whether single quotes enclose one character, not a string."""
    syntax_error: re.Pattern[str] | None = None
    """Matches the message of an interpreter about a syntax error."""
    compile_limits = COMPILE_LIMITS
    run_limits = Limits()

    def find(self, name: str) -> str:
        """Path of a tool; ToolchainMissing if it is not on PATH."""
        path = shutil.which(name)
        if path is None:
            raise ToolchainMissing(
                f"{self.name} needs {name}; `midline-bench mbxp doctor` says how"
            )
        return path

    @cached_property
    def version(self) -> str:
        """Versions of the tools in one line, part of the key of a verdict."""
        return "; ".join(self.tool_version(tool) for tool in self.tools)

    @cache  # noqa: B019 - there is one instance of each language
    def tool_version(self, tool: Tool) -> str:
        """First line of the tool's version message."""
        command = [self.find(tool.name), *tool.version]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=VERSION_SECONDS, check=False
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise ToolchainMissing(f"{self.name}: {tool.name} does not start: {error}") from error
        if done.returncode != 0:
            raise ToolchainMissing(f"{self.name}: {tool.name} does not work: {done.stderr[:200]}")
        lines = (done.stdout.strip() or done.stderr.strip()).splitlines()
        return lines[0].strip() if lines else tool.name

    def prepare(self) -> None:  # noqa: B027 - most languages share nothing
        """Build what all programs of the language share, once and outside of the sandbox."""

    def reads(self) -> list[Path]:
        """Folders and files outside the system's own that programs and compilers must see."""
        return []

    def environment(self) -> dict[str, str]:
        """Variables that the tools need beyond the usual ones."""
        return {}

    def source(self, task: Task, completion: str, token: str) -> str:
        """The program: prompt, completion, test, and the token's printing."""
        return task.prompt + completion + task.test

    def write(self, box: Box) -> None:
        """Put the program into its box."""
        text = self.source(box.task, box.completion, box.token)
        (box.program / self.source_name).write_bytes(text.encode("utf-8", "surrogatepass"))

    def compile_command(self, boxes: Sequence[Box], jobs: Path) -> list[str]:
        """The compiler's call; `jobs` is a file name to write a list of programs to."""
        raise NotImplementedError(f"{self.name} is not compiled")

    @abstractmethod
    def run_command(self, box: Box) -> list[str]:
        """The program's call."""

    def run_stdin(self, box: Box) -> bytes:
        """What the program, or what starts it, reads before it begins."""
        return b""

    def repair(self, box: Box, output: str) -> str | None:
        """Correct a defect of the benchmark that kept `box` from compiling, and name it.

        Languages without a compiler are asked when a program did not pass.
        """
        return None

    def accepts_like_reference(self, compiler_exit: int) -> bool:
        """Whether the reference evaluator, too, takes this exit status for compiled."""
        return True

    def may_forge(self, completion: str) -> bool:
        """Whether the program's text contains anything with which a pass could be forged."""
        return not completion.isascii() or bool(_reach(self.name).search(completion))

    def judge(self, outcome: Outcome, token: str) -> tuple[Status, Status]:
        """The status of a run, and the one by the reference evaluator's rules."""
        broken = ENDINGS.get(outcome.ending)
        if broken is not None:
            return broken, broken
        if outcome.exit_code == 0:
            if token.encode() in outcome.stdout + outcome.stderr:
                return Status.PASS, Status.PASS
            return Status.WRONG, Status.PASS if self.exit_zero_passes else Status.WRONG
        status = self.failure(outcome.text)
        return status, status

    def failure(self, text: str) -> Status:
        """The status of a run with another exit status, by what it said."""
        if OUT_OF_MEMORY.search(text):
            return Status.OOM
        if self.syntax_error is not None and self.syntax_error.search(text):
            return Status.COMPILE_ERROR
        return Status.WRONG if FAILED_TEST.search(text) else Status.RUNTIME_ERROR


ENDINGS = {
    Ending.TIME: Status.TIMEOUT_RUN,
    Ending.MEMORY: Status.OOM,
    Ending.DISK: Status.RUNTIME_ERROR,
    Ending.OUTPUT: Status.OUTPUT_LIMIT,
    Ending.NOT_STARTED: Status.SANDBOX_ERROR,
}


@cache
def _reach(name: str) -> re.Pattern[str]:
    """Matches what a program of language `name` could forge a pass with.

    Raises MidlineError if REACH has no entry for the language.
    """
    table = tomllib.loads(REACH.read_text("utf-8"))
    words, signs = table["words"], table["signs"]
    if name not in words:
        raise MidlineError(
            f"the words with which a {name} program could forge a pass are not listed; add {name} "
            f"to [words] in {REACH}"
        )
    whole = "|".join([*words["every"].split(), *words[name].split()])
    parts = [rf"\b(?:{whole})\b", *signs["every"], *signs.get(name, [])]
    return re.compile("|".join(parts))


def halves(token: str) -> tuple[str, str]:
    """The token in two, so that printing the program's text does not print it."""
    return token[: len(token) // 2], token[len(token) // 2 :]


def tools_folder(name: str) -> Path:
    """Folder of the cache for what Midline builds or installs for a language."""
    return cache_folder() / "mbxp" / name


def existing(paths: Iterable[str]) -> list[Path]:
    """Those of `paths` that are there."""
    return [Path(path) for path in paths if os.path.exists(path)]


def write_jobs(jobs: Path, lines: Iterable[Sequence[str]]) -> None:
    """Write a compiler's list of programs: one a line, words separated by tabs."""
    jobs.write_text("".join("\t".join(words) + "\n" for words in lines), "utf-8")
