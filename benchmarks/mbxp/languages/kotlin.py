"""Kotlin for the JVM: the compiler of the npm package kotlin-compiler, or an installed one."""

import os
import shutil
from functools import cached_property
from pathlib import Path

from midline.benchmarks.mbxp.languages import node_modules
from midline.benchmarks.mbxp.languages.base import Box, Tool, ToolchainMissing
from midline.benchmarks.mbxp.languages.jvm import JAVA, JAVAC, JvmLanguage

KOTLINC = Tool("kotlinc", ("-version",), "the npm packages below", "brew install kotlin")


class Kotlin(JvmLanguage):
    """`fun main()` of main.kt is in class MainKt."""

    name = "kotlin"
    source_name = "main.kt"
    tools = (KOTLINC, JAVAC, JAVA)
    compiler_kind = "kotlin"
    main_class = "MainKt"

    @cached_property
    def version(self) -> str:
        """The compiler's build and Java's version."""
        build = (kotlin_home() / "build.txt").read_text("utf-8").strip()
        return f"kotlin {build}; {self.tool_version(JAVA)}"

    def compiler_jars(self) -> list[Path]:
        """The compiler needs its library and what it loads from beside it."""
        names = ("kotlin-compiler", "kotlin-stdlib", "kotlin-reflect", "kotlin-script-runtime",
                 "annotations-13.0", "trove4j", "kotlinx-coroutines-core-jvm")  # fmt: skip
        jars = [kotlin_home() / "lib" / f"{name}.jar" for name in names]
        return [jar for jar in jars if jar.is_file()]

    def library_jars(self) -> list[Path]:
        """Kotlin's standard library."""
        return [kotlin_home() / "lib" / "kotlin-stdlib.jar"]

    def compiler_arguments(self, box: Box) -> list[str]:
        """As kotlinc, with the library named instead of packed into each program."""
        return ["-nowarn", "-no-reflect", "-no-stdlib", "-cp", str(self.library_jars()[0]),
                "-d", str(box.program / "classes"),
                str(box.program / self.source_name)]  # fmt: skip


def kotlin_home() -> Path:
    """The compiler's installation; ToolchainMissing if there is none."""
    found = shutil.which("kotlinc")
    if found is not None:
        real = Path(os.path.realpath(found)).parent.parent
        for home in (real, real / "libexec"):
            if (home / "lib" / "kotlin-compiler.jar").is_file():
                return home
    try:
        return node_modules.package("kotlin-compiler")
    except ToolchainMissing as error:
        raise ToolchainMissing(f"kotlin needs kotlinc or its npm package: {error}") from error


LANGUAGE = Kotlin()
