"""C#: the .NET SDK where it is installed, Mono's compiler otherwise.

The tests compare with a class of a third-party package; `drivers/CompareLogic.cs` stands in for the
little of it that they use.
"""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from midline.benchmarks.mbxp.languages.base import (
    DRIVERS,
    Box,
    Language,
    Tool,
    ToolchainMissing,
    existing,
    tools_folder,
)
from midline.benchmarks.mbxp.tasks import Task
from midline.model.sandbox.installation import installation
from midline.model.sandbox.policy import Limits

COMPARER = DRIVERS / "CompareLogic.cs"
LIBRARY = "CompareLogic.dll"
MONO_VERSION = re.compile(r"version ([\d.]+)")
LAST_BRACES = re.compile(r"\}\s*\}\s*\}\s*\Z")
MONO = (
    Tool("mcs", ("--version",), "apt-get install mono-mcs", "brew install mono"),
    Tool("mono", ("--version",), "apt-get install mono-runtime", "brew install mono"),
)
DOTNET = Tool("dotnet", ("--version",), "see https://learn.microsoft.com/dotnet/core/install/linux",
              "brew install dotnet")  # fmt: skip
PROJECT = """<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net{major}.0</TargetFramework>
    <Nullable>disable</Nullable>
    <ImplicitUsings>enable</ImplicitUsings>
    <AssemblyName>main</AssemblyName>
    <StartupObject>Solution.Program</StartupObject>
    <EnableDefaultCompileItems>false</EnableDefaultCompileItems>
  </PropertyGroup>
  <ItemGroup>
    <Compile Include="main.cs" />
    <Compile Include="{comparer}" />
  </ItemGroup>
</Project>
"""


class CSharp(Language):
    """The tests close the class and the namespace that the prompt opens."""

    name = "csharp"
    source_name = "main.cs"
    expected = re.compile(r"^\s*var expected\d+ = (?P<expected>.*);$", re.MULTILINE)
    single_quotes_characters = True
    compiled = True
    run_limits = Limits(processes=128)

    @cached_property
    def dotnet(self) -> str | None:
        """Version of the .NET SDK, None where there is none and Mono is used."""
        program = shutil.which("dotnet")
        if program is None:
            return None
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else None

    @property
    def tools(self) -> tuple[Tool, ...]:  # type: ignore[override]
        """The SDK's one program, or Mono's two."""
        return (DOTNET,) if self.dotnet else MONO

    @cached_property
    def version(self) -> str:
        """Which of the two it is, and its version."""
        if self.dotnet:
            return f"dotnet {self.dotnet}"
        lines = [self.tool_version(tool) for tool in MONO]
        return f"mono {MONO_VERSION.search(lines[-1])[1]}" if all(lines) else ""  # type: ignore[index]

    def prepare(self) -> None:
        """Compile the comparer once; the SDK compiles it with each program."""
        if self.dotnet or (self._library() / LIBRARY).is_file():
            return
        folder = self._library()
        partial = folder.with_name(f"{folder.name}.{os.getpid()}")
        partial.mkdir(parents=True, exist_ok=True)
        command = [self.find("mcs"), "-target:library", f"-out:{partial / LIBRARY}", str(COMPARER)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ToolchainMissing(
                f"csharp: mcs does not work: {(done.stdout + done.stderr)[:300]}"
            )
        try:
            partial.rename(folder)
        except OSError:
            shutil.rmtree(partial)

    def reads(self) -> list[Path]:
        """The compiler's configuration and the comparer."""
        if self.dotnet:
            return [*installation(self.find("dotnet")), *existing(["/etc/dotnet"]), COMPARER]
        return [*installation(self.find("mono")), *existing(["/etc/mono"]), self._library()]

    def environment(self) -> dict[str, str]:
        """Quiet tools; where Mono finds the comparer."""
        if self.dotnet:
            return {"DOTNET_CLI_TELEMETRY_OPTOUT": "1", "DOTNET_NOLOGO": "1",
                    "DOTNET_SKIP_FIRST_TIME_EXPERIENCE": "1"}  # fmt: skip
        return {"MONO_PATH": str(self._library())}

    def source(self, task: Task, completion: str, token: str) -> str:
        """The token is printed by the last statement of Main."""
        end = LAST_BRACES.search(task.test)
        test = task.test
        if end is not None:
            statement = f'global::System.Console.Write("{token}");\n'
            test = test[: end.start()] + statement + test[end.start() :]
        return task.prompt + completion + test

    def write(self, box: Box) -> None:
        """The program, and for the SDK a project around it."""
        super().write(box)
        if self.dotnet:
            project = PROJECT.format(major=self.dotnet.partition(".")[0], comparer=COMPARER)
            (box.program / "main.csproj").write_text(project, "utf-8")

    def compile_command(self, boxes: Sequence[Box], jobs: Path) -> list[str]:
        """One program a call."""
        folder = boxes[0].program
        if self.dotnet:
            return [self.find("dotnet"), "build", str(folder / "main.csproj"), "-o",
                    str(folder / "out"), "--nologo", "-v", "quiet"]  # fmt: skip
        return [self.find("mcs"), "-nologo", "-warn:0", f"-r:{self._library() / LIBRARY}",
                "-r:System.Numerics", f"-out:{folder / 'main.exe'}",
                str(folder / self.source_name)]  # fmt: skip

    def run_command(self, box: Box) -> list[str]:
        """The program under its runtime."""
        if self.dotnet:
            return [self.find("dotnet"), str(box.program / "out" / "main.dll")]
        return [self.find("mono"), str(box.program / "main.exe")]

    def _library(self) -> Path:
        identity = COMPARER.read_bytes() + self.version.encode()
        return tools_folder("csharp") / hashlib.sha256(identity).hexdigest()[:16]


LANGUAGE = CSharp()
