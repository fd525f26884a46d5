"""Requests under way: one a document, given up when they are stale."""

from pathlib import Path

from midline.server.documents import Document
from midline.server.lsp.session import Session
from midline.server.lsp.settings import Settings
from midline.server.lsp.typed_ahead import Shown


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
    document = Document("a", "1\n" * 500_000 + "x = y\nz\n", "python", 3)
    session.open(document)
    snapshot = session.snapshot(document, 1_000_004)
    session.edit(document.edited(0, 5000, "", 4))
    assert snapshot.cursor.fragment == b"x = "
    assert snapshot.cursor.line == 500_000
    assert session.settings.limits().before_bytes <= len(snapshot.cursor.before) < 200_000
    assert snapshot.cursor.after == b"y\nz\n"[: session.settings.limits().after_bytes]


def test_others_are_open_or_were_edited_the_latest_first(tmp_path: Path) -> None:
    session, here = Session(), tmp_path / "closed.py"
    here.write_text("1\n")

    def others() -> list[str]:
        found = session.snapshot(session.documents["a"], 0).others
        return [document.uri for document in found]

    for uri in ("a", "b", "c", here.as_uri(), "file:///gone.py", "file:///only-read.py"):
        session.open(Document(uri, ""))
    for uri in ("b", here.as_uri(), "file:///gone.py"):
        session.edit(Document(uri, "edited"))
    for uri in (here.as_uri(), "file:///gone.py", "file:///only-read.py"):
        session.close(uri)
    assert others() == ["b", "c", here.as_uri()]
    session.open(Document(here.as_uri(), "again"))
    assert others() == [here.as_uri(), "b", "c"]
    session.close("b")
    assert others() == [here.as_uri(), "c"]


def test_others_are_few_and_of_languages_that_are_served(tmp_path: Path) -> None:
    session = Session(settings=Settings(disabled_languages=("markdown",)))
    session.open(Document("a", ""))
    for number in range(40):
        session.open(Document(f"b{number}", "", "markdown" if number % 2 else "python"))
        path = tmp_path / f"{number}.py"
        path.write_text("")
        session.edit(Document(path.as_uri(), ""))
        session.close(path.as_uri())
    others = session.snapshot(session.documents["a"], 0).others
    assert [document.uri for document in others] == [f"b{n}" for n in range(38, 6, -2)]
    assert len(session._closed) == 8


def test_other_settings_forget_what_was_shown() -> None:
    session = Session()
    session.shown["a"] = Shown(Document("a", ""), 0, ())
    session.use(Settings())
    assert session.shown
    session.use(Settings(max_tokens=7))
    assert session.shown == {}
    assert session.settings.max_tokens == 7


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
