"""The notebooks that a client has open, as its messages tell."""

from collections.abc import Callable, Iterator
from typing import Any

Message = dict[str, Any]
Synchronize = Callable[[str, Message], None]


class NotebookState:
    """Notebooks by name, as the client described them; `synchronize` gets what concerns the
    documents of cells, as if they were documents of their own.
    """

    def __init__(self, synchronize: Synchronize) -> None:
        self._books: dict[str, Message] = {}
        self._synchronize = synchronize

    def take(self, method: str, params: Message) -> None:
        """Take in a notification of a notebook."""
        named = params["notebookDocument"]
        if method == "notebookDocument/didOpen":
            self._books[named["uri"]] = {**named, "cells": list(named["cells"])}
            for item in params["cellTextDocuments"]:
                self._synchronize("textDocument/didOpen", {"textDocument": item})
        elif method == "notebookDocument/didClose":
            for uri in self._cells(self._books.pop(named["uri"])):
                self._synchronize("textDocument/didClose", {"textDocument": {"uri": uri}})
        elif method == "notebookDocument/didChange":
            book = self._books[named["uri"]]
            book["version"] = named["version"]
            self._change(book, params["change"].get("cells") or {})

    def _change(self, book: Message, cells: Message) -> None:
        structure = cells.get("structure") or {}
        if structure:
            array = structure["array"]
            start, end = array["start"], array["start"] + array["deleteCount"]
            book["cells"][start:end] = array.get("cells") or []
        for item in structure.get("didOpen") or ():
            self._synchronize("textDocument/didOpen", {"textDocument": item})
        for item in structure.get("didClose") or ():
            self._synchronize("textDocument/didClose", {"textDocument": item})
        kinds = {cell["document"]: cell for cell in cells.get("data") or ()}
        book["cells"] = [kinds.get(cell["document"], cell) for cell in book["cells"]]
        for content in cells.get("textContent") or ():
            change = {"textDocument": content["document"], "contentChanges": content["changes"]}
            self._synchronize("textDocument/didChange", change)

    def _cells(self, book: Message) -> list[str]:
        return [cell["document"] for cell in book["cells"]]

    def cells(self) -> set[str]:
        """The names of all documents that are cells."""
        return {uri for book in self._books.values() for uri in self._cells(book)}

    def openings(self, item: Callable[[str], Message | None]) -> Iterator[Message]:
        """Notifications that open the notebooks as they are now; `item` describes a document."""
        for book in self._books.values():
            items = [found for uri in self._cells(book) if (found := item(uri)) is not None]
            params = {"notebookDocument": book, "cellTextDocuments": items}
            yield {"jsonrpc": "2.0", "method": "notebookDocument/didOpen", "params": params}
