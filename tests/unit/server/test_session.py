"""Requests under way: one a document, given up when they are stale."""

from midline.server.documents import Document
from midline.server.session import Session
from midline.server.settings import Settings


def test_the_newest_request_gives_up_the_one_before() -> None:
    session = Session()
    first, other = session.begin("a"), session.begin("b")
    second = session.begin("a")
    assert (first.stale, second.stale, other.stale) == (True, False, False)
    session.end("a", first)
    third = session.begin("a")
    assert second.stale
    assert not third.stale


def test_edits_openings_and_closings_give_up() -> None:
    session = Session()
    for act in (
        lambda: session.open(Document("a", "")),
        lambda: session.edit(Document("a", "x", version=2)),
        lambda: session.close("a"),
    ):
        request = session.begin("a")
        act()
        assert request.stale
    assert session.documents == {}


def test_an_ended_request_is_forgotten() -> None:
    session = Session()
    request = session.begin("a")
    session.end("a", request)
    assert request.stale
    session.give_up("a")
    assert session._live == {}


def test_a_snapshot_keeps_what_was_there() -> None:
    session = Session(settings=Settings(prefix_tokens=16, suffix_tokens=0))
    document = Document("a", "1\n" * 5000 + "x = y\nz\n", "python", 3)
    session.open(document)
    snapshot = session.snapshot(document, 10_004)
    session.edit(document.edited(0, 5000, "", 4))
    assert snapshot.cursor.fragment == b"x = "
    assert snapshot.cursor.line == 5000
    assert len(snapshot.cursor.before) < 2000
    assert snapshot.cursor.after == b""


def test_only_open_documents_of_served_languages_are_completable() -> None:
    session = Session(settings=Settings(disabled_languages=("markdown",)))
    for language in ("python", "markdown"):
        session.open(Document(language, "", language))
    assert session.completable("python") is not None
    assert session.completable("markdown") is None
    assert session.completable("elsewhere") is None


def test_a_closed_document_is_read_no_further() -> None:
    session = Session()
    given_up, closed = session.begin("a"), session.begin("b")
    session.edit(Document("a", ""))
    session.close("b")
    assert (given_up.stale, given_up.flag.is_set()) == (True, False)
    assert (closed.stale, closed.flag.is_set()) == (True, True)
