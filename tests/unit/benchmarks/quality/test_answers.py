"""Answers kept between runs."""

from pathlib import Path

from midline.benchmarks.quality.answers import Answers, completion_rules, question


def test_answers_survive_an_interrupted_run(tmp_path: Path) -> None:
    path = tmp_path / "new" / "answers.jsonl"
    first = Answers(path)
    assert first.get("a") is None
    first.add("a", "text\nof two lines")
    first.add("b", "")
    with path.open("a") as file:
        file.write('\n{"key": "c", "te')
    again = Answers(path)
    assert (again.get("a"), again.get("b"), again.get("c")) == ("text\nof two lines", "", None)
    again.add("c", "whole")
    assert Answers(path).get("c") == "whole"


def test_a_question_is_all_of_its_parts() -> None:
    assert question("a", 1) == question("a", 1)
    assert len({question("a", 1), question("a", 2), question("a1"), question("a", "1")}) == 4
    assert len(completion_rules()) == 64
