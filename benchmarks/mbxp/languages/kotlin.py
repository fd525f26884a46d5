"""Kotlin for the JVM: the compiler of the npm package kotlin-compiler, or an installed one.

Since Kotlin 2.1 functions are errors that only were deprecated when the benchmark was made, such as
String.toLowerCase: newer compilers are told to take the language and the library for those of 2.0.
"""

import os
import re
import shutil
from functools import cached_property
from pathlib import Path

from midline.benchmarks.mbxp.languages import node_modules
from midline.benchmarks.mbxp.languages.base import Box, Tool, ToolchainMissing
from midline.benchmarks.mbxp.languages.jvm import JAVA, JAVAC, JvmLanguage

KOTLINC = Tool("kotlinc", ("-version",), "the npm packages below", "brew install kotlin")
BUILD = re.compile(r"(\d+)\.(\d+)")
LANGUAGE_OF_2022 = "2.0"
NEWER_COMPILERS = ((2, 1), (2, 4))
"""First and last compiler version that need and accept the older language version."""


class Kotlin(JvmLanguage):
    """`fun main()` of main.kt is in class MainKt."""

    name = "kotlin"
    source_name = "main.kt"
    expected = re.compile(r"^\s*var v\d+ : .*? = (?P<expected>.*);$", re.MULTILINE)
    single_quotes_characters = True
    tools = (KOTLINC, JAVAC, JAVA)
    compiler_kind = "kotlin"
    main_class = "MainKt"

    @cached_property
    def version(self) -> str:
        """The compiler's build and Java's version."""
        language = f" as {LANGUAGE_OF_2022}" if self.language_arguments() else ""
        return f"kotlin {kotlin_build()}{language}; {self.tool_version(JAVA)}"

    def compiler_jars(self) -> list[Path]:
        """The compiler needs its library and what it loads from beside it."""
        names = ("kotlin-compiler", "kotlin-stdlib", "kotlin-reflect", "kotlin-script-runtime",
                 "annotations-13.0", "trove4j", "kotlinx-coroutines-core-jvm")  # fmt: skip
        jars = [kotlin_home() / "lib" / f"{name}.jar" for name in names]
        return [jar for jar in jars if jar.is_file()]

    def library_jars(self) -> list[Path]:
        """Kotlin's standard library."""
        return [kotlin_home() / "lib" / "kotlin-stdlib.jar"]

    def language_arguments(self) -> list[str]:
        """What makes a newer compiler accept the programs of an older one."""
        build = BUILD.match(kotlin_build())
        first, last = NEWER_COMPILERS
        if build is None or not first <= (int(build[1]), int(build[2])) <= last:
            return []
        return ["-language-version", LANGUAGE_OF_2022, "-api-version", LANGUAGE_OF_2022]

    def compiler_arguments(self, box: Box) -> list[str]:
        """As kotlinc, with the library named instead of packed into each program."""
        return ["-nowarn", "-no-reflect", "-no-stdlib", "-cp", str(self.library_jars()[0]),
                *self.language_arguments(), "-d", str(box.program / "classes"),
                str(box.program / self.source_name)]  # fmt: skip


def kotlin_build() -> str:
    """The compiler's version, as it tells it in a file."""
    return (kotlin_home() / "build.txt").read_text("utf-8").strip()


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
