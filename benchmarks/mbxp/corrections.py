"""Known defects of the benchmark that are corrected by default, by name."""

EARLY_EXIT = "early-exit"
"""A program that exits with status 0 before its tests have run does not pass."""
GO_UNUSED_IMPORTS = "go-unused-imports"
"""Unused imports are removed from Go prompts, since Go does not compile them."""
TYPESCRIPT_EXIT_STATUS = "typescript-exit-status"
"""TypeScript programs without type errors count as compiled, too."""
PYTHON_TEST_NAMES = "python-test-names"
"""Python tests broken by a function named `check` or by `candidate` in a string are repaired."""

CORRECTIONS = frozenset({EARLY_EXIT, GO_UNUSED_IMPORTS, TYPESCRIPT_EXIT_STATUS, PYTHON_TEST_NAMES})
NONE: frozenset[str] = frozenset()
