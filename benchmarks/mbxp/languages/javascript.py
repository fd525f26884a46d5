"""JavaScript: Node.js with lodash, which the tests compare with."""

import re
from functools import cached_property
from pathlib import Path

from midline.benchmarks.mbxp.languages import node_modules
from midline.benchmarks.mbxp.languages.base import Box, Language, halves
from midline.benchmarks.mbxp.tasks import Task
from midline.model.sandbox.installation import installation
from midline.model.sandbox.policy import Limits

HEAP_MEGABYTES = 1024


class JavaScript(Language):
    """Interpreted; Node reserves address space freely, so its heap is limited instead."""

    name = "javascript"
    source_name = "main.js"
    expected = re.compile(r"^var v\d+ = (?P<expected>.*);$", re.MULTILINE)
    tools = (node_modules.NODE,)
    packages: tuple[str, ...] = ("lodash",)
    syntax_error = re.compile(
        r"^SyntaxError: .*(?:\n.*)*?(?:wrapSafe|compileSourceTextModule"
        r"|internalCompileFunction)",
        re.MULTILINE,
    )
    run_limits = Limits(processes=128)

    @cached_property
    def version(self) -> str:
        """Node and the packages."""
        node = f"node {self.tool_version(self.tools[0])}"
        return "; ".join([node, *map(node_modules.package_version, self.packages)])

    def reads(self) -> list[Path]:
        """Node's own folder and the packages."""
        modules = (node_modules.node_folder() / "node_modules").resolve()
        return [*installation(self.find("node")), modules]

    def source(self, task: Task, completion: str, token: str) -> str:
        """The program and the token in two halves."""
        return task.prompt + completion + task.test + finish(token)

    def write(self, box: Box) -> None:
        """Put the program into its box, with a link to the packages."""
        super().write(box)
        node_modules.link(box)

    def run_command(self, box: Box) -> list[str]:
        """`node main.js`."""
        return [self.find("node"), f"--max-old-space-size={HEAP_MEGABYTES}",
                str(box.program / "main.js")]  # fmt: skip


def finish(token: str) -> str:
    """JavaScript that prints the token."""
    first, second = halves(token)
    return f'\n;require("fs").writeSync(1, "{first}" + "{second}");\n'


LANGUAGE = JavaScript()
