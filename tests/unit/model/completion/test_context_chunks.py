"""Chunks of other files: where they are cut, which are chosen, in which order they stay."""

import pytest

from midline.model.completion.context_chunks import (
    CHUNK_LINES,
    ContextChunk,
    begins_definition,
    choose_chunks,
    cut_into_chunks,
    identifiers,
)


def chunk(name: str, *words: str) -> ContextChunk:
    return ContextChunk(name, " ".join(words) + "\n")


def words(found: ContextChunk) -> int:
    return len(found.text.split())


def test_identifiers_are_names_of_three_letters() -> None:
    assert identifiers("def ab(größe, x_1, _né2): 123abc") == {"def", "größe", "x_1", "_né2"}


def test_chunks_are_cut_before_definitions() -> None:
    body = "def f():\n" + "    pass\n" * 10 + "\n"
    assert [c.text for c in cut_into_chunks("a.py", body * 3)] == [body.rstrip("\n") + "\n"] * 3
    small = "def f():\n    pass\n\n"
    assert len(cut_into_chunks("a.py", small * 3)) == 1


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_chunks_hold_every_line_once(end: str) -> None:
    lines = [f"    line {number}" for number in range(100)]
    chunks = cut_into_chunks("a", end.join(lines))
    assert "".join(c.text for c in chunks).splitlines() == lines
    assert max(c.text.count("\n") for c in chunks) == CHUNK_LINES
    assert all(c.text.endswith("\n") and "\r" not in c.text for c in chunks)


def test_blank_texts_have_no_chunks() -> None:
    assert cut_into_chunks("a", "") == cut_into_chunks("a", "\n \n" * 90) == ()


@pytest.mark.parametrize(
    ("line", "before", "begins"),
    [
        ("def f", "", True),
        ("def f", "x", False),
        (" def", "", False),
        ("}", "", False),
        ("", "", False),
    ],
)
def test_a_definition_begins_at_the_margin_behind_a_blank_line(
    line: str, before: str, begins: bool
) -> None:
    assert begins_definition(line, before) is begins


def test_rare_names_count_for_more_than_common_ones() -> None:
    common = [chunk(f"{n}", "return", "self", "value", f"own{n}") for n in range(20)]
    wanted = chunk("w", "return", "parse_header", "own_w", "own_v")
    near = "return self.parse_header(value)"
    chosen = choose_chunks([*common, wanted], near, 4, words)
    assert chosen == (wanted,)


def test_the_best_come_last_and_fit_together() -> None:
    good = chunk("good", "alpha", "beta", "gamma")
    fair = chunk("fair", "alpha", "beta", "other", "words", "here")
    none = chunk("none", "quite", "different")
    near = "alpha beta gamma"
    assert choose_chunks([good, fair, none], near, 8, words) == (fair, good)
    assert choose_chunks([good, fair, none], near, 7, words) == (good,)
    assert choose_chunks([good, fair, none], near, 0, words) == ()
    assert choose_chunks([], near, 8, words) == ()
    assert choose_chunks([good], "", 8, words) == ()


def test_what_was_chosen_stays_until_something_is_clearly_better() -> None:
    shared = [f"shared{n}" for n in range(8)]
    old, better = chunk("old", *shared, "ours"), chunk("new", *shared, "theirs")
    best = chunk("best", *(f"rare{n}" for n in range(9)))
    near = " ".join([*shared, "theirs"])
    assert choose_chunks([better, old], near, 9, words) == (better,)
    assert choose_chunks([better, old], near, 9, words, kept=(old,)) == (old,)
    near = " ".join([*shared[:4], *sorted(best.identifiers)])
    assert choose_chunks([best, old], near, 9, words, kept=(old,)) == (best,)


def test_kept_chunks_stay_in_front_in_their_order() -> None:
    one, two = chunk("1", "alpha", "beta"), chunk("2", "alpha", "beta", "gamma")
    new = chunk("3", "alpha", "beta", "gamma", "delta")
    gone = chunk("gone", "alpha")
    near = "alpha beta gamma delta"
    kept = (two, gone, one)
    assert choose_chunks([new, one, two], near, 99, words, kept) == (two, one, new)


def test_the_same_chunk_twice_is_read_once() -> None:
    one = chunk("a", "alpha")
    assert choose_chunks([one, chunk("a", "alpha")], "alpha", 99, words) == (one,)
