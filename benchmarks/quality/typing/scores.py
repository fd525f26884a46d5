"""Scores of the recorded screens: for a person who reads at pauses, and for one who accepts with
Tab.

A pause is a key after which the next one came 500 ms later or more. Its screen is judged twice:
what was there 250 ms after the key, and at the end. The first line of a ghost text is exact if it
is the rest of the line. A text begins right if its first token (a word or a sign, with the white
space before it) is the next token of what is written; it is wholly wrong if not even its first
character is, and has nothing in common with the line if none of its words is in it.
"""

import random
import re
import statistics
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from midline.benchmarks.mbxp.statistics import paired_difference, wilson
from midline.benchmarks.quality.typing.rhythm import Kind
from midline.benchmarks.quality.typing.screen import FLICKER
from midline.benchmarks.quality.typing.session import Cost, Position

Row = Position | Cost
PAUSE_SECONDS = 0.5
PROMPT_MILLISECONDS = 250
READ_MILLISECONDS = 250
"""Milliseconds for which a text has to be on the screen to count as read."""
SAMPLES, BOOTSTRAP_SEED = 2000, 1
INDENTED = re.compile(r"\n[ \t]*")
TOKEN = re.compile(r"\s*(?:\w+|[^\w\s]|\Z)")
WORD, SIGN = re.compile(r"\w+"), re.compile(r"[^\w\s]")
TYPED = frozenset({Kind.ENTER, Kind.KEY})
"""Keys after which an assistant is asked and a right answer exists."""


def is_pause(position: Position) -> bool:
    """Whether the person paused here, in a line that is not finished."""
    at_a_line = position.kind in TYPED and first_line(position.truth) != ""
    return at_a_line and position.seconds >= PAUSE_SECONDS


def first_line(text: str) -> str:
    """Up to the line end, without white space at its end."""
    return text.partition("\n")[0].rstrip()


def is_exact(text: str, truth: str) -> bool:
    """Whether the first line of `text` is the rest of the line."""
    return bool(text.strip()) and first_line(text) == first_line(truth)


def begins_right(text: str, truth: str) -> bool:
    """Whether the first token of `text` is that of `truth`."""
    found, wanted = TOKEN.match(text), TOKEN.match(truth)
    return bool(found and wanted and found[0].strip() and found[0] == wanted[0])


def is_wholly_wrong(text: str, truth: str) -> bool:
    """Whether not even the first character of `text` is right."""
    return text[:1] != truth[:1]


def has_nothing_in_common(text: str, truth: str) -> bool:
    """Whether no word of the first line of `text` (no sign, if it has no word) is in the line."""
    pattern = WORD if WORD.search(first_line(text)) else SIGN
    return not set(pattern.findall(first_line(text))) & set(pattern.findall(first_line(truth)))


def judged(position: Position) -> dict[str, Any]:
    """A pause: the screen 250 ms after the key and at its end, each beside the truth."""
    prompt = position.text_at(PROMPT_MILLISECONDS)
    last = position.text_at(position.seconds * 1000)
    arrived = [at for at, text, _ in position.states if text == last]
    return {
        "place": list(position.place),
        "seconds": position.seconds,
        "truth": first_line(position.truth),
        "shown": last,
        "shown_after_ms": arrived[0] if last and arrived else None,
        "shown_in_time": prompt,
        "exact": is_exact(last, position.truth),
        "exact_in_time": is_exact(prompt, position.truth),
        "begins_right": begins_right(last, position.truth) if last else None,
        "wholly_wrong": is_wholly_wrong(last, position.truth) if last else None,
        "nothing_in_common": has_nothing_in_common(last, position.truth) if last else None,
    }


def keystrokes(text: str) -> int:
    """Keys that `text` takes: an editor indents lines by itself."""
    return len(INDENTED.sub("\n", text))


def saved_keys(positions: Sequence[Position], reading: float = 0.0) -> tuple[int, int]:
    """Keys that Tab would have saved in one block, and keys that the block takes.

    Accepting the first right text saves its keys less one. Right is a text that the block goes on
    with; with `reading` milliseconds, only one that has been on the screen for so long, keys typed
    along included.
    """
    saved = 0
    done = (0, -1)
    text, since = "", 0.0
    for position in positions:
        at = (position.line, position.typed)
        if position.kind not in TYPED or at < done:
            text = ""
            continue
        for state, milliseconds in _intervals(position):
            since = milliseconds + (since if state and text.endswith(state) else 0.0)
            text = state
            if _is_right(text, position.truth) and since >= reading:
                saved += keystrokes(text) - 1
                done, text = _behind(position, text), ""
                break
    whole = positions[0].truth if positions else ""
    return saved, keystrokes(whole) + 1


def _intervals(position: Position) -> Iterable[tuple[str, float]]:
    """Texts on the screen until the next key, and for how many milliseconds each was there."""
    ends = [at for at, _, _ in position.states[1:]] + [position.seconds * 1000]
    for (at, text, _), end in zip(position.states, ends, strict=True):
        yield text, max(0.0, end - at)


def _is_right(text: str, truth: str) -> bool:
    return text.strip() != "" and truth.startswith(text)


def _behind(position: Position, text: str) -> tuple[int, int]:
    """The line in which `text` ends, and how many characters after its indentation."""
    last = text.rpartition("\n")[2]
    if "\n" not in text:
        return position.line, position.typed + len(text)
    return position.line + text.count("\n"), len(last.lstrip(" \t"))


def figures(positions: Sequence[Position], costs: Sequence[Cost]) -> dict[str, Any]:
    """The figures of one engine's positions and of what they took."""
    pauses = [judged(position) for position in positions if is_pause(position)]
    shown = [pause for pause in pauses if pause["shown"]]
    keys = [position for position in positions if position.kind != Kind.REST]
    flickers = sum(cause in FLICKER for p in keys for _, _, cause in p.states)
    found: dict[str, Any] = {"pauses": len(pauses), "keys": len(keys)}
    for name in ("exact_in_time", "exact"):
        found |= _share(name, sum(pause[name] for pause in pauses), len(pauses))
    found |= _share("shown_in_time", sum(bool(p["shown_in_time"]) for p in pauses), len(pauses))
    found |= _share("shown", len(shown), len(pauses))
    for name in ("begins_right", "wholly_wrong", "nothing_in_common"):
        found |= _share(name, sum(pause[name] for pause in shown), len(shown))
    found |= _share("flicker", flickers, len(keys))
    return {**found, **_saved(positions), **_costs(costs, len(keys)), **_reads(positions)}


def _share(name: str, count: int, total: int) -> dict[str, Any]:
    low, high = wilson(count, total)
    share = round(count / total, 4) if total else None
    return {
        name: share,
        f"{name}_count": count,
        f"{name}_interval": [round(low, 4), round(high, 4)],
    }


def _saved(positions: Sequence[Position]) -> dict[str, Any]:
    found = [(saved_keys(one), saved_keys(one, READ_MILLISECONDS)) for one in blocks(positions)]
    whole = sum(all for (_, all), _ in found)
    at_once, read = (sum(sides[way][0] for sides in found) for way in (0, 1))
    return {"saved_keys": at_once, "saved_keys_read": read, "keys_of_blocks": whole}


def _costs(costs: Sequence[Cost], keys: int) -> dict[str, Any]:
    seconds = sum(cost.seconds for cost in costs)
    cpu = _sum([cost.cpu_seconds for cost in costs])
    read = _sum([cost.tokens_read for cost in costs])
    memory = [cost.memory_bytes for cost in costs if cost.memory_bytes is not None]
    return {
        "seconds": round(seconds, 2),
        "cpu_seconds": None if cpu is None else round(cpu, 2),
        "cores": None if cpu is None or not seconds else round(cpu / seconds, 3),
        "memory_megabytes": round(max(memory) / 2**20) if memory else None,
        "tokens_read": read,
        "tokens_read_a_key": None if read is None or not keys else round(read / keys, 2),
    }


def _reads(positions: Sequence[Position]) -> dict[str, Any]:
    """Medians of the prompt tokens that were computed between a key and the next one."""

    def median(kind: Kind) -> float | None:
        found = [p.tokens_read for p in positions if p.kind == kind and p.tokens_read is not None]
        return statistics.median(found) if found else None

    return {"median_read_a_key": median(Kind.KEY), "median_read_after_enter": median(Kind.ENTER)}


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None


def blocks(positions: Sequence[Position]) -> list[list[Position]]:
    """The positions of each block, in order."""
    found: dict[tuple[str, str, int], list[Position]] = {}
    for position in positions:
        found.setdefault((position.language, position.file, position.block), []).append(position)
    return list(found.values())


def compared(first: Sequence[Position], second: Sequence[Position]) -> dict[str, Any]:
    """Pairs of the same pause: exact in time and exact, the first less the second; saved keys."""
    other = {position.place: judged(position) for position in second if is_pause(position)}
    pairs = [
        (judged(position), other[position.place])
        for position in first
        if is_pause(position) and position.place in other
    ]
    found: dict[str, Any] = {"pairs": len(pairs)}
    for name in ("exact_in_time", "exact"):
        if pairs:
            found[name] = paired_difference([(int(a[name]), int(b[name])) for a, b in pairs])
    return {**found, "saved_keys_ratio": saved_ratio(first, second)}


def saved_ratio(
    first: Sequence[Position], second: Sequence[Position], reading: float = 0.0
) -> dict[str, Any]:
    """Keys saved by the first over those by the second, with a bootstrap interval over blocks."""
    sides = [
        {block[0].place[:3]: saved_keys(block, reading)[0] for block in blocks(positions)}
        for positions in (first, second)
    ]
    shared = [place for place in sides[0] if place in sides[1]]
    pairs = [(sides[0][place], sides[1][place]) for place in shared]
    return {"blocks": len(pairs), "ratio": _ratio(pairs), "interval": _bootstrap(pairs)}


def _ratio(pairs: Sequence[tuple[int, int]]) -> float | None:
    below = sum(second for _, second in pairs)
    return round(sum(first for first, _ in pairs) / below, 3) if below else None


def _bootstrap(pairs: Sequence[tuple[int, int]]) -> list[float] | None:
    """Percentiles 2.5 and 97.5 of the ratio in samples of blocks; None where nothing is saved."""
    dice = random.Random(BOOTSTRAP_SEED)
    drawn = [_ratio(dice.choices(pairs, k=len(pairs))) for _ in range(SAMPLES)] if pairs else []
    known = sorted(ratio for ratio in drawn if ratio is not None)
    if not known:
        return None
    return [known[int(share * (len(known) - 1))] for share in (0.025, 0.975)]


def found_of_oracle(shown: Sequence[Position], oracle: Sequence[Position]) -> dict[str, Any]:
    """Of the pauses where the answer without a time limit is exact: those shown exactly in time."""
    exact = {p.place for p in oracle if is_pause(p) and judged(p)["exact"]}
    there = [judged(p) for p in shown if is_pause(p) and p.place in exact]
    return {
        **_share("found_in_time", sum(pause["exact_in_time"] for pause in there), len(there)),
        **_share("found", sum(pause["exact"] for pause in there), len(there)),
    }


def by_language(rows: Sequence[Row], make: Callable[[str], Any]) -> list[dict[str, Any]]:
    """What `make` says of all languages together and of each."""
    languages = sorted({row.language for row in rows})
    return [{"language": language, **make(language)} for language in ("all", *languages)]
