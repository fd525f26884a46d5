"""Ruby: one process per program."""

import re

from midline.benchmarks.mbxp.languages.base import Box, Language, Tool, halves
from midline.benchmarks.mbxp.tasks import Task
from midline.model.sandbox.policy import MEBIBYTE, Limits


class Ruby(Language):
    """Interpreted; a program that does not parse counts as not compiled."""

    name = "ruby"
    source_name = "main.rb"
    expected = re.compile(r"^v\d+ = (?P<expected>.*)$", re.MULTILINE)
    tools = (Tool("ruby", ("--version",), "apt-get install ruby", "brew install ruby"),)
    syntax_error = re.compile(r"main\.rb:\d+: (?:syntax error|.*\(SyntaxError\))|invalid multibyte")
    run_limits = Limits(address_space=2048 * MEBIBYTE)

    def source(self, task: Task, completion: str, token: str) -> str:
        """The program and the token in two halves."""
        first, second = halves(token)
        return f'{task.prompt}{completion}{task.test}\nSTDOUT.print("{first}" + "{second}")\n'

    def run_command(self, box: Box) -> list[str]:
        """`ruby main.rb`."""
        return [self.find("ruby"), str(box.program / self.source_name)]


LANGUAGE = Ruby()
