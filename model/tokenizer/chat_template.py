"""Rendering of conversations with the model's chat template.

Special tokens written by the template become ids; the same characters inside a message stay text.
To tell them apart, a mark is inserted into every special token that a message spells out, and at
the edges of a message where its text could complete a special token together with the template's.
Special tokens are then searched for in the marked text, and the marks are removed from the rest.
The template itself runs in a process of its own (`chat_template_process.py`).
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
"""Limit of processor time for a template; published templates take milliseconds."""
_PATIENCE = 6
"""Wall-clock limit as a multiple of the limit of processor time."""
_PRIVATE = "\ue000"


def render_chat(tokenizer: TokenizerBase, messages: Sequence[Mapping[str, Any]]) -> list[int]:
    """Ids of the prompt for the next message after `messages`, each with a `role` and a `content`.

    Raises `ModelFileError` if the model has no chat template or the template fails.
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
    """Every string in nested mappings and sequences."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return []
    return [text for inner in value for text in _strings(inner)]


class _Guard:
    """Inserts the marks that keep message text from being read as special tokens."""

    def __init__(self, tokenizer: TokenizerBase, texts: Sequence[str]) -> None:
        self._specials = list(tokenizer.special_tokens)
        self._beginnings = re.compile(f"(?={tokenizer.special_pattern.pattern})")
        self._mark = _PRIVATE
        while any(self._mark in text for text in texts):
            self._mark += _PRIVATE

    def marked(self, value: Any) -> Any:
        """A copy of `value` (nested dicts and lists) with marks in all strings."""
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
        """Whether `text` could continue a special token that starts before it."""
        tails = (special[at:] for special in self._specials for at in range(1, len(special)))
        return any(text.startswith(tail) or tail.startswith(text) for tail in tails if text)

    def _may_begin(self, text: str) -> bool:
        """Whether `text` could end with the start of a special token."""
        heads = (special[:end] for special in self._specials for end in range(1, len(special)))
        return any(text.endswith(head) or head.endswith(text) for head in heads if text)


def _render(tokenizer: TokenizerBase, messages: Any) -> str:
    """The rendered text, from a process with limited time and memory."""
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
    """The response of `chat_template_process`; an error if it crashed or was killed."""
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
