"""A model that writes exactly what it is told, token by token, until the rules stop it."""

import re
from dataclasses import dataclass

from midline.model.completion.fim import Cursor
from midline.model.completion.insertion_point import InsertionPoint
from midline.model.completion.stopping import completion_end
from midline.model.completion.trimming import shown_text

_TOKENS = re.compile(r" ?\w{1,6}|\s*\n|[^\w\s]{1,3}|\s|.", re.DOTALL)
MARK = "‸"


@dataclass(frozen=True)
class Written:
    """What was written before the rules stopped it, and what of it is shown."""

    text: str
    shown: str
    is_stopped: bool


def cursor_at(marked: str, name: str = "", language: str = "") -> Cursor:
    """The cursor at the `‸` in a text."""
    before, after = marked.split(MARK)
    return Cursor(before.encode(), after.encode(), before.count("\n"), name, language=language)


def tokens(text: str) -> list[str]:
    """Pieces such as a model writes."""
    return _TOKENS.findall(text)


def write(cursor: Cursor, text: str, *, most: int | None = None, above: bool = False) -> Written:
    """What becomes of `text` at `cursor`, of at most `most` tokens."""
    point = InsertionPoint.of(cursor, above=above)
    written = ""
    pieces = tokens(text)
    for piece in pieces[:most]:
        written += piece
        if completion_end(written, point.place, fits=point.stop_test) is not None:
            return Written(written, shown_text(written, point, complete=True), True)
    complete = most is None or len(pieces) <= most
    return Written(written, shown_text(written, point, complete=complete), False)


def assert_stays_whole(cursor: Cursor, answer: str) -> None:
    """Fail unless the rules let `answer` be written to its end, and show all of it."""
    found = write(cursor, answer)
    assert found.text == answer  # nothing stopped it early
    assert found.shown.replace("\r\n", "\n") == answer


def assert_ends_there(cursor: Cursor, answer: str) -> None:
    """Fail unless `answer` alone is shown, although the file's next text is written behind it."""
    after = cursor.after.decode().replace("\r\n", "\n")
    shown = write(cursor, answer + after).shown.replace("\r\n", "\n")
    assert shown.rstrip() == answer.rstrip()
    assert shown
