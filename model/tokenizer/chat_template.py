"""Conversations as the model's own chat template lays them out.

The template's special tokens become ids; the same characters inside a message stay text. To tell
them apart, a mark is set inside every special token that a message spells out, and at a message's
edge where it could complete one with the template's text. Special tokens are then looked for in
the marked rendering, and the marks are taken out of the text between them.
"""

import datetime
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from midline.model.errors import ModelFileError
from midline.model.tokenizer.tokenizer import Tokenizer

MAX_CHARACTERS = 16 << 20
_PRIVATE = "\ue000"


def render_chat(tokenizer: Tokenizer, messages: Sequence[Mapping[str, Any]]) -> list[int]:
    """Ids of the prompt for an answer to `messages`, each with a `role` and a `content`.

    Raises `ModelFileError` when the model has no chat template or the template fails on them.
    """
    if tokenizer.chat_template is None:
        raise ModelFileError(f"{tokenizer.name} has no chat template, use a raw prompt")
    guard = _Guard(tokenizer, [tokenizer.chat_template, *_strings(messages)])
    text = _render(tokenizer, guard.marked(messages))
    ids: list[int] = []
    at = 0
    for match in tokenizer.special_pattern.finditer(text):
        ids += tokenizer.encode(guard.unmarked(text[at : match.start()]))
        ids += tokenizer.encode(match.group(), special=True)
        at = match.end()
    ids += tokenizer.encode(guard.unmarked(text[at:]))
    begins = tokenizer.bos_id is not None and ids[:1] == [tokenizer.bos_id]
    return ids if begins or not tokenizer.add_bos else [*_bos(tokenizer), *ids]


def _bos(tokenizer: Tokenizer) -> list[int]:
    return [] if tokenizer.bos_id is None else [tokenizer.bos_id]


def _strings(value: Any) -> list[str]:
    """Every string in a nest of mappings and sequences."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return []
    return [text for inner in value for text in _strings(inner)]


class _Guard:
    """Marks that keep message text from being read as special tokens."""

    def __init__(self, tokenizer: Tokenizer, texts: Sequence[str]) -> None:
        self._specials = list(tokenizer.vocabulary.special)
        self._beginnings = re.compile(f"(?={tokenizer.special_pattern.pattern})")
        self._mark = _PRIVATE
        while any(self._mark in text for text in texts):
            self._mark += _PRIVATE

    def marked(self, value: Any) -> Any:
        """`value` with marks in all its strings, in plain dicts and lists."""
        if isinstance(value, str):
            return self._marked_text(value)
        if isinstance(value, Mapping):
            return {key: self.marked(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.marked(inner) for inner in value]
        return value

    def unmarked(self, text: str) -> str:
        return text.replace(self._mark, "")

    def _marked_text(self, text: str) -> str:
        pieces, at = [], 0
        for match in self._beginnings.finditer(text):
            pieces.append(text[at : match.start() + 1])
            at = match.start() + 1
        body = self._mark.join([*pieces, text[at:]])
        before = self._mark if self._may_continue(text) else ""
        after = self._mark if self._may_begin(text) else ""
        return before + body + after

    def _may_continue(self, text: str) -> bool:
        """Whether `text` could be the middle or the end of a special token begun before it."""
        tails = (special[at:] for special in self._specials for at in range(1, len(special)))
        return any(text.startswith(tail) or tail.startswith(text) for tail in tails if text)

    def _may_begin(self, text: str) -> bool:
        """Whether `text` could end in a special token that goes on after it."""
        heads = (special[:end] for special in self._specials for end in range(1, len(special)))
        return any(text.endswith(head) or head.endswith(text) for head in heads if text)


def _render(tokenizer: Tokenizer, messages: Any) -> str:
    """The template's text for `messages` and the opening of an answer."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _raise
    environment.globals["strftime_now"] = _now
    names = {"bos_token": tokenizer.bos_id, "eos_token": tokenizer.eos_id}
    tokens = {name: "" if id is None else tokenizer.decode([id]) for name, id in names.items()}
    parts, size = [], 0
    try:
        template = environment.from_string(tokenizer.chat_template or "")
        for part in template.generate(messages=messages, add_generation_prompt=True, **tokens):
            size += len(part)
            if size > MAX_CHARACTERS:
                _raise(f"it writes more than {MAX_CHARACTERS:,} characters")
            parts.append(part)
    except Exception as error:  # a template is a program of the file's author and may raise any
        reason = str(error).partition("\n")[0]
        raise ModelFileError(
            f"the chat template of {tokenizer.name} failed ({reason}), use a raw prompt"
        ) from error
    return "".join(parts)


def _to_json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _now(layout: str) -> str:
    return datetime.datetime.now().strftime(layout)


def _raise(message: str) -> NoReturn:
    raise TemplateError(message)
