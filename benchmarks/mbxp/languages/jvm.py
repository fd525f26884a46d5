"""The base of Java, Kotlin and Scala: one JVM compiles many programs, each runs in its own."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from midline.benchmarks.mbxp.languages.base import (
    DRIVERS,
    Box,
    Language,
    Tool,
    ToolchainMissing,
    existing,
    tools_folder,
    write_jobs,
)
from midline.model.sandbox.installation import installation
from midline.model.sandbox.policy import Limits

COMPILER_DRIVER = DRIVERS / "CompileMany.java"
LAUNCHER = DRIVERS / "Launch.java"
JAVA = Tool(
    "java", ("-version",), "apt-get install openjdk-17-jdk-headless", "brew install openjdk"
)
JAVAC = Tool("javac", ("-version",), JAVA.debian, JAVA.macos)
QUIET = ("-XX:-UsePerfData", "-XX:+UseSerialGC", "-Xshare:auto", "-Dfile.encoding=UTF-8")
BRIEF = ("-XX:TieredStopAtLevel=1",)
"""The optimizing compiler costs more time than it saves in processes of a few seconds."""


class JvmLanguage(Language):
    """Subclasses name their compiler, its class path and the class to run."""

    compiled = True
    batch_compiler = True
    compile_batch = 24
    run_limits = Limits(processes=128)
    main_class = "Main"
    compiler_kind: str

    def compiler_jars(self) -> list[Path]:
        """Class path of the compiler beyond the JDK."""
        return []

    def library_jars(self) -> list[Path]:
        """Class path of programs beyond their own classes."""
        return []

    def compiler_arguments(self, box: Box) -> list[str]:
        """The compiler's arguments for one program."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Compile the launcher, once for every version of it and of Java."""
        folder = self._launcher_folder()
        if (folder / "Launch.class").is_file():
            return
        partial = folder.with_name(f"{folder.name}.{os.getpid()}")
        partial.mkdir(parents=True, exist_ok=True)
        command = [self.find("javac"), "-d", str(partial), str(LAUNCHER)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ToolchainMissing(f"{self.name}: javac does not work: {done.stderr[:200]}")
        try:
            partial.rename(folder)
        except OSError:
            shutil.rmtree(partial)

    def reads(self) -> list[Path]:
        """The JDK's configuration, the compiler, the library, driver and launcher."""
        jars = [*self.compiler_jars(), *self.library_jars()]
        jars += [Path(os.path.realpath(jar)) for jar in jars]
        outside = [jar for jar in jars if not str(jar).startswith("/usr/")]
        configuration = [str(path) for path in Path("/etc").glob("java*")]
        configuration.append("/etc/ssl/certs/java")
        return [*installation(self.find("java")), *existing(configuration), *dict.fromkeys(outside),
                COMPILER_DRIVER, self._launcher_folder()]  # fmt: skip

    def compile_command(self, boxes: Sequence[Box], jobs: Path) -> list[str]:
        """One virtual machine for all of `boxes`."""
        for box in boxes:
            (box.program / "classes").mkdir(exist_ok=True)
        write_jobs(jobs, ([str(box.program), *self.compiler_arguments(box)] for box in boxes))
        path = ["-cp", class_path(self.compiler_jars())] if self.compiler_jars() else []
        java = [self.find("java"), *QUIET, *BRIEF, "-Xmx1500m", "-Xss8m"]
        return [*java, *path, str(COMPILER_DRIVER), self.compiler_kind, str(jobs)]

    def run_command(self, box: Box) -> list[str]:
        """The launcher, which starts the program's main class."""
        places = [self._launcher_folder(), box.program / "classes", *self.library_jars()]
        return [self.find("java"), *QUIET, *BRIEF, "-Xmx1g",
                "-cp", class_path(places), "Launch", self.main_class]  # fmt: skip

    def run_stdin(self, box: Box) -> bytes:
        """The token, for the launcher."""
        return box.token.encode()

    def _launcher_folder(self) -> Path:
        identity = self.tool_version(JAVAC).encode() + LAUNCHER.read_bytes()
        return tools_folder("launcher") / hashlib.sha256(identity).hexdigest()[:16]


def class_path(places: Iterable[Path]) -> str:
    """`places` as Java wants them."""
    return os.pathsep.join(map(str, places))
