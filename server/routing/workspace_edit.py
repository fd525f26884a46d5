"""An edit as the Language Server Protocol has it: versioned, in the client's position encoding."""

from collections.abc import Mapping
from pathlib import Path

from lsprotocol import types

from midline.model.errors import MidlineError
from midline.server.documents import Document, PositionEncoding, from_bytes
from midline.server.routing.edits import Edit, TextEdit, changed_texts, check_syntax
from midline.server.routing.workspace import Workspace


def workspace_edit(
    edit: Edit,
    workspace: Workspace,
    documents: Mapping[Path, Document],
    encoding: PositionEncoding,
) -> types.WorkspaceEdit:
    """The edit of files and open documents, checked as `edits.apply` does it.

    documents: what is open, by path; their versions go along, so that a client refuses an edit of
    a text that has changed meanwhile. Raises MidlineError.
    """
    changed = changed_texts(edit, workspace)
    check_syntax(changed)
    changes: list[
        types.TextDocumentEdit | types.CreateFile | types.RenameFile | types.DeleteFile
    ] = []
    for path, (before, _) in changed.items():
        document = documents.get(path)
        uri = document.uri if document else path.as_uri()
        if path in edit.created:
            if path.exists():
                raise MidlineError(f"{path} exists; move it away or name another file")
            changes.append(types.CreateFile(uri))
        name = types.OptionalVersionedTextDocumentIdentifier(
            uri, document.version if document else None
        )
        own = [change for change in edit.edits if change.path == path]
        text = Document(uri, from_bytes(before))
        changes.append(
            types.TextDocumentEdit(name, [_text_edit(c, before, text, encoding) for c in own])
        )
    return types.WorkspaceEdit(document_changes=changes)


def _text_edit(
    change: TextEdit, before: bytes, text: Document, encoding: PositionEncoding
) -> types.TextEdit:
    start, end = (
        types.Position(*text.position(len(from_bytes(before[:offset])), encoding))
        for offset in (change.start, change.end)
    )
    return types.TextEdit(types.Range(start, end), from_bytes(change.text))
