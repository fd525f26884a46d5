"""How many threads the engine uses."""

import pytest

from midline.model import threads
from midline.model.errors import UsageError
from midline.model.threads import physical_cores, thread_count


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four cores with two threads each, in one package."""
    monkeypatch.delenv("MIDLINE_THREADS", raising=False)
    monkeypatch.setattr(threads, "_processors", lambda: set(range(8)))
    monkeypatch.setattr(threads, "_core", lambda cpu: ("0", str(cpu // 2)))


def test_one_for_each_physical_core() -> None:
    assert physical_cores() == thread_count() == 4


def test_a_process_confined_to_some_processors_counts_those(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threads, "_processors", lambda: {0, 1, 6})
    assert thread_count() == 2
    assert thread_count(8) == 3


def test_a_wish_and_the_variable_are_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert thread_count(3) == 3
    monkeypatch.setenv("MIDLINE_THREADS", "2")
    assert thread_count() == 2
    assert thread_count(5) == 5
    monkeypatch.setenv("MIDLINE_THREADS", "")
    assert thread_count() == 4


def test_more_than_there_are_processors_is_cut() -> None:
    assert thread_count(200) == 8


@pytest.mark.parametrize("wanted", [0, -1, 257, 500])
def test_out_of_range_is_refused(wanted: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=f"threads is {wanted}, it must be between 1 and 256"):
        thread_count(wanted)
    monkeypatch.setenv("MIDLINE_THREADS", str(wanted))
    with pytest.raises(UsageError, match=str(wanted)):
        thread_count()


def test_a_variable_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIDLINE_THREADS", "all")
    with pytest.raises(UsageError, match="MIDLINE_THREADS is 'all', it must be a number"):
        thread_count()


def test_this_machine_has_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert 1 <= physical_cores() <= thread_count(256)
