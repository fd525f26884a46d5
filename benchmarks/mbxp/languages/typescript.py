"""TypeScript 5: compiled to ES5 many programs a process, run by Node.js.

The compiler ends with 2 when it found type errors and still wrote JavaScript; without @types/node
it always does, because the tests import `assert`. The reference evaluator takes 2, and only 2, for
compiled. With the correction on, 0 counts as well, so that the verdict does not hang on whether
@types/node is installed; type errors fail no program in either case.

Nor do syntax errors: where a completion leaves a brace open, the tests end up inside of its
function, which nobody calls with them, and the program passes, as it does with the reference
evaluator. There is nothing to forge in such a program, and control.py leaves it alone.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from midline.benchmarks.mbxp.languages import node_modules
from midline.benchmarks.mbxp.languages.base import DRIVERS, Box, Language, write_jobs
from midline.benchmarks.mbxp.languages.javascript import JavaScript, finish
from midline.benchmarks.mbxp.tasks import Task

DRIVER = DRIVERS / "compile_many.js"
REFERENCE_STATUS = 2


class TypeScript(JavaScript):
    """The token is printed by a line that is added to the compiled program."""

    name = "typescript"
    source_name = "main.ts"
    expected = re.compile(r"^let expected_\d+ = (?P<expected>.*);$", re.MULTILINE)
    half_parsed = re.compile(r"error TS1\d\d\d:")
    packages = ("typescript", "lodash", "mathjs", "heap-js")
    compiled = True
    batch_compiler = True
    compile_batch = 24
    compile_passes = frozenset({0, REFERENCE_STATUS})

    def reads(self) -> list[Path]:
        """Node, the packages and the driver."""
        return [*super().reads(), DRIVER]

    def source(self, task: Task, completion: str, token: str) -> str:
        """The program alone."""
        return Language.source(self, task, completion, token)

    def accepts_like_reference(self, compiler_exit: int) -> bool:
        """Only with type errors, of which there is always one without @types/node."""
        return compiler_exit == REFERENCE_STATUS

    def compile_command(self, boxes: Sequence[Box], jobs: Path) -> list[str]:
        """One Node process for all of `boxes`."""
        write_jobs(jobs, ([str(box.program)] for box in boxes))
        compiler = str(node_modules.package("typescript"))
        return [self.find("node"), "--max-old-space-size=2048", str(DRIVER), compiler, str(jobs)]

    def run_command(self, box: Box) -> list[str]:
        """`node main.js`, after the token's line was added to it."""
        path, end = box.program / "main.js", finish(box.token).encode()
        if not path.read_bytes().endswith(end):
            with path.open("ab") as file:
                file.write(end)
        return super().run_command(box)


LANGUAGE = TypeScript()
