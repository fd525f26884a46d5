"""Generated lines: each filter drops what it is for, and says so."""

from midline.model.intents.generation.filters import keep, trimmed
from midline.model.intents.utterance import Slot, Utterance, parse_augmented

SEEDS = [
    parse_augmented(line)
    for n in range(8)
    for line in (
        f"((play)) play [tune {n}|song] by [band {n}|artist]",
        f"((rain)) will it rain in [town {n}|city]",
    )
]


def test_every_filter_says_what_it_dropped() -> None:
    lines = {
        "((play)) please play me [yesterday|song] now": "kept",
        "((play)) play [yesterday|song": "does not parse",
        "((play)) play [yesterday|title]": "unknown label",
        "((rain)) will it rain on [monday|song]": "unknown label",
        "((snow)) will it snow": "unknown label",
        "((rain)) rain": "length",
        "((play)) please play me [yesterday|song] now ": "near duplicate",
        "((play)) play [tune 1|song] by [band 1|artist]": "near duplicate",
        "((play)) will it rain in [paris|song] or rain": "round trip",
    }
    found = keep(lines, SEEDS)
    assert found.verdicts == list(lines.values())
    assert [u.text for u in found.utterances] == ["please play me yesterday now"]
    assert found.counts["unknown label"] == 3


def test_slots_lose_the_blanks_at_their_ends() -> None:
    spaced = parse_augmented("((rain)) rain in [ paris |city]  today")
    assert trimmed(spaced).values() == (("city", "paris"),)
    assert trimmed(Utterance(" go [x]", "rain", (Slot("city", 4, 5),))).slots == (
        Slot("city", 3, 4),
    )
