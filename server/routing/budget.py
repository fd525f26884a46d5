"""Budgets in words: how many samples may be drawn, how long it may take."""

import re

_WORDS = {
    "a": 1.0, "an": 1.0, "one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0,
    "six": 6.0, "seven": 7.0, "eight": 8.0, "nine": 9.0, "ten": 10.0, "twelve": 12.0,
    "fifteen": 15.0, "twenty": 20.0, "thirty": 30.0, "forty": 40.0, "fortyfive": 45.0,
    "sixty": 60.0, "half": 0.5, "few": 3.0, "couple": 2.0, "quarter": 0.25,
}  # fmt: skip
_UNITS = (
    (re.compile(r"ms|milliseconds?"), 0.001),
    (re.compile(r"s|secs?|seconds?"), 1.0),
    (re.compile(r"m|mins?|minutes?"), 60.0),
    (re.compile(r"h|hrs?|hours?"), 3600.0),
    (re.compile(r"d|days?"), 86400.0),
)
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")
MAX_SAMPLES = 16


def parse_number(text: str) -> float | None:
    """The number that a text begins with, in digits or as a word."""
    match = _NUMBER.search(text.lower())
    if match:
        return float(match[1][:9])
    found = [_WORDS[word] for word in re.findall(r"[a-z]+", text.lower()) if word in _WORDS]
    return found[0] if found else None


def parse_seconds(text: str) -> float | None:
    """The length of a duration in seconds; None if the text names no unit of time.

    "half an hour" is 1800, "10 min" is 600, "an hour" is 3600.
    """
    lower = text.lower()
    unit = next(
        (size for word in _letters(lower) for rule, size in _UNITS if rule.fullmatch(word)), None
    )
    if unit is None:
        return None
    if "half" in lower and not re.search(r"\d", lower):
        return 0.5 * unit
    if "quarter" in lower:
        return 0.25 * unit
    number = parse_number(lower)
    return (1.0 if number is None else number) * unit


def _letters(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text)


def parse_budget(text: str) -> tuple[int, float | None]:
    """Samples and seconds that a budget allows; one sample and no limit for what says neither."""
    seconds = parse_seconds(text)
    if seconds is not None:
        return 1, seconds
    number = parse_number(text)
    samples = 1 if number is None else max(1, min(MAX_SAMPLES, round(number)))
    return samples, None
