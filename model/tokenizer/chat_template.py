"""Conversations as the model's own chat template lays them out.

The template's special tokens become ids; the same characters inside a message stay text. To tell
them apart, a mark is set inside every special token that a message spells out, and at a message's
edge where it could complete one with the template's text. Special tokens are then looked for in
the marked rendering, and the marks are taken out of the text between them. The template itself runs
in a process of its own (`chat_template_process.py`).
"""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from midline.model.errors import ModelFileError
from midline.model.tokenizer.base import TokenizerBase

MAX_CPU_SECONDS = 5
"""Processor time that a template may take; the real ones take milliseconds."""
_PATIENCE = 6
"""Seconds of waiting for a second of processor time."""
_PRIVATE = "\ue000"


def render_chat(tokenizer: TokenizerBase, messages: Sequence[Mapping[str, Any]]) -> list[int]:
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
    return tokenizer.with_bos(ids)


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

    def __init__(self, tokenizer: TokenizerBase, texts: Sequence[str]) -> None:
        self._specials = list(tokenizer.special_tokens)
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


def _render(tokenizer: TokenizerBase, messages: Any) -> str:
    """The template's text for `messages`, from a process whose time and memory are limited."""
    names = {"bos_token": tokenizer.bos_id, "eos_token": tokenizer.eos_id}
    tokens = {name: "" if id is None else tokenizer.decode([id]) for name, id in names.items()}
    request = {
        "template": tokenizer.chat_template,
        "messages": messages,
        "tokens": tokens,
        "seconds": MAX_CPU_SECONDS,
    }
    answer = _answer(json.dumps(request).encode())
    if "error" in answer:
        raise ModelFileError(
            f"the chat template of {tokenizer.name} failed ({answer['error']}), use a raw prompt"
        )
    return answer["text"]


def _answer(request: bytes) -> dict[str, str]:
    """What `chat_template_process` answers, whatever becomes of it."""
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "midline.model.tokenizer.chat_template_process"],
            input=request,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE * MAX_CPU_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"error": "it takes too long"}
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return {"error": f"it takes more than {MAX_CPU_SECONDS} s"}
    if done.returncode:
        return {"error": f"its process ended with status {done.returncode}"}
    answer: dict[str, str] = json.loads(done.stdout)
    return answer
