"""The calls: the same every time, within words where alignment is tested, and on files."""

from pathlib import Path

import pytest

from midline.benchmarks.quality.cursor.cases import load_cases
from midline.benchmarks.quality.identical.calls import MODES, calls


@pytest.mark.parametrize("mode", MODES)
def test_calls_are_as_many_as_wanted_and_the_same_every_time(mode: str) -> None:
    found = calls(mode, 14, 8, 0.4)
    assert found == calls(mode, 14, 8, 0.4)
    assert len({call.name for call in found}) == len(found) == 14
    for call in found:
        words = call.command("/bin/midline", Path("/folder"))
        assert words[0] == "/bin/midline" and "--json" in words
        assert words[words.index("--max-tokens") + 1] == "8"
        wanted = "0.4" if mode == "sparse" else "0"
        assert words[words.index("--sparsity") + 1] == wanted


def test_aligned_calls_are_inside_words() -> None:
    for call in calls("aligned", 24, 8, 0.4):
        _, line, column = call.arguments[1].rsplit(":", 2)
        assert call.text.splitlines()[int(line) - 1][int(column) - 2].isalpha()
        assert call.arguments[1].startswith("{folder}/" + call.file)


def test_all_marked_cursors_are_there() -> None:
    cases, found = load_cases(), calls("cursors", 10_000, 8, 0.4)
    assert [call.name for call in found] == [case.place for case in cases]
    assert found[3].text == cases[3].before + cases[3].after
