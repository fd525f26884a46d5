"""Find a text or a symbol in the project."""

from collections.abc import Iterator
from pathlib import Path

from midline.server.documents import from_bytes
from midline.server.routing.definitions import mentions
from midline.server.routing.outcome import Place, Places, QuestionError
from midline.server.routing.targets import Resolver

MAX_PLACES = 200


def search(resolver: Resolver) -> Places:
    """The lines where a symbol is mentioned in code, or that have a text in them.

    Letters match in either case unless the text has a capital. Raises QuestionError where nothing
    is named or nothing is found.
    """
    frame = resolver.frame
    name, query = resolver.symbol(), frame["query"]
    if not name and not query:
        raise QuestionError("what is to be searched for?")
    folder = resolver.path()
    found = _mentioned(resolver, name, folder) if name else []
    if not found:
        found = list(_matching(resolver, query or frame["symbol"], folder))
    if not found:
        where = f" in {frame['path']}" if frame["path"] else " in this project"
        raise QuestionError(f"{query or frame['symbol']!r} is nowhere{where}; what else is it?")
    return Places(tuple(found[:MAX_PLACES]))


def _mentioned(resolver: Resolver, name: str, folder: Path | None) -> list[Place]:
    places = {}
    for source in resolver.workspace.sources_with(name):
        if folder is None or source.path.is_relative_to(folder):
            lines = from_bytes(source.data).splitlines()
            for mention in mentions(source, name):
                text = lines[mention.line - 1].strip() if mention.line <= len(lines) else ""
                places[source.path, mention.line] = Place(source.path, mention.line, text)
    return list(places.values())


def _matching(resolver: Resolver, query: str, folder: Path | None) -> Iterator[Place]:
    fold = query == query.lower()
    for path in resolver.workspace.paths():
        if folder is not None and not path.is_relative_to(folder):
            continue
        text = resolver.workspace.text(path)
        if text is None or query not in (text.lower() if fold else text):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if query in (line.lower() if fold else line):
                yield Place(path, number, line.strip())
