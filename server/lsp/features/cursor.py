"""midline/cursor: the cursor of an editor has come to rest, without an edit."""

from typing import TYPE_CHECKING, Any

from midline.server.lsp.cursor_rest import cursor_rests

if TYPE_CHECKING:
    from midline.server.lsp.server import MidlineServer

METHOD = "midline/cursor"


def cursor(ls: "MidlineServer", params: Any) -> None:
    """Prepare for a key there. `params`: `{textDocument: {uri}, position}`; others are ignored."""
    uri, place = _field(params, "textDocument", "uri"), _field(params, "position")
    line, character = _field(place, "line"), _field(place, "character")
    document = ls.session.completable(uri) if isinstance(uri, str) else None
    if document is None or not (_is_number(line) and _is_number(character)):
        return
    offset = document.offset(line, character, ls.session.encoding)
    cursor_rests(ls, ls.session.snapshot(document, offset))


def _field(value: Any, *names: str) -> Any:
    """A field of the parameters, whose classes pygls makes up."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
