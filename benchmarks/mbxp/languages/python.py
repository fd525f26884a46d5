"""Python: the interpreter Midline itself runs on, without Midline's own packages."""

import re
import sys
from pathlib import Path

from midline.benchmarks.mbxp.corrections import PYTHON_TEST_NAMES
from midline.benchmarks.mbxp.languages.base import (
    DRIVERS,
    Box,
    Language,
    Tool,
)
from midline.benchmarks.mbxp.status import Status
from midline.benchmarks.mbxp.tasks import Task
from midline.model.sandbox.installation import installation
from midline.model.sandbox.policy import MEBIBYTE, Limits

DRIVER = DRIVERS / "run_python.py"
CALLER, CANDIDATE = "check", "candidate"
"""What the tests call themselves and the function they test."""
OWN_CALLER = "check_candidate"
STRING = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'")


class Python(Language):
    """Runs prompt + completion + test + `check(entry_point)` in one namespace."""

    name = "python"
    source_name = "main.py"
    expected = re.compile(r"^\s*assert .*==(?P<expected>.*)$", re.MULTILINE)
    tools = (Tool("python3", ("--version",), "apt-get install python3", "brew install python"),)
    exit_zero_passes = False
    # Where compiling fails, the place it names has no function ("in ..."), and no call before it.
    syntax_error = re.compile(
        r"exec\(compile\(source.*\n(?:[ ~^]*\n)?  File .*, line \d+\n"
        r"|^(?:SyntaxError|ValueError): source code string cannot contain null",
        re.MULTILINE,
    )
    run_limits = Limits(address_space=2048 * MEBIBYTE)

    def find(self, name: str) -> str:
        """The interpreter outside of any virtual environment."""
        return str(getattr(sys, "_base_executable", sys.executable))

    def reads(self) -> list[Path]:
        """The interpreter's installation and the driver."""
        return [*installation(self.find("python3")), DRIVER]

    def source(self, task: Task, completion: str, token: str) -> str:
        """As the reference evaluator puts it together; the driver prints the token."""
        return f"{task.prompt}{completion}\n{task.test}\n{CALLER}({task.entry_point})"

    def run_command(self, box: Box) -> list[str]:
        """The driver reads the token, then executes the program."""
        return [self.find("python3"), "-I", "-S", "-B", "-X", "utf8", str(DRIVER),
                str(box.program / self.source_name)]  # fmt: skip

    def run_stdin(self, box: Box) -> bytes:
        """The token, for the driver."""
        return box.token.encode()

    def repair(self, box: Box, output: str) -> str | None:
        """Repair tests that the function's own name broke when they were derived from the data."""
        test = mended_test(box.task)
        if test == box.task.test:
            return None
        program = f"{box.task.prompt}{box.completion}\n{test}\n{OWN_CALLER}({box.task.entry_point})"
        path = box.program / self.source_name
        path.write_bytes(program.encode("utf-8", "surrogatepass"))
        return PYTHON_TEST_NAMES

    def failure(self, text: str) -> Status:
        """An assertion that fails in `check` is a wrong answer."""
        status = super().failure(text)
        if status is Status.RUNTIME_ERROR and re.search(r"^AssertionError", text, re.MULTILINE):
            return Status.WRONG
        return status


def mended_test(task: Task) -> str:
    """The test where `check` is the tests' own function and `candidate` no word in a string.

    A function called check hides the tests' function of that name, which then calls itself; and
    where one is called `solution`, the answer 'No solution' has become 'No candidate'.
    """
    test = task.test
    if task.entry_point == CALLER or CANDIDATE in "".join(STRING.findall(test)):
        test = re.sub(rf"^def {CALLER}\(", f"def {OWN_CALLER}(", test, flags=re.MULTILINE)
        test = STRING.sub(lambda found: found[0].replace(CANDIDATE, task.entry_point), test)
    return test


LANGUAGE = Python()
