"""Requests under way: one a document, given up when they are stale."""

import asyncio
from pathlib import Path

from midline.server.documents import Document
from midline.server.lsp.live_completion import LiveCompletion
from midline.server.lsp.session import Session
from midline.server.lsp.settings import Settings


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
    assert session._requests == {}


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


async def _lives(session: Session, *uris: str) -> list[LiveCompletion]:
    """A live completion at the end of each document."""
    found = []
    for uri in uris:
        document = session.documents[uri]
        live = LiveCompletion(session.snapshot(document, len(document.text)))
        live.written = "value"
        session.replace_live(live)
        found.append(live)
    return found


def test_other_settings_end_what_is_live() -> None:
    session = Session()
    session.open(Document("a", "x = "))
    (live,) = asyncio.run(_lives(session, "a"))
    session.use(Settings())
    assert session.live == {"a": live}
    session.use(Settings(max_tokens=7))
    assert session.live == {}
    assert live.stale
    assert session.settings.max_tokens == 7


def test_an_edit_that_agrees_leaves_a_live_completion_alone() -> None:
    session = Session()
    session.open(Document("a", "x = "))
    (live,) = asyncio.run(_lives(session, "a"))
    session.edit(Document("a", "x = va", version=2))
    assert not live.stale
    session.edit(Document("a", "x = vi", version=3))
    assert live.stale
    assert session.live == {}


def test_a_new_live_completion_ends_what_is_written_elsewhere() -> None:
    session = Session()
    for uri in ("a", "b", "c"):
        session.open(Document(uri, "x = "))
    (first,) = asyncio.run(_lives(session, "a"))
    first.is_finished = True
    second, third = asyncio.run(_lives(session, "b", "c"))
    assert [live.stale for live in (first, second, third)] == [False, True, False]
    (fourth,) = asyncio.run(_lives(session, "c"))
    assert third.stale
    assert session.live == {"a": first, "c": fourth}


def test_only_open_documents_of_served_languages_are_completable() -> None:
    session = Session(settings=Settings(disabled_languages=("markdown",)))
    for language in ("python", "markdown"):
        session.open(Document(language, "", language))
    assert session.completable("python") is not None
    assert session.completable("markdown") is None
    assert session.completable("elsewhere") is None


def test_a_closed_document_is_written_no_further() -> None:
    session = Session()
    session.open(Document("a", "x = "))
    (live,) = asyncio.run(_lives(session, "a"))
    request = session.begin("a")
    session.close("a")
    assert live.stale
    assert request.stale
