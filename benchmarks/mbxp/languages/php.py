"""PHP: the command line interpreter."""

import re
from pathlib import Path

from midline.benchmarks.mbxp.languages.base import Box, Language, Tool, existing, halves
from midline.benchmarks.mbxp.tasks import Task
from midline.model.sandbox.policy import Limits

FATAL_ONLY = 4437
"""E_ERROR, E_PARSE and the other fatal levels: warnings in a loop would fill the output limit."""


class Php(Language):
    """Interpreted; memory is limited by the interpreter itself."""

    name = "php"
    source_name = "main.php"
    expected = re.compile(r"^\$v\d+ = (?P<expected>.*);$", re.MULTILINE)
    stricter = ("return $x == $y;", "return $x === $y;")
    tools = (Tool("php", ("--version",), "apt-get install php-cli", "brew install php"),)
    syntax_error = re.compile(r"Parse error:")
    run_limits = Limits(address_space=3 << 30)

    def reads(self) -> list[Path]:
        """The configuration that loads PHP's extensions."""
        return existing(["/etc/php"])

    def source(self, task: Task, completion: str, token: str) -> str:
        """The program and the token in two halves."""
        first, second = halves(token)
        return f'{task.prompt}{completion}{task.test}\necho "{first}" . "{second}";\n'

    def run_command(self, box: Box) -> list[str]:
        """`php main.php`, messages on standard error."""
        return [self.find("php"), "-d", "memory_limit=1G", "-d", "display_errors=stderr",
                "-d", f"error_reporting={FATAL_ONLY}", "-d", "log_errors=0",
                str(box.program / self.source_name)]  # fmt: skip


LANGUAGE = Php()
