"""The benchmark's defects that are corrected unless a switch says otherwise, by name."""

EARLY_EXIT = "early-exit"
"""Exit status 0 before the tests are through is no pass."""
GO_UNUSED_IMPORTS = "go-unused-imports"
"""Imports of a Go prompt that its solution has no use for are taken out."""
TYPESCRIPT_EXIT_STATUS = "typescript-exit-status"
"""A TypeScript program without type errors counts as compiled, too."""
PYTHON_TEST_NAMES = "python-test-names"
"""Python tests that a function's own name spoils (`check`, `candidate`) are mended."""

CORRECTIONS = frozenset({EARLY_EXIT, GO_UNUSED_IMPORTS, TYPESCRIPT_EXIT_STATUS, PYTHON_TEST_NAMES})
NONE: frozenset[str] = frozenset()
