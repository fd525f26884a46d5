"""What is shown of a completion that the model doubts somewhere, whatever its tokens are."""

import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from fake_engine import FakeEngine
from tiny_model import QWEN2, write_tiny_model

from midline.kernels import CancelFlag
from midline.model.engines.base import Completion, DrawnToken, OnToken, Request, SamplingOptions
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf
from midline.server.documents import Document
from midline.server.lsp.live_completion import LiveCompletion
from midline.server.lsp.live_writing import write
from midline.server.lsp.prompt_window import WindowPlanner
from midline.server.lsp.session import Snapshot
from midline.server.lsp.settings import Settings

LIKELY = -0.001
CASES = [
    ("a.pm", "perl", "sub f {\n  ", "return undefined_value(12345) if $self->eof;\n"),
    ("a.py", "python", "def f(tw):\n    ", 'tw.separator(">", f"quit {tw.width:>12}", 123.456)\n'),
    ("a.js", "javascript", "class A {\n  ", "async listMembers(org, opts) {\n"),
    (
        "a.go",
        "go",
        "package a\nfunc f() {\n\t",
        'if err := http.Serve("a b", 0x1f); err != nil {\n',
    ),
    ("a.cpp", "cpp", "int f() {\n  ", 'std::cout << "a b c" << object->member_name;\n'),
    ("a.rb", "ruby", "def f\n  ", "value.each_with_index { |item, number| puts item.to_s }\n"),
    ("a.unknown", "plaintext", "x = ", "settings.level_of(other) + 123.5\n"),
]


class Doubtful(FakeEngine):
    """An engine that writes one byte after another and doubts those from `certain` on."""

    pieces: Sequence[bytes] = ()
    chances: Sequence[float] = ()

    def _write(
        self, number: int, sample: int, written: bytes, request: Request,
        options: SamplingOptions, cancel: Any, on_token: OnToken | None,
    ) -> Completion:  # fmt: skip
        ids: list[int] = []
        rows = [(piece, 0.0) for piece in [request.align] if piece]
        rows += list(zip(self.pieces, self.chances, strict=True))
        for piece, chance in rows:
            for at, id in enumerate(self.tokenizer.encode(piece)):
                ids.append(id)
                if on_token:
                    on_token(DrawnToken(0, 0, id, -1.0, 0.0 if at else chance, 1.0))
                if request.stop and self._is_asked(ids, request) and request.stop(sample, ids):
                    return self._made(ids)
        return self._made(ids)

    def _made(self, ids: list[int]) -> Completion:
        return Completion(ids, self.tokenizer.decode(ids), -1.0, -1.0, "stop", [])


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path: Path = write_tiny_model(tmp_path_factory.mktemp("writing") / "tiny.gguf", QWEN2)
    return Tokenizer.from_gguf(read_gguf(path))


def pieces(text: str, dice: random.Random) -> list[str]:
    """A text in random pieces, which end within words as tokens do."""
    found = []
    while text:
        size = dice.randint(1, 6)
        found.append(text[:size])
        text = text[size:]
    return found


class Loop:
    """Stands for the event loop, which hears nothing here."""

    def call_soon_threadsafe(self, *call: Any) -> None: ...


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize(("name", "language", "before", "text"), CASES)
def test_no_cut_falls_within_a_word(
    tokenizer: Tokenizer, name: str, language: str, before: str, text: str, seed: int
) -> None:
    dice = random.Random(f"{name} {seed}")
    engine = Doubtful(tokenizer, lambda prompt: "")
    found = pieces(text, dice)
    engine.pieces = [piece.encode() for piece in found]
    doubted = dice.randrange(1, len(found))
    chance = math.log(dice.choice((0.02, 0.12, 0.3)))
    engine.chances = [LIKELY if at != doubted else chance for at in range(len(found))]
    document = Document(f"file:///{name}", before + "\n", language)
    snapshot = Snapshot(document, len(before), Settings())
    live = LiveCompletion(snapshot, loop=Loop())  # type: ignore[arg-type]
    live.flag = CancelFlag()
    write(engine, WindowPlanner(), live)
    likely = text[: len("".join(found[:doubted]))]
    for typed in range(len(likely)):
        live.typed = text[:typed]
        document_then = Document(document.uri, before + text[:typed] + "\n", language)
        for offer in live.left(document_then, len(before) + typed):
            assert_whole(text, typed, offer.text)


def test_a_text_that_was_stopped_is_cut_before_its_last_word_however_far_it_is_typed(
    tokenizer: Tokenizer,
) -> None:
    before, text = "package a\n", "func (r *response) WriteCGI"
    engine = Doubtful(tokenizer, lambda prompt: "")
    engine.pieces = [b"func (r *response)", b" Write", b"CGI", b"HeaderChunk()"]
    engine.chances = [math.log(0.5), math.log(0.5), math.log(0.3), math.log(0.9)]
    snapshot = Snapshot(Document("file:///a.go", before + "\n", "go"), len(before), Settings())
    live = LiveCompletion(snapshot, loop=Loop())  # type: ignore[arg-type]
    write(engine, WindowPlanner(), live)
    assert "Write" in live.written and "Header" not in live.written, "the model was stopped"
    shown = []
    for typed in range(len(text)):
        live.typed = text[:typed]
        there = Document("file:///a.go", before + text[:typed] + "\n", "go")
        shown += [text[:typed] + one.text for one in live.left(there, len(before) + typed)]
    assert set(shown) <= {"func (r *response)"}


def assert_whole(text: str, typed: int, shown: str) -> None:
    """Whether a text ends where a reader would end it, given what the model went on to write."""
    end = typed + len(shown.rstrip())
    if not text.startswith(text[:typed] + shown.rstrip()):
        return  # brackets were closed
    left = text[end:]
    words = shown.rstrip()[-1:].isalnum() or shown.rstrip()[-1:] == "_"
    assert not (words and (left[:1].isalnum() or left[:1] == "_")), shown
    assert shown.rstrip()[-1:] not in (".", ",", "=", "(", "&", "<", ":=", "-"), shown
    assert text[:end].count('"') % 2 == 0, shown
