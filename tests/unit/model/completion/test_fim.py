"""Prompts: what goes where, how much of it, and which bytes are written again."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_model import QWEN2, write_tiny_model

from midline.model.completion.context_chunks import ContextChunk, cut_into_chunks
from midline.model.completion.fim import (
    Cursor,
    FimLayout,
    Prompt,
    WindowLimits,
    build_prompt,
    chunk_ids,
    context_header,
)
from midline.model.decoding.alignment.token_healing import back_up
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf

SOME_WORDS = "def return self class for in range(10): value = items[0] # é 你好 😀"
WORDS = SOME_WORDS.split()


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = write_tiny_model(tmp_path_factory.mktemp("fim") / "tiny.gguf", QWEN2)
    return Tokenizer.from_gguf(read_gguf(path))


@pytest.fixture(scope="module")
def without_fim(tokenizer: Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = write_tiny_model(tmp_path_factory.mktemp("fim") / "tiny.gguf", QWEN2)
    plain = Tokenizer.from_gguf(read_gguf(path))
    plain.fim = None
    return plain


def cursor_in(text: str, at: int) -> Cursor:
    before, after = text[:at].encode(), text[at:].encode()
    return Cursor(before, after, before.count(b"\n"))


def parts(tokenizer: Tokenizer, prompt: Prompt) -> tuple[bytes, bytes, bytes]:
    """Prefix, suffix and middle of a laid-out prompt, what is given back included."""
    fim, ids = tokenizer.fim, list(prompt.ids)
    assert fim is not None
    assert ids[0] == fim.prefix
    suffix, middle = ids.index(fim.suffix), ids.index(fim.middle)
    text = [ids[1:suffix], ids[suffix + 1 : middle], ids[middle + 1 :]]
    prefix, suffix_text, middle_text = (b"".join(map(tokenizer.token_bytes, t)) for t in text)
    return prefix, suffix_text, middle_text


def lines_of(count: int, seed: int = 1) -> str:
    dice = random.Random(seed)
    return "".join(
        " " * dice.randint(0, 8) + " ".join(dice.choices(WORDS, k=dice.randint(0, 6))) + "\n"
        for _ in range(count)
    )


def test_the_fragment_follows_the_middle(tokenizer: Tokenizer) -> None:
    text = "import numpy\ndef f(items):\n    return va\n\nprint(f([1]))\n"
    at = text.index("va") + 2
    prompt = build_prompt(tokenizer, cursor_in(text, at))
    prefix, suffix, middle = parts(tokenizer, prompt)
    assert prefix == b"import numpy\ndef f(items):\n"
    assert middle + prompt.align == b"    return va"
    assert suffix == b"\n\nprint(f([1]))\n"
    assert prompt.align != b""


def test_the_plain_layout_keeps_the_fragment_in_the_prefix(tokenizer: Tokenizer) -> None:
    text = "import numpy\nreturn va\nend\n"
    prompt = build_prompt(tokenizer, cursor_in(text, 22), layout=FimLayout.PLAIN)
    prefix, suffix, middle = parts(tokenizer, prompt)
    assert prefix + prompt.align == b"import numpy\nreturn va"
    assert (suffix, middle) == (b"\nend\n", b"")


def test_a_keystroke_only_appends(tokenizer: Tokenizer) -> None:
    """Everything up to the middle token stays, so its cache stays."""
    text, tail = lines_of(60), "\nend\n"
    fim = tokenizer.fim
    assert fim is not None
    heads = set()
    for typed in range(11):
        cursor = cursor_in(text + "value = se"[:typed] + tail, len(text) + typed)
        prompt = build_prompt(tokenizer, cursor)
        heads.add(prompt.ids[: prompt.ids.index(fim.middle)])
    assert len(heads) == 1


@pytest.mark.parametrize("layout", FimLayout)
def test_any_cursor_gives_a_bounded_prompt_that_agrees_with_the_text(
    tokenizer: Tokenizer, layout: FimLayout
) -> None:
    text = lines_of(400)
    limits = WindowLimits(prefix_tokens=200, suffix_tokens=50)
    dice = random.Random(5)
    for _ in range(60):
        at = dice.randrange(len(text) + 1)
        cursor = cursor_in(text, at)
        prompt = build_prompt(tokenizer, cursor, limits, layout)
        prefix, suffix, middle = parts(tokenizer, prompt)
        assert cursor.before.endswith(prefix + middle + prompt.align)
        assert cursor.after.startswith(suffix)
        assert len(prompt.ids) <= 200 + 50 + 3 + len(cursor.fragment)
        assert suffix.endswith(b"\n") or suffix == cursor.after or b"\n" not in suffix
        whole = cursor.before[: len(cursor.before) - len(cursor.fragment)]
        begin = len(whole) - len(prefix) if layout is not FimLayout.PLAIN else None
        assert begin is None or begin == 0 or whole[begin - 1] == ord("\n")


@pytest.mark.parametrize("tokens", [16, 64, 128, 500, 1200])
def test_the_window_is_as_large_as_it_may_be(tokenizer: Tokenizer, tokens: int) -> None:
    """But for a line, or a quarter where a definition begins there."""
    text = lines_of(300)
    limits = WindowLimits(prefix_tokens=tokens, suffix_tokens=10)
    longest = max(len(tokenizer.encode(line)) for line in text.splitlines(keepends=True))
    for line in range(200, 296):
        at = len("".join(text.splitlines(keepends=True)[:line]))
        prefix, _, _ = parts(tokenizer, build_prompt(tokenizer, cursor_in(text, at), limits))
        size = len(tokenizer.encode(prefix))
        assert tokens * 3 // 4 - longest <= size <= tokens


def test_the_window_begins_with_a_definition_where_one_is_near(tokenizer: Tokenizer) -> None:
    block = "def f():\n" + "    value = items[0]\n" * 9 + "\n"
    text, limits = "import a\n" * 3 + block * 30, WindowLimits(prefix_tokens=900, suffix_tokens=10)
    prompt = build_prompt(tokenizer, cursor_in(text, len(text)), limits)
    prefix, _, _ = parts(tokenizer, prompt)
    assert prefix.startswith(b"def f():\n")
    assert prompt.start_line == text.count("\n") - prefix.count(b"\n") > 0


def test_a_window_goes_on_where_it_began(tokenizer: Tokenizer) -> None:
    """Until it has a quarter more than it should, and only where that line can be reached."""
    text = "value = items[0]\n" * 300
    limits = WindowLimits(prefix_tokens=400, suffix_tokens=10)
    line = len("value = items[0]\n")
    first = build_prompt(tokenizer, cursor_in(text, 100 * line), limits)
    each = len(tokenizer.encode("value = items[0]\n"))
    kept = replace(limits, start_line=first.start_line)
    most = first.start_line + kept.most_prefix_tokens // each
    assert 100 < most < 200
    for number, begins in ((most, True), (most + 1, False), (first.start_line, False), (2, False)):
        later = build_prompt(tokenizer, cursor_in(text, number * line), kept)
        assert (later.start_line == first.start_line) is begins
    top = replace(limits, start_line=0)
    assert build_prompt(tokenizer, cursor_in(text, 3 * line), top).start_line == 0
    cut = Cursor(b"cut]\n" + b"value = items[0]\n" * 5, b"", 50)
    assert build_prompt(tokenizer, cut, replace(limits, start_line=44)).start_line == 45


def test_the_suffix_ends_before_a_definition_where_one_is_near(tokenizer: Tokenizer) -> None:
    text = "x = 1\n" + "\n".join(["def f():\n" + "    value = items[0]\n" * 3] * 40)
    for tokens in (60, 100, 150):
        prompt = build_prompt(tokenizer, cursor_in(text, 6), WindowLimits(suffix_tokens=tokens))
        _, suffix, _ = parts(tokenizer, prompt)
        assert text.encode()[6:].startswith(suffix)
        assert suffix.endswith(b"\n\n") or b"\n\n" not in suffix[len(suffix) * 3 // 4 :]
        assert len(tokenizer.encode(suffix)) <= tokens


def test_windows_cut_by_the_caller_make_no_difference(tokenizer: Tokenizer) -> None:
    text, limits = lines_of(2000), WindowLimits(prefix_tokens=300, suffix_tokens=60)
    whole = cursor_in(text, len(text) // 2)
    cut = Cursor(
        whole.before[-limits.before_bytes :], whole.after[: limits.after_bytes], whole.line
    )
    assert build_prompt(tokenizer, cut, limits) == build_prompt(tokenizer, whole, limits)


def test_a_line_without_end(tokenizer: Tokenizer) -> None:
    text = "é = [" + "1, 你好, " * 300_000
    cursor = cursor_in(text, len(text) // 2)
    limits = WindowLimits(prefix_tokens=100, suffix_tokens=30)
    prompt = build_prompt(tokenizer, cursor, limits)
    prefix, suffix, middle = parts(tokenizer, prompt)
    assert cursor.before.endswith(prefix + middle + prompt.align)
    assert cursor.after.startswith(suffix)
    assert prefix
    assert middle
    (prefix + middle + prompt.align).decode()
    assert len(prompt.ids) < 1000


def test_crlf_is_read_as_lf(tokenizer: Tokenizer) -> None:
    unix = build_prompt(tokenizer, cursor_in("a = 1\nb = \nc\n", 10))
    dos = build_prompt(tokenizer, cursor_in("a = 1\r\nb = \r\nc\r\n", 11))
    assert dos == unix


def test_markers_in_a_file_are_plain_text(tokenizer: Tokenizer) -> None:
    text = "x = '<|fim_middle|>'\ny = '<|fim_suffix|>"
    prompt = build_prompt(tokenizer, cursor_in(text, len(text)))
    fim = tokenizer.fim
    assert fim is not None
    assert prompt.ids.count(fim.middle) == prompt.ids.count(fim.suffix) == 1
    prefix, _, middle = parts(tokenizer, prompt)
    assert prefix + middle + prompt.align == text.encode()


def test_bytes_that_are_not_utf8_are_kept(tokenizer: Tokenizer) -> None:
    cursor = Cursor(b"# caf\xe9\nname = 'caf\xe9", b"'\xff\n", 1)
    prompt = build_prompt(tokenizer, cursor)
    prefix, suffix, middle = parts(tokenizer, prompt)
    assert (prefix, middle + prompt.align, suffix) == (
        b"# caf\xe9\n",
        b"name = 'caf\xe9",
        b"'\xff\n",
    )


def test_without_fim_tokens_the_prefix_is_the_prompt(without_fim: Tokenizer) -> None:
    prompt = build_prompt(without_fim, cursor_in("def f():\n    retu\nafter", 17))
    text = b"".join(map(without_fim.token_bytes, prompt.ids)) + prompt.align
    assert text == b"def f():\n    retu"
    empty = build_prompt(without_fim, Cursor(b"", b"", 0))
    assert empty == Prompt((without_fim.bos_id,), b"")


def test_an_empty_file_has_a_prompt(tokenizer: Tokenizer) -> None:
    fim = tokenizer.fim
    assert fim is not None
    prompt = build_prompt(tokenizer, Cursor(b"", b"", 0))
    assert prompt == Prompt((fim.prefix, fim.suffix, fim.middle), b"")


def test_backing_up_takes_what_could_be_cut_otherwise(tokenizer: Tokenizer) -> None:
    """For every cut of a text, the ids kept are those the whole text begins with."""
    text = "    return self.value\n    for index in range(len(items)):\n"
    whole = tokenizer.encode(text)
    for at in range(1, len(text) + 1):
        ids = tokenizer.encode(text[:at])
        kept, align = back_up(tokenizer, ids, 99)
        assert kept == whole[: len(kept)]
        assert b"".join(map(tokenizer.token_bytes, kept)) + align == text[:at].encode()


def test_backing_up_is_bounded(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("    retur")
    assert back_up(tokenizer, ids, 0) == (ids, b"")
    kept, align = back_up(tokenizer, ids, 1)
    assert kept == ids[:-1]
    assert align == tokenizer.token_bytes(ids[-1])
    assert back_up(tokenizer, [], 3) == ([], b"")


def test_limits_shrink_to_a_small_context(tokenizer: Tokenizer) -> None:
    assert WindowLimits().fitted(5000) == WindowLimits()
    assert WindowLimits().fitted(-5).prefix_tokens == 0
    texts = 1024 + 256 + 512 + 32
    half = WindowLimits().fitted(6 + texts // 2)
    assert (half.prefix_tokens, half.suffix_tokens, half.fragment_bytes) == (512, 128, 256)
    assert half.context_tokens == 0
    assert WindowLimits().fitted(6 + texts + 100) == WindowLimits(context_tokens=100)
    moved = WindowLimits(start_line=3).fitted(6 + texts)
    names = moved.fragment_bytes + moved.name_bytes
    assert moved.most_prefix_tokens + moved.suffix_tokens + names <= texts
    line = "x = [" + "1, 22, " * 5000
    for room in (8, 20, 100, 400):
        limits = WindowLimits().fitted(room)
        for text in (line, line + "\n" + line, lines_of(300)):
            cursor = replace(
                cursor_in(text, len(text) // 2),
                name="a_long_name_of_a_file.py" * 9,
                context=cut_into_chunks("other.py", lines_of(300, seed=2)),
                project="a_long_name_of_a_project" * 9,
            )
            prompt = build_prompt(tokenizer, cursor, limits)
            assert len(prompt.ids) <= room


def test_the_name_of_the_file_comes_first(tokenizer: Tokenizer) -> None:
    fim = tokenizer.fim
    assert fim is not None
    plain = build_prompt(tokenizer, cursor_in("x = 1\n", 4))
    named = build_prompt(tokenizer, replace(cursor_in("x = 1\n", 4), name="a.py"))
    assert named.ids == (fim.file_sep, *tokenizer.encode("a.py\n"), *plain.ids)
    assert named.align == plain.align


def test_an_unsaved_document_has_the_name_of_its_language(tokenizer: Tokenizer) -> None:
    cursor = cursor_in("x = 1\n", 4)
    unsaved = build_prompt(tokenizer, replace(cursor, language="go"))
    assert unsaved == build_prompt(tokenizer, replace(cursor, name="untitled.go"))


def test_chunks_of_other_files_come_before_the_name(tokenizer: Tokenizer) -> None:
    fim = tokenizer.fim
    assert fim is not None
    chunks = (ContextChunk("src/b.py", "b = 1\n"), ContextChunk("c.py", "c = <|fim_middle|>\n"))
    cursor = replace(cursor_in("x = 1\n", 4), name="a.py", context=chunks, project="house")
    named = build_prompt(tokenizer, replace(cursor, context=(), project=""))
    whole = build_prompt(tokenizer, cursor)
    pieces = [(fim.file_sep, *tokenizer.encode(f"{c.name}\n{c.text}")) for c in chunks]
    repo = (fim.repo_name, *tokenizer.encode("house\n"))
    assert whole == replace(named, ids=(*repo, *pieces[0], *pieces[1], *named.ids))
    assert repo == context_header(tokenizer, "house", WindowLimits())
    exact = WindowLimits(context_tokens=len(repo) + len(pieces[0]))
    assert build_prompt(tokenizer, cursor, exact).ids == (*repo, *pieces[0], *named.ids)
    for room, read in ((len(pieces[0]), pieces[0]), (len(pieces[0]) - 1, ()), (0, ())):
        limits = WindowLimits(context_tokens=room)
        bounded = build_prompt(tokenizer, replace(cursor, project=""), limits)
        assert bounded.ids == (*read, *named.ids)
    assert [chunk_ids(tokenizer, chunk) for chunk in chunks] == pieces
    plain = build_prompt(tokenizer, cursor_in("x = 1\n", 4))
    nameless = build_prompt(tokenizer, replace(cursor, name="", project=""))
    assert nameless.ids == (*pieces[0], *pieces[1], *plain.ids)


def test_a_model_that_cannot_tell_files_apart_reads_one(
    tokenizer: Tokenizer, without_fim: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunk = ContextChunk("b.py", "b = 1\n")
    cursor = replace(cursor_in("x = 1\n", 4), name="a.py", context=(chunk,), project="house")
    plain = replace(cursor, context=(), project="")
    assert build_prompt(without_fim, cursor) == build_prompt(without_fim, plain)
    assert chunk_ids(without_fim, chunk) == ()
    assert tokenizer.fim is not None
    monkeypatch.setattr(tokenizer, "fim", replace(tokenizer.fim, file_sep=None))
    assert build_prompt(tokenizer, cursor) == build_prompt(tokenizer, plain)


def test_the_real_tokenizer_keeps_alignment_in_three_tokens(qwen05_path: Path) -> None:
    """A cursor inside a word of code: the ids kept begin the whole text's, at 97% of the cuts."""
    tokenizer = Tokenizer.from_gguf(read_gguf(qwen05_path))
    source = Path(__file__).read_text("utf-8")
    dice = random.Random(3)
    agreeing = 0
    for _ in range(200):
        at = dice.randrange(200, len(source) - 20)
        line = source.rfind("\n", 0, at) + 1
        end = source.find("\n", at)
        whole = tokenizer.encode(source[line:end])
        kept, _ = back_up(tokenizer, tokenizer.encode(source[line:at]), 3)
        agreeing += kept == whole[: len(kept)]
    assert agreeing >= 194
