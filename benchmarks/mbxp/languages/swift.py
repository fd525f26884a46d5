"""Swift: compiled without optimization, so that the tests' assertions are kept."""

import re
from collections.abc import Sequence
from pathlib import Path

from midline.benchmarks.mbxp.languages.base import Box, Language, Tool, halves
from midline.benchmarks.mbxp.status import Status
from midline.benchmarks.mbxp.tasks import Task
from midline.model.sandbox.installation import installation
from midline.model.sandbox.policy import Limits

FAILED_ASSERTION = re.compile(r"Assertion failed")


class Swift(Language):
    """`swiftc main.swift`; the tests are statements at the top level."""

    name = "swift"
    source_name = "main.swift"
    expected = re.compile(r"^var v\d+ : .*? = (?P<expected>.*)$", re.MULTILINE)
    tools = (
        Tool(
            "swiftc", ("--version",), "see https://www.swift.org/install", "xcode-select --install"
        ),
    )
    compiled = True
    run_limits = Limits(processes=128)

    def reads(self) -> list[Path]:
        """The toolchain's own folder."""
        return installation(self.find("swiftc"))

    def source(self, task: Task, completion: str, token: str) -> str:
        """The program and the token in two halves."""
        first, second = halves(token)
        return f'{task.prompt}{completion}{task.test}\nprint("{first}" + "{second}")\n'

    def compile_command(self, boxes: Sequence[Box], jobs: Path) -> list[str]:
        """One program a call."""
        folder = boxes[0].program
        return [self.find("swiftc"), "-Onone", "-suppress-warnings", str(folder / self.source_name),
                "-o", str(folder / "main")]  # fmt: skip

    def run_command(self, box: Box) -> list[str]:
        """The program itself."""
        return [str(box.program / "main")]

    def failure(self, text: str) -> Status:
        """A trapped assertion is a wrong answer, any other trap an error."""
        status = super().failure(text)
        if status is Status.RUNTIME_ERROR and FAILED_ASSERTION.search(text):
            return Status.WRONG
        return status


LANGUAGE = Swift()
