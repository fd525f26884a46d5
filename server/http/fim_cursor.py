"""The cursor that a request means, from text with fill-in-the-middle tokens or without."""

from collections import Counter
from dataclasses import replace

from midline.model.completion.context_chunks import ContextChunk
from midline.model.completion.fim import Cursor
from midline.model.completion.languages import SUFFIXES, language_of_text
from midline.model.completion.syntax import SyntaxAround
from midline.model.tokenizer.base import TokenizerBase

_MOST_ERRORS = 2
"""Places of a file that may not parse in the language that is taken for its own."""
_MOST_GUESSES = 3


def cursor_of(
    before: bytes,
    after: bytes,
    *,
    name: str = "",
    language: str = "",
    chunks: tuple[ContextChunk, ...] = (),
) -> Cursor:
    """The cursor between two texts, with a language where that can be told.

    Clients that name no file are likely to complete one like those that their chunks come from.
    """
    chunks = tuple(chunk for chunk in chunks if chunk.text.strip())
    cursor = Cursor(before, after, before.count(b"\n"), name, chunks, language=language)
    return cursor if name or language else _guessed(cursor)


def _guessed(cursor: Cursor) -> Cursor:
    """`cursor` with the language of most chunks that its text parses in, if there is one."""
    counted = Counter(language_of_text(chunk.name) for chunk in cursor.context)
    counted.pop("", None)
    for language, _ in counted.most_common(_MOST_GUESSES):
        named = replace(cursor, name=f"file{SUFFIXES[language].split()[0]}", language=language)
        syntax = SyntaxAround.of(named)
        if syntax is not None and syntax.errors <= _MOST_ERRORS:
            return named
    return cursor


def cursor_of_prompt(tokenizer: TokenizerBase, prompt: str) -> Cursor | None:
    """The cursor of a prompt that is laid out with the model's FIM tokens; None for other prompts.

    Files behind `<|file_sep|>` in front of it become chunks, and the last name is the file's own.
    """
    fim = tokenizer.fim
    if fim is None:
        return None
    prefix, suffix, middle = (_text(tokenizer, id) for id in (fim.prefix, fim.suffix, fim.middle))
    head, has_prefix, rest = prompt.partition(prefix)
    before, has_suffix, rest = rest.partition(suffix)
    after, has_middle, written = rest.partition(middle)
    if not (has_prefix and has_suffix and has_middle):
        return None
    separator = "" if fim.file_sep is None else _text(tokenizer, fim.file_sep)
    pieces = head.split(separator)[1:] if separator else []
    files = [ContextChunk(*piece.partition("\n")[::2]) for piece in pieces]
    name = files.pop().name if files and not files[-1].text.strip() else ""
    text = (before + written).encode("utf-8", "surrogatepass")
    return cursor_of(text, after.encode("utf-8", "surrogatepass"), name=name, chunks=tuple(files))


def _text(tokenizer: TokenizerBase, id: int) -> str:
    return tokenizer.token_bytes(id).decode("utf-8", "replace")
