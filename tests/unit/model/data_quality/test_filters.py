"""Filter files: what they drop, and what is wrong with them."""

import json
from pathlib import Path

import pytest

from midline.model.data_quality.filters import built_in, load_filter, parse_filter
from midline.model.data_quality.registry import all_signals
from midline.model.data_quality.views import Views
from midline.model.errors import UsageError

SIGNALS = all_signals()
PROSE = (
    "The committee met on the first day of the month, and the members were asked what they had "
    "done since the last time. Some of them had written to the mayor about the bridge. Others had "
    "spoken with the people who live beside the river. Nobody could say when the work would begin "
    "or who was to pay for it, but all agreed that it had to be done before the winter came."
)
CODE = '"""Adds numbers."""\n\n\ndef add(first, second):\n    """The sum of two numbers."""\n    total = first + second\n    return total\n'  # noqa: E501


def verdict(name: str, text: str, file: str = "") -> str | None:
    return load_filter(name, SIGNALS).verdict(Views(text, file), SIGNALS).rule


def rules(*entries: dict, lines: tuple[dict, ...] = ()) -> dict:
    return {"rule": list(entries), "line_rule": list(lines)}


def test_the_filters_that_come_with_midline() -> None:
    assert built_in() == ["c4", "code", "gopher", "redpajama-v1-code"]
    for name in built_in():
        assert load_filter(name, SIGNALS).description


def test_each_keeps_what_it_is_for_and_drops_what_is_not() -> None:
    assert verdict("gopher", PROSE) is None
    assert verdict("gopher", "too short") == "rps_doc_word_count >= 50 and <= 100000"
    assert "dupe" in str(verdict("gopher", PROSE * 3)) or "top" in str(verdict("gopher", PROSE * 3))
    assert verdict("code", CODE, "a.py") is None
    assert verdict("code", "# @generated\n" + CODE, "a.py") == "code_generated_header <= 0"
    assert verdict("redpajama-v1-code", CODE) is None
    assert verdict("redpajama-v1-code", "x" * 1001) == "code_max_line_length <= 1000"


def test_line_rules_leave_lines_out() -> None:
    text = f"{PROSE}\nHome | About\nPlease enable javascript in your browser now.\nShort one.\n"
    found = load_filter("c4", SIGNALS).verdict(Views(text), SIGNALS)
    assert (found.text, found.lines) == (f"{PROSE}\n", 3)
    assert verdict("c4", "Home\nAbout\n") == "no line is left"


def test_a_share_of_the_lines_and_other_reductions() -> None:
    text = "one two three\none\none two\none two three four\n"
    for entry, kept in (
        ({"reduce": "share", "above": 2, "max": 0.4}, False),
        ({"reduce": "share", "above": 2, "max": 0.5}, True),
        ({"reduce": "max", "max": 3}, False),
        ({"reduce": "sum", "min": 10}, True),
        ({"reduce": "min", "min": 2}, False),
        ({"max": 2.5}, True),
    ):
        found = parse_filter("x", rules({"signal": "rps_lines_num_words", **entry}), list(SIGNALS))
        assert (found.verdict(Views(text), SIGNALS).rule is None) == kept, entry


def test_no_score_passes() -> None:
    found = parse_filter("x", rules({"signal": "code_comment_share", "max": 0}), list(SIGNALS))
    assert found.verdict(Views("# text", "notes.txt"), SIGNALS).rule is None
    assert found.verdict(Views("# text", "a.py"), SIGNALS).rule == "code_comment_share <= 0"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        ({}, "no \\[\\[rule\\]\\]"),
        (rules({"signal": "rps_doc_words", "min": 1}), "did you mean rps_doc_word"),
        (rules({"min": 1}), "without a signal"),
        (rules({"signal": "rps_doc_word_count"}), "no min and no max"),
        (rules({"signal": "rps_doc_word_count", "min": "1"}), "give a number"),
        (rules({"signal": "rps_doc_word_count", "min": float("nan")}), "give a number"),
        (rules({"signal": "rps_doc_word_count", "least": 1, "min": 1}), "'least'"),
        (rules({"signal": "rps_doc_word_count", "min": 1, "reduce": "median"}), "median"),
        (rules({"signal": "rps_lines_num_words", "min": 1, "reduce": "share"}), "share"),
        (rules(lines=({"signal": "rps_doc_word_count", "min": 1},)), "scores documents"),
        ({"rule": {"signal": "rps_doc_word_count"}}, "no table"),
    ],
)
def test_what_is_wrong_with_a_filter_is_said(data: dict, what: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=what):
        parse_filter("mine", data, list(SIGNALS))


def test_files_of_both_kinds_and_none(tmp_path: Path) -> None:
    toml, js = tmp_path / "a.toml", tmp_path / "b.json"
    toml.write_text('[[rule]]\nsignal = "rps_doc_word_count"\nmin = 2\n')
    js.write_text(json.dumps(rules({"signal": "rps_doc_word_count", "min": 2})))
    for path in (toml, js):
        assert verdict(str(path), "word") == "rps_doc_word_count >= 2"
    js.write_text("{")
    for path, what in ((js, "not a filter file"), (tmp_path / "none.toml", "one of c4, code")):
        with pytest.raises(UsageError, match=what):
            load_filter(str(path), SIGNALS)
