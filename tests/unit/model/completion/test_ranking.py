"""Features of candidates in their place, one by one, and the order they make."""

import math
import time
from dataclasses import astuple, fields, replace

import pytest

from midline.model.completion.context_chunks import ContextChunk
from midline.model.completion.fim import Cursor
from midline.model.completion.ranking import (
    WEIGHTS,
    Features,
    Suggestion,
    Surroundings,
    feature_matrix,
    ranked,
    scores,
)
from midline.model.completion.syntax import SyntaxAround

NAMES = [field.name for field in fields(Features)]


def around(text: str, name: str = "a.py", **more: object) -> Surroundings:
    before, after = text.split("|")
    cursor = Cursor(before.encode(), after.encode(), before.count("\n"), name)
    cursor = replace(cursor, **more)  # type: ignore[arg-type]
    return Surroundings(cursor, SyntaxAround.of(cursor))


def made(text: str, logprob: float = -1.0, reason: str = "stop") -> Suggestion:
    return Suggestion(text, logprob, logprob, 5, reason)


def feature(name: str, place: Surroundings | None, *texts: str) -> list[float]:
    """One feature of each of `texts`."""
    column = feature_matrix([made(text) for text in texts], place)[:, NAMES.index(name)]
    return [round(float(value), 4) for value in column]


BODY = around("def f(values):\n    |\n")


def test_agreement_looks_through_names_comments_and_space() -> None:
    texts = (
        "x = sum(values)\n    return x",
        "total = sum( values )  # all\n    return total",
        "x = sum(values)\n    return x",
        "return sum(values)",
    )
    assert feature("agreement", BODY, *texts) == [0.6667, 0.6667, 0.6667, 0]
    assert feature("agreement", None, "one  two", "one two", "three") == [0.5, 0.5, 0]


def test_one_candidate_agrees_with_nobody() -> None:
    assert feature("agreement", BODY, "return 1") == [0]


def test_log_probability_is_of_all_tokens_up_to_a_number_of_them() -> None:
    candidates = [Suggestion("a", 0, -0.5, tokens, "stop") for tokens in (0, 4, 32, 100)]
    column = feature_matrix(candidates)[:, NAMES.index("logprob")]
    assert column.tolist() == [0, -2, -16, -16]


def test_what_breaks_the_file_is_broken() -> None:
    assert feature("broken", BODY, "return (1", "return 1", "return 1)") == [1, 0, 1]
    faulty = around("def g(:\n\ndef f(values):\n    |\n")
    assert feature("broken", faulty, "return (1", "return 1") == [1, 0]


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("x = 1\n  return x", 1),
        ("x = 1\n    return x", 0),
        ("if x:\n        return 1\n      return 2", 1),
        ("if x: return 1\n    else: return 2", 0),
        ("for x in y:\n    # nothing", 1),
        ("a = [\n1,\n2]", 0),
        ("s = '''\ntext\n  more'''", 0),
    ],
)
def test_indentation_that_python_refuses_is_broken(text: str, broken: int) -> None:
    assert feature("broken", BODY, text) == [broken]


def test_names_from_nowhere_are_counted() -> None:
    place = around("import os\nCOUNT = 3\ndef f(values):\n    |\n\ndef later(): pass\n")
    texts = (
        "return later(os.path.join(COUNT, len(values)))",
        "return re.findall(heapq, missing)",
        "import re\n    return [x for x in re.findall(values)]",
        "return os.unknown.member(key=1)",
        "return a + b + c + d + e",
    )
    assert feature("unknown_names", place, *texts) == [0, 3, 0, 0, 3]


def test_where_names_may_come_from_out_of_sight_none_is_unknown() -> None:
    for place in (
        around("from os.path import *\n|\n"),
        around("x = 1\n|\n", line=400),  # the beginning of the file was cut off
        around("|", "a.cpp"),
        around("|", "a.txt"),
    ):
        assert feature("unknown_names", place, "missing(1)") == [0]
    assert feature("unknown_names", around("|"), "missing(1)") == [1]
    assert feature("unknown_names", around("|", "a.js"), "missing(Math)") == [1]


def test_names_of_other_files_that_were_read_are_known() -> None:
    chunk = ContextChunk("b.py", "def helper():\n    pass\n")
    assert feature("unknown_names", around("|", context=(chunk,)), "helper(1)") == [0]


def test_what_the_suffix_wants_is_wanted() -> None:
    place = around("def f(values):\n    |\n    return total + len(values)\n")
    assert place.wanted == {"total"}
    texts = ("total = sum(values)", "result = sum(values)", "values += total")
    assert feature("wanted_names", place, *texts) == [1, 0, 0]


def test_length_and_end() -> None:
    short, middle, long = "x()", "x(1, 2)", "x(1, 2, 3)"  # 3, 6 and 8 tokens
    found = feature("shortness", BODY, short, middle, long)
    assert found == [round(math.log(7 / 4), 4), 0, 0]
    assert feature("shortness", BODY, short) == [0]
    candidates = [made("a", reason=reason) for reason in ("stop", "length", "cancelled")]
    column = feature_matrix(candidates)[:, NAMES.index("unfinished")]
    assert column.tolist() == [0, 1, 1]


def test_the_score_is_linear() -> None:
    candidates = [made("return sum(values)", -0.5), made("return (missing", -0.1)]
    matrix = feature_matrix(candidates, BODY)
    assert scores(candidates, BODY) == pytest.approx((matrix @ astuple(WEIGHTS)).tolist())
    only = replace(Features(), logprob=1.0)
    assert scores(candidates, BODY, only) == [-2.5, -0.5]


def test_the_weights_point_where_the_features_say() -> None:
    good = {"logprob", "agreement", "wanted_names"}
    bad = {"broken", "unknown_names", "shortness", "unfinished"}
    for name in good:
        assert getattr(WEIGHTS, name) > 0
    for name in bad:
        assert getattr(WEIGHTS, name) < 0


def test_the_best_comes_first_and_every_text_once() -> None:
    texts = ("return sum(values)", "return missing(values)", "return sum(values)", "")
    found = ranked([made(text, -1.0) for text in texts], BODY)
    assert [suggestion.text for suggestion in found] == [texts[0], texts[1]]
    assert found[0].score > found[1].score
    assert [s.text for s in ranked([made("a", -2.0), made("b", -0.1)])] == ["b", "a"]


def test_equal_texts_keep_the_best_of_their_scores() -> None:
    (found,) = ranked([made("a", -2.0), made("a", -0.5), made("a", -1.0)])
    assert found.mean_logprob == -0.5


def test_all_empty_and_a_single_one() -> None:
    assert [s.text for s in ranked([made(""), made("", -0.5)], BODY)] == [""]
    assert ranked([made("x", -0.25)], BODY) == (made("x", -0.25),)
    assert ranked([]) == ()


@pytest.mark.parametrize("name", ["a.py", "a.js", "a.rs", "a.cpp", "a.unknown", ""])
def test_any_text_is_ranked(name: str) -> None:
    place = around("x = 1\n|\ny = 2\n", name)
    texts = ("\udce9\ud83d", "é" * 50, "(((" * 30, "\0", "'''", "\n\n", "return\r\n")
    assert len(ranked([made(text) for text in texts], place)) == len(texts)
    assert all(map(math.isfinite, scores([made(text) for text in texts], place)))


@pytest.mark.parametrize("filler", ["\n", " ", "\t\n", "from ", "x", "(", "'", "from x import "])
def test_a_file_of_one_thing_is_no_trap(filler: str) -> None:
    place = around(filler * (96_000 // len(filler)) + "\n|\n" + filler * 1000)
    began = time.perf_counter()
    assert all(map(math.isfinite, scores([made("f(a)"), made("g(b)"), made("h(c")], place)))
    assert time.perf_counter() - began < 5


def test_ranking_takes_milliseconds() -> None:
    """Sixteen candidates of twenty lines in a file of a thousand."""
    text = "".join(f"def f{n}(a, b):\n    return a * {n} + b\n\n" for n in range(333))
    place = around(text + "|\n" + text)
    body = "".join(f"    x{n} = [a{n} for a{n} in range({n})]\n" for n in range(20))
    candidates = [made(f"def g{n}(c):\n{body}    return x{n}\n") for n in range(16)]
    scores(candidates[:2], place)
    began = time.perf_counter()
    scores(candidates, place)
    assert time.perf_counter() - began < 1.0  # about 50 ms on an idle machine
