"""Midline's own state in words: settings, the model, pausing, status."""

import difflib
import re
from collections.abc import Sequence
from typing import Any

from midline.model.catalog.catalog import CATALOGUE, DEFAULT_MODEL
from midline.server.routing.budget import parse_number, parse_seconds
from midline.server.routing.frame import Frame
from midline.server.routing.outcome import Control, QuestionError

_WAYS_TO_SAY = {
    "enabled": "completions, automatic completions, automatic completion, suggestions, ghost text, "
    "autocomplete, inline completions, inline suggestions, midline",
    "maxTokens": "tokens, max tokens, maximum tokens, token limit, completion length",
    "contextTokens": "context, context from other files",
    "prefixTokens": "context size, context window",
    "debounceMilliseconds": "debounce, debounce time, delay, waiting time",
    "threads": "cores, number of threads, thread count",
    "samples": "number of samples, sample count",
    "alternatives": "number of alternatives",
    "answerMilliseconds": "time limit, answer time, timeout",
    "firstAnswerMilliseconds": "first answer time",
    "exact": "exact mode, exact logits",
    "logLevel": "logging",
    "temperature": "sampling temperature",
}
_ALIASES = {way: name for name, ways in _WAYS_TO_SAY.items() for way in ways.split(", ")}
_LANGUAGE = re.compile(r"(?:completions?|suggestions?)\s+(?:in|for)\s+([\w+#-]+)(?: files?)?")
_ON = re.compile(r"(?i)(?:turn on|switch on|enable|activate|allow|on|true|yes|enabled|active)")
_OFF = re.compile(
    r"(?i)(?:turn off|switch off|disable|deactivate|forbid|block|off|false|no|never|disabled"
    r"|inactive|don't|do not)"
)
_SMALLER = re.compile(r"(?i)\b(small|fast|quick|light|tiny|cheap)\w*")
_BIGGER = re.compile(r"(?i)\b(big|large|better|best|accurate|strong)\w*")


def configure(frame: Frame, names: Sequence[str]) -> Control:
    """The setting that the frame changes; `names` are all there are, as a client writes them.

    Raises QuestionError for a setting or a value that is missing or unknown.
    """
    setting = frame["setting"]
    if not setting:
        raise QuestionError(f"which setting is to be changed ({', '.join(names)})?")
    language = _LANGUAGE.fullmatch(setting.lower())
    if language:
        return Control({"disabledLanguages": _switched(language[1].lower(), frame)})
    name = setting_name(setting, names)
    if name is None:
        raise QuestionError(f"there is no setting {setting}; which one of {', '.join(names)}?")
    value = setting_value(name, frame)
    if value is None:
        raise QuestionError(f"what is {name} to be set to?")
    return Control({name: None if value == "null" else value})


def _switched(language: str, frame: Frame) -> dict[str, str]:
    return {"remove" if _is_on(frame) else "add": language}


def setting_name(text: str, names: Sequence[str]) -> str | None:
    """The setting that words mean: its own name, its words, or another way to say it."""
    wanted = " ".join(re.findall(r"[a-z]+", re.sub(r"([A-Z])", r" \1", text).lower()))
    by_words = {re.sub(r"([A-Z])", r" \1", name).lower(): name for name in names}
    found = by_words.get(wanted) or _ALIASES.get(wanted) or _ALIASES.get(wanted.removesuffix("s"))
    if found in names:
        return found
    near = difflib.get_close_matches(wanted, [*by_words, *_ALIASES], 1, 0.75)
    found = (by_words.get(near[0]) or _ALIASES[near[0]]) if near else None
    return found if found in names else None


def setting_value(name: str, frame: Frame) -> Any:
    """The value in the frame as JSON has it: a number, milliseconds, true, false or a word.

    "null" for what is to be left to Midline, None if the frame has no value.
    """
    text = frame["value"].strip()
    if name.endswith("Milliseconds") and text:
        seconds = parse_seconds(text)
        if seconds is not None:
            return round(seconds * 1000)
    if text.lower() in ("null", "none", "default", "automatic", "auto"):
        return "null"
    if not text or _ON.fullmatch(text) or _OFF.fullmatch(text):
        switch = _is_on(frame)
        return None if not text and switch is None else _of_switch(name, bool(switch))
    number = parse_number(text)
    if number is None:
        return text
    number = number / 100 if text.endswith("%") else number
    return int(number) if number == int(number) else number


def _of_switch(name: str, on: bool) -> Any:
    if name in ("enabled", "exact"):
        return on
    if name == "logLevel":
        return "debug" if on else "error"
    return "null" if on else 0


def _is_on(frame: Frame) -> bool | None:
    """Whether something is turned on or off, by its value or else by the sentence."""
    text = frame["value"].strip()
    if _OFF.fullmatch(text):
        return False
    if _ON.fullmatch(text):
        return True
    if re.search(rf"\b{_OFF.pattern.removeprefix('(?i)')}\b", frame.text, re.IGNORECASE):
        return False
    found = re.search(rf"\b{_ON.pattern.removeprefix('(?i)')}\b", frame.text, re.IGNORECASE)
    return True if found else None


def switch_model(frame: Frame, current: str) -> Control:
    """The model of the catalogue that the frame names, or the next smaller or bigger one.

    Raises QuestionError if it names none of them.
    """
    name = frame["model"] or frame.text
    by_size = sorted(CATALOGUE, key=lambda entry: CATALOGUE[entry].bytes)
    found = _named(name, by_size) if frame["model"] else None
    if found is None and not frame["model"]:
        at = by_size.index(current) if current in by_size else by_size.index(DEFAULT_MODEL)
        if "default" in name.lower():
            found = DEFAULT_MODEL
        elif _SMALLER.search(name):
            found = by_size[max(at - 1, 0)]
        elif _BIGGER.search(name):
            found = by_size[min(at + 1, len(by_size) - 1)]
    if found is None:
        raise QuestionError(
            f"{'no model is called ' + frame['model'] if frame['model'] else 'no model is named'}; "
            f"which one of {', '.join(by_size)}?"
        )
    return Control({"model": found})


def _named(text: str, names: Sequence[str]) -> str | None:
    """The one name that has all pieces of `text` in it."""
    pieces = re.findall(r"\d+(?:\.\d+)?[bm]|[a-z]+\d*(?:\.\d+)?", text.lower())
    pieces = [piece for piece in pieces if piece not in ("the", "model", "coder")]
    found = [n for n in names if pieces and all(piece in n for piece in pieces)]
    return found[0] if len(found) == 1 else DEFAULT_MODEL if DEFAULT_MODEL in found else None


def pause(frame: Frame) -> Control:
    """Completions off, for as long as the frame says."""
    return Control(
        {"enabled": False}, parse_seconds(frame["duration"]) or parse_seconds(frame.text)
    )


def resume(frame: Frame) -> Control:
    """Completions on again."""
    return Control({"enabled": True})


def status(frame: Frame) -> Control:
    """What Midline is doing."""
    return Control(status=True)
