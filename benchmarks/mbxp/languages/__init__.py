"""The thirteen languages by name, each in a module of its own that is imported on demand."""

import functools
import importlib

from midline.benchmarks.mbxp.languages.base import Box, Language, Tool, ToolchainMissing
from midline.model.errors import UsageError

__all__ = ["NAMES", "Box", "Language", "Tool", "ToolchainMissing", "language"]

NAMES = (
    "python",
    "java",
    "javascript",
    "typescript",
    "kotlin",
    "ruby",
    "php",
    "cpp",
    "csharp",
    "go",
    "perl",
    "scala",
    "swift",
)


@functools.cache
def language(name: str) -> Language:
    """The evaluator of language `name`; UsageError if there is none."""
    if name not in NAMES:
        raise UsageError(f"no language {name!r}; there are {', '.join(NAMES)}")
    module = importlib.import_module(f"midline.benchmarks.mbxp.languages.{name}")
    evaluator: Language = module.LANGUAGE
    return evaluator
