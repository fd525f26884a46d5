"""Go to a file, a line or a definition."""

from midline.server.routing.outcome import Place, Places, QuestionError
from midline.server.routing.targets import Resolver


def open_place(resolver: Resolver) -> Places:
    """The place that the frame names; QuestionError where it does not resolve."""
    definition = resolver.definition()
    if definition is not None:
        return Places((Place(definition.source.path, definition.line),), go=True)
    lines = resolver.lines()
    path = resolver.path() or (resolver.cursor.path if resolver.cursor and lines else None)
    if path is None:
        raise QuestionError("which file is to be opened?")
    text = resolver.workspace.text(path) if path.is_file() else None
    if lines and text is not None and lines[0] > len(text.splitlines()):
        raise QuestionError(
            f"{path.name} has {len(text.splitlines())} lines and no line {lines[0]}; which one?"
        )
    return Places((Place(path, lines[0] if lines else 1),), go=True)
