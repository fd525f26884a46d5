"""What a study means for a choice: sentences that follow from the figures."""

from typing import Any

from midline.benchmarks.quality.quantization.choice import choices


def row(name: str, size: float, nats: float, gap: float, p: float) -> dict[str, Any]:
    found = {
        "cases": 400, "difference": gap, "interval": [gap - 0.02, gap + 0.02], "p_value": p,
    }  # fmt: skip
    return {
        "name": name, "recipe": name.partition("@")[0], "sparsity": 0.4 if "@" in name else 0.0,
        "bytes": size * 1e6, "nats": {"difference": nats, "interval": [nats - 0.001, nats + 0.001]},
        "mbxp": {"python": {"against_shipped": found, "against": found}},
    }  # fmt: skip


def test_a_smaller_file_is_named_where_it_is_as_good() -> None:
    rows = [
        row("shipped", 490, 0.01, 0, 1), row("q4_0", 440, 0.03, -0.01, 0.5),
        row("q3", 400, 0.4, -0.15, 0.0001), row("q8_0", 620, 0.02, -0.01, 0.5),
    ]  # fmt: skip
    text = "\n".join(choices(rows))
    assert "no difference in Python pass@1 is shown for q4_0 (-1.0 [-3.0, +1.0]) and q8_0" in text
    assert "Fewer problems pass with q3 (-15.0 [-17.0, -13.0] points)." in text
    front = next(line for line in choices(rows) if line.startswith("Worth their bytes"))
    assert "q3 (400 MB" in front and "shipped (490 MB" in front and "q8_0" not in front
    assert "`q4_0` takes 440 MB instead of 490, for +0.030 nats a token" in text


def test_the_published_file_stays_where_nothing_smaller_is_as_good() -> None:
    rows = [row("shipped", 490, 0.01, 0, 1), row("q3", 400, 0.4, -0.15, 0.0001)]
    assert any(line.startswith("The published file stays") for line in choices(rows))


def test_what_skipping_weights_adds() -> None:
    rows = [row("q8_0", 620, 0.02, 0, 1), row("q8_0@40", 620, 0.07, 0, 1)]
    assert any("adds +0.050 with q8_0 nats a token" in line for line in choices(rows))


def test_activation_aware_scales_are_judged() -> None:
    rows = [row("q4_0", 440, 0.04, 0, 1), row("q4_0-awq", 440, 0.05, 0, 1)]
    assert any("(AWQ) does not help: +0.050 nats" in line for line in choices(rows))
    rows[1]["nats"]["difference"] = 0.03
    assert any("(AWQ) helps: +0.030 nats" in line for line in choices(rows))


def test_too_few_problems_say_nothing() -> None:
    few = row("q4_0", 440, 0.03, -0.2, 0.0001)
    few["mbxp"]["python"]["against_shipped"]["cases"] = 100
    assert not any("pass" in line for line in choices([few]))


def test_lost_completions_at_cursors_are_told() -> None:
    rows = [row("shipped", 490, 0.01, 0, 1), row("q4_0", 440, 0.04, 0, 1)]
    lost = {"cases": 136, "difference": -0.1, "interval": [-0.16, -0.03], "p_value": 0.004}
    rows[1]["cursor"] = {"against_shipped": lost}
    text = "\n".join(choices(rows))
    assert "exact with q4_0 (-10.0 [-16.0, -3.0] points of 136 cursors)." in text
    assert "+0.040 nats a token and fewer exact completions; elsewhere" in text
    lost["p_value"] = 0.2
    assert "at a cursor" not in "\n".join(choices(rows))


def test_lost_passes_in_another_language_are_told() -> None:
    rows = [row("shipped", 500, 0.0, 0.0, 1.0), row("q4_0", 400, 0.02, 0.0, 0.9)]
    lost = {"difference": -0.07, "interval": [-0.11, -0.03], "p_value": 0.001, "cases": 300}
    rows[1]["mbxp"]["php"] = {"against_shipped": lost}
    rows[1]["mbxp"]["java"] = {"against_shipped": lost | {"p_value": 0.2}}
    said = choices(rows)
    assert "fewer pass with q4_0 in php (-7.0 [-11.0, -3.0] points)." in said[1]
    assert "java" not in said[1]
    assert any("and fewer passes in another language" in sentence for sentence in said)
