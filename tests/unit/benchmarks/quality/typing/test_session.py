"""A session: what is typed, what is recorded of it, and how a trace is continued."""

from pathlib import Path

import pytest

from midline.benchmarks.quality.typing.files import Block, TypedFile
from midline.benchmarks.quality.typing.rhythm import Rhythm
from midline.benchmarks.quality.typing.screen import Screen
from midline.benchmarks.quality.typing.session import Cost, Trace, Typist, rest_of
from midline.model.errors import MidlineError

FILE = TypedFile(
    "python",
    "a.py",
    "def f():\n    return 1\n    # 2\nf()",
    (Block(1, ("    return 1", "    # 2")),),
)
FAST = Rhythm(key=0.0, think=0.0, pause=0.0, jump=0.0, slips=0.3)


class Notepad:
    """Types and shows, at every key, the rest of what has been typed before."""

    name = "midline"

    def __init__(self) -> None:
        self.screen = Screen()
        self.texts: dict[str, str] = {}
        self.uri, self.offset = "", 0
        self.read = 100

    async def open(self, uri: str, text: str, language: str) -> None:
        self.texts[uri] = text

    async def close_all(self) -> None:
        self.texts.clear()

    def jump(self, uri: str, offset: int) -> None:
        self.uri, self.offset = uri, offset
        self.screen.moved(0.0)

    def insert(self, text: str) -> None:
        before = self.texts[self.uri]
        self.texts[self.uri] = before[: self.offset] + text + before[self.offset :]
        self.offset += len(text)
        self.read += len(text)
        self.screen.typed(text, 0.0)
        self.screen.answered("ghost", 1e9)

    def erase(self) -> None:
        before = self.texts[self.uri]
        self.texts[self.uri] = before[: self.offset - 1] + before[self.offset :]
        self.offset -= 1
        self.screen.moved(0.0)

    async def settle(self) -> None:
        pass

    def cpu_seconds(self) -> float | None:
        return 0.0

    def tokens_read(self) -> int | None:
        return self.read


@pytest.mark.parametrize("keys", [None, 3])
async def test_a_block_is_typed_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: int | None
) -> None:
    monkeypatch.setattr("midline.benchmarks.quality.typing.rhythm.SHORTEST_SECONDS", 0.0)
    notepad = Notepad()
    typist = Typist(tmp_path, FAST, 1, keys)
    await typist.open(notepad, FILE, 0)
    positions = await typist.type_block(notepad, FILE, 0)
    assert list(notepad.texts.values()) == [FILE.text]
    assert {one.kind for one in positions} >= {"enter", "key", "slip", "erase"}
    for one in positions:
        slipped = one.kind == "slip"
        assert one.truth == ("" if slipped else rest_of(FILE, 0, one.line, one.typed))
        assert one.states[-1][1] == ("" if one.kind == "erase" else "ghost")
    assert [one.tokens_read for one in positions if one.kind in ("key", "erase")] == [
        int(one.kind == "key") for one in positions if one.kind in ("key", "erase")
    ]
    assert positions[0].truth == "return 1\n    # 2" and positions[-1].truth == ""


async def test_other_files_are_open_and_the_file_lacks_what_is_not_typed(tmp_path: Path) -> None:
    notepad = Notepad()
    file = TypedFile("go", "a.go", "1\n2\n3", (Block(1, ("2",)),), (("b.go", "other"),))
    await Typist(tmp_path, FAST, 1).open(notepad, file, 0)
    assert list(notepad.texts.values()) == ["other", "1\n3"]
    assert (tmp_path / "go" / "b.go").read_text() == "other"
    assert (tmp_path / "go" / ".git").is_dir()


async def test_a_trace_is_continued_by_whole_blocks(tmp_path: Path) -> None:
    path, about = tmp_path / "trace.jsonl", {"seed": 1}
    typist = Typist(tmp_path, Rhythm(key=0.0, think=0.0, jump=0.0, pauses=0.0), 1, 0)
    notepad = Notepad()
    await typist.open(notepad, FILE, 0)
    positions = await typist.type_block(notepad, FILE, 0)
    cost = Cost("midline", "python", "a.py", 0, 1.5, 0.25, 7)
    first = Trace(path, about)
    assert not first.has("midline", FILE, 0)
    first.add(positions, cost)
    with path.open("a") as file:
        file.write('{"positions": [')
    again = Trace(path, about)
    assert again.positions == positions and again.costs == [cost]
    assert again.has("midline", FILE, 0) and not again.has("llama.vim", FILE, 0)
    assert path.read_text().endswith("}\n")
    with pytest.raises(MidlineError, match="other options"):
        Trace(path, {"seed": 2})
