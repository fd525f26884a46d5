"""The texts of calibration: equal lengths, kinds that differ, the same every time."""

import pytest

from midline.benchmarks.quality.calibration import arms
from midline.benchmarks.quality.calibration.arms import ARMS, Pool, text_of
from midline.benchmarks.quality.calibration.measure import lines, summary
from midline.benchmarks.quality.signals.documents import Document


def code(n: int) -> str:
    body = "\n".join(f"    item_{n}_{i} = compute(value_{i}, {n})" for i in range(20))
    return f"def function_{n}(values):\n{body}\n    return item_{n}_0\n"


@pytest.fixture
def pool() -> Pool:
    documents = [Document("python", f"{n}.py", code(n)) for n in range(30)]
    documents += [Document("python", f"copy{n}.py", code(3)) for n in range(5)]
    documents += [Document("json", f"{n}.json", "[" + "1234, " * 300 + "1]") for n in range(6)]
    documents += [Document("prose", f"{n}.txt", f"Words of prose {n}. " * 40) for n in range(6)]
    return Pool(documents)


def test_the_arms_take_what_they_are_named_after(pool: Pool) -> None:
    pytest.importorskip("rensa")
    assert len(pool.good) == 30
    assert {d.group for d in pool.junk} == {"json"} and len(pool.junk) == 6
    assert {d.group for d in pool.prose} == {"prose"}


@pytest.mark.parametrize("arm", ARMS)
def test_a_draw_is_the_same_every_time_and_bounded(
    arm: str, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("rensa")
    monkeypatch.setattr(arms, "CHARACTERS", 3000)
    text = text_of(arm, pool, 0)
    assert text == text_of(arm, pool, 0) and 2000 < len(text) <= 3000
    assert text != text_of(arm, pool, 1) or arm in ("junk", "dsir")


def test_an_arm_within_noise_shows_nothing() -> None:
    rows = [
        {"arm": arm, "draw": n, "perplexity": 2.0, "mean_kl": kl + 0.001 * n}
        for arm, kl in (("random", 0.1), ("dsir", 0.1004), ("junk", 0.5))
        for n in range(5)
    ]
    random, dsir, junk = summary(rows)
    assert "interval" not in random
    assert dsir["interval"][0] < 0 < dsir["interval"][1]
    assert junk["interval"][0] > 0.3
    assert [("shows nothing" in line) for line in lines(summary(rows))] == [
        False,
        False,
        True,
        False,
    ]
