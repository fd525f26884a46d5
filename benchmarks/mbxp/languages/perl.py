"""Perl, with the module Data::Compare that the tests use."""

import re

from midline.benchmarks.mbxp.languages.base import Box, Language, Tool, halves
from midline.benchmarks.mbxp.tasks import Task
from midline.model.sandbox.policy import MEBIBYTE, Limits

PRINT_VERSION = (
    'use Data::Compare; printf "perl %vd, Data::Compare %s\\n", $^V, $Data::Compare::VERSION'
)


class Perl(Language):
    """Interpreted; the version includes that of Data::Compare, so that its absence is noticed."""

    name = "perl"
    source_name = "main.pl"
    expected = re.compile(r"^my \$v\d+ = (?P<expected>.*);$", re.MULTILINE)
    tools = (
        Tool(
            "perl",
            ("-e", PRINT_VERSION),
            "apt-get install perl libdata-compare-perl",
            "brew install perl cpanminus && cpanm Data::Compare",
        ),
    )
    syntax_error = re.compile(
        r"due to compilation errors|had compilation errors|^syntax error at", re.MULTILINE
    )
    run_limits = Limits(address_space=2048 * MEBIBYTE)

    def source(self, task: Task, completion: str, token: str) -> str:
        """The program and the token in two halves."""
        first, second = halves(token)
        return f'{task.prompt}{completion}{task.test}\nprint STDOUT "{first}" . "{second}";\n'

    def run_command(self, box: Box) -> list[str]:
        """`perl main.pl`."""
        return [self.find("perl"), str(box.program / self.source_name)]


LANGUAGE = Perl()
