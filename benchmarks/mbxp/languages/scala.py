"""Scala 2: the compiler's jars of the Debian package or of an installed scalac."""

import os
import re
import shutil
from functools import cached_property
from pathlib import Path

from midline.benchmarks.mbxp.languages.base import Box, Tool, ToolchainMissing
from midline.benchmarks.mbxp.languages.jvm import JAVA, JAVAC, JvmLanguage, class_path

SCALAC = Tool("scalac", ("-version",), "apt-get install scala", "brew install scala@2.13")
JARS = ("scala-compiler", "scala-library", "scala-reflect", "scala-xml", "scala-parser-combinators",
        "jline", "jna")  # fmt: skip


class Scala(JvmLanguage):
    """The tests stand in `object Main extends App`, around the function."""

    name = "scala"
    source_name = "main.scala"
    expected = re.compile(r"^\s*var v\d+ : .*? = (?P<expected>.*)$", re.MULTILINE)
    single_quotes_characters = True
    tools = (SCALAC, JAVAC, JAVA)
    compiler_kind = "scala"

    @cached_property
    def version(self) -> str:
        """The library's file name has the version; Java's comes with it."""
        jar = Path(os.path.realpath(self.library_jars()[0]))
        return f"scala {jar.stem.removeprefix('scala-library-')}; {self.tool_version(JAVA)}"

    def compiler_jars(self) -> list[Path]:
        """Every jar of the installation that the compiler may need."""
        library = scala_library()
        jars = [jar for name in JARS for jar in sorted(library.glob(f"{name}*.jar"))]
        real = {Path(os.path.realpath(jar)): jar for jar in jars}
        return list(real.values())

    def library_jars(self) -> list[Path]:
        """Scala's standard library."""
        return [scala_library() / "scala-library.jar"]

    def compiler_arguments(self, box: Box) -> list[str]:
        """As scalac, warnings off."""
        return ["-nowarn", "-cp", class_path(self.library_jars()), "-d",
                str(box.program / "classes"), str(box.program / self.source_name)]  # fmt: skip


def scala_library() -> Path:
    """Folder of the compiler's jars; ToolchainMissing if there is none."""
    found = shutil.which("scalac")
    homes = [Path("/usr/share/scala"), Path("/usr/share/java")]
    if found is not None:
        real = Path(os.path.realpath(found)).parent.parent
        homes = [real, real / "libexec", *homes]
    for home in homes:
        for folder in (home / "lib", home):
            if found and (folder / "scala-compiler.jar").is_file():
                return folder
    raise ToolchainMissing("scala needs scalac; `midline-bench mbxp doctor` says how to install it")


LANGUAGE = Scala()
