"""Midline's own state in words: settings, the model, pausing, status."""

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from midline.model.catalog.catalog import CATALOGUE, DEFAULT_MODEL
from midline.model.completion.languages import SUFFIXES
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
_LANGUAGE = re.compile(
    r"(?:completions?|suggestions?|autocomplete|ghost text)\s+(?:in|for|of)\s+(?:my\s+|all\s+)?"
    r"([\w+#-]+)(?: (?:files?|code))?(?: (?:again|now|please|too))*"
)
_LANGUAGES = frozenset(SUFFIXES) | {
    "clojure", "dart", "fsharp", "groovy", "javascriptreact", "julia", "less", "nim", "objective-c",
    "ocaml", "plaintext", "powershell", "r", "scss", "shellscript", "typescriptreact", "vb", "zig",
}  # fmt: skip
_ALSO_CALLED = {
    "c++": "cpp", "c#": "csharp", "f#": "fsharp", "golang": "go", "js": "javascript",
    "md": "markdown", "plain": "plaintext", "py": "python", "sh": "shellscript",
    "shell": "shellscript", "tex": "latex", "text": "plaintext", "ts": "typescript",
    "txt": "plaintext", "yml": "yaml",
}  # fmt: skip
_UNTIL = re.compile(r"(?i)\b(?:un)?till?\b(?!\s+(?:i|we|further|told|resume)\b)|\d")
"""An end that a pause has, if it is one that no duration says."""
_SIZES = {"%": 0.01, "percent": 0.01, "k": 1000}
_UNIT = re.compile(
    r"(?:-|minus\b)?\s*(?:[\d.]+|[a-z]+)\s*(%|percent|k|mb|gb|megabytes?|gigabytes?|)\s*"
    r"(?:tokens?|threads?|cores?|samples?|lines?|minutes?|min)?"
)
"""A number and its unit; what has another one is no value."""
_NEGATIVE = re.compile(r"(?i)(?:-|minus\b)\s*[\d.]")
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
    named = _LANGUAGE.fullmatch(setting.lower())
    if named:
        language = _language(named[1])
        if not language:
            raise QuestionError(f"no language is called {named[1]}; in which one is it to be?")
        return Control({"disabledLanguages": _switched(language, _is_on(frame) is True)})
    name = setting_name(setting, names)
    if name is None:
        raise QuestionError(f"there is no setting {setting}; which one of {', '.join(names)}?")
    value = setting_value(name, frame)
    if value is None:
        raise QuestionError(f"what is {name} to be set to?")
    return Control({name: None if value == "null" else value})


def _language(name: str) -> str:
    """The id that editors give a language, "" for what is none."""
    found = _ALSO_CALLED.get(name, name)
    return found if found in _LANGUAGES else ""


def _switched(language: str, on: bool) -> dict[str, str]:
    return {"remove" if on else "add": language}


def switched_languages(names: Sequence[str], change: Mapping[str, str]) -> list[str]:
    """The languages without completions after a change: `{"add": name}` or `{"remove": name}`."""
    kept = [name for name in names if name not in change.values()]
    return [*kept, change["add"]] if "add" in change else kept


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
    unit = _UNIT.fullmatch(text.lower())
    if unit is None:
        return text
    number *= 1024 if unit[1].startswith("g") else _SIZES.get(unit[1], 1)
    number = -number if _NEGATIVE.match(text) else number
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
    """Completions off, for as long as the frame says; those of a language, if it names one.

    Raises QuestionError for an end that is no length of time.
    """
    seconds = parse_seconds(frame["duration"]) or parse_seconds(frame.text)
    language = _named_language(frame)
    if language and seconds is None:
        return Control({"disabledLanguages": _switched(language, False)})
    if language:
        raise QuestionError(f"completions in {language} are off for good or not at all; which?")
    if seconds is None and _UNTIL.search(frame.text):
        raise QuestionError("for how long is it to be, as in `pause for 10 minutes`?")
    return Control({"enabled": False}, seconds)


def resume(frame: Frame) -> Control:
    """Completions on again; those of a language, if the frame names one."""
    language = _named_language(frame)
    if language:
        return Control({"disabledLanguages": _switched(language, True)})
    return Control({"enabled": True})


def _named_language(frame: Frame) -> str:
    """The language whose completions a sentence is about."""
    named = _LANGUAGE.search(frame.text.lower())
    return _language(named[1]) if named else ""


def status(frame: Frame) -> Control:
    """What Midline is doing."""
    return Control(status=True)
