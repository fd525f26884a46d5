"""Go to a file, a line, a definition, or the tests of one."""

import re
from pathlib import Path

from midline.server.routing.actions.testing import is_test_file, test_file_of
from midline.server.routing.outcome import Place, Places, QuestionError
from midline.server.routing.targets import Resolver

_TESTS_OF = re.compile(r"\btests?\s+(?:file\s+)?(?:of|for)\b", re.IGNORECASE)


def open_place(resolver: Resolver) -> Places:
    """The place that the frame names; QuestionError where it does not resolve."""
    definition = resolver.definition()
    lines = resolver.lines()
    path = resolver.path() or (resolver.cursor.path if resolver.cursor and lines else None)
    if _TESTS_OF.search(resolver.frame.text):
        tested = definition.source.path if definition is not None else path
        if tested is not None and not is_test_file(tested):
            return _tests_of(tested, resolver)
    if definition is not None:
        return Places((Place(definition.source.path, definition.line),), go=True)
    if path is None:
        raise QuestionError("which file is to be opened?")
    text = resolver.workspace.text(path) if path.is_file() else None
    if lines and text is not None and lines[0] > len(text.splitlines()):
        raise QuestionError(
            f"{path.name} has {len(text.splitlines())} lines and no line {lines[0]}; which one?"
        )
    return Places((Place(path, lines[0] if lines else 1),), go=True)


def _tests_of(path: Path, resolver: Resolver) -> Places:
    """The file of the tests of `path`; QuestionError where there is none."""
    tests = test_file_of(path, resolver.workspace)
    if tests is None or not tests.is_file():
        usual = f" ({resolver.workspace.name_of(tests)})" if tests is not None else ""
        raise QuestionError(f"there are no tests of {path.name} yet{usual}; which file is meant?")
    return Places((Place(tests, 1),), go=True)
