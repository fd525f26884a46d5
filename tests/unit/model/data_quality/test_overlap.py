"""Overlap with a benchmark: planted passages are found, frames and chance are not."""

from midline.model.data_quality.overlap import Benchmark

FRAME = "write a function in python that takes the arguments given below and returns what is asked "
ITEMS = [
    ("sum", FRAME + "one alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi"),
    ("min", FRAME + "two red orange yellow green blue indigo violet black white grey brown pink x"),
    ("max", FRAME + "three north east south west up down left right near far here there over q"),
    ("short", "print hello world"),
]  # fmt: skip


def test_a_planted_passage_is_found_in_other_marks_and_case() -> None:
    passage = "Alpha, beta (gamma) delta; epsilon zeta eta THETA iota kappa lambda mu nu xi"
    (hit,) = Benchmark(ITEMS).hits(f"before before {passage} behind")
    assert hit.item == "sum" and 0 < hit.share < 1 and not hit.is_near


def test_a_copy_is_near() -> None:
    hits = Benchmark(ITEMS).hits(ITEMS[1][1])
    assert hits[0].item == "min" and hits[0].share == 1 and hits[0].is_near


def test_what_the_items_share_is_no_overlap() -> None:
    assert Benchmark(ITEMS).hits(FRAME + "something else entirely") == []


def test_twelve_words_are_too_few() -> None:
    passage = " ".join(ITEMS[0][1].split()[-12:])
    assert Benchmark(ITEMS).hits(passage + " other words") == []
    assert len(Benchmark(ITEMS, n=12).hits("other " + passage + " words")) == 1


def test_a_short_item_is_found_as_a_whole_text_alone() -> None:
    assert [hit.item for hit in Benchmark(ITEMS).hits("Print: hello, world!")] == ["short"]
    assert Benchmark(ITEMS).hits("now print hello world twice") == []


def test_empty_texts_and_benchmarks() -> None:
    assert len(Benchmark([("a", ""), ("b", "...")])) == 0
    assert Benchmark([]).hits("anything") == []
    assert Benchmark(ITEMS).hits("") == []
