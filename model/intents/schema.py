"""The labels: what a sentence may ask for, and what it may name."""

OUT_OF_SCOPE = "out_of_scope"
INTENTS = (
    "explain", "fix", "tests", "rename", "extract", "docstring", "translate", "generate",
    "complete", "search", "open", "run_tests", "optimise", "configure", "switch_model", "pause",
    "resume", "status", "screenshot", OUT_OF_SCOPE,
)  # fmt: skip
SLOTS = (
    "symbol", "new_name", "path", "line", "language", "framework", "budget", "setting", "value",
    "model", "query", "description", "duration",
)  # fmt: skip
OUTSIDE = "O"
"""The tag of a word that belongs to no slot."""


def tags_of(slots: tuple[str, ...]) -> tuple[str, ...]:
    """The BIO tags of these slots: outside first, then begin and inside of each."""
    return (OUTSIDE, *(f"{place}-{slot}" for slot in slots for place in "BI"))
