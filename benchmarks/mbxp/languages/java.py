"""Java: the JDK's own compiler, called many times in one process."""

import re

from midline.benchmarks.mbxp.languages.base import Box
from midline.benchmarks.mbxp.languages.jvm import JAVA, JAVAC, JvmLanguage


class Java(JvmLanguage):
    """`javac main.java`, then class Main."""

    name = "java"
    source_name = "main.java"
    expected = re.compile(r"^\s*[\w<>\[\], ?]+ v\d+ = (?P<expected>.*);$", re.MULTILINE)
    single_quotes_characters = True
    tools = (JAVAC, JAVA)
    compiler_kind = "java"

    def compiler_arguments(self, box: Box) -> list[str]:
        """No annotation processors: they would run the program's code in the compiler."""
        return ["-proc:none", "-encoding", "UTF-8", "-d", str(box.program / "classes"),
                str(box.program / self.source_name)]  # fmt: skip


LANGUAGE = Java()
