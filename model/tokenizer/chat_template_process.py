"""Renders one chat template in a process of its own, because templates are untrusted programs.

Standard input is a JSON object of `template`, `messages`, `tokens` and `seconds` (of processor
time); standard output is one of `text`, or of `error`. Jinja's sandbox keeps the template from
everything but its arguments. Nested loops, growing strings or large powers are enough for a
template that does not end, so processor time and memory are limited: the system kills the process
at its limit of processor time.
"""

import datetime
import json
import resource
import sys
from typing import Any, NoReturn

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_CHARACTERS = 16 << 20
MAX_MEMORY_BYTES = 1 << 30


def main() -> None:
    """Read the request, render, answer."""
    request = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_CPU, (request["seconds"], request["seconds"]))
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    try:
        answer = {"text": _render(request["template"], request["messages"], request["tokens"])}
    except MemoryError:
        answer = {"error": f"it takes more than {MAX_MEMORY_BYTES >> 20} MB"}
    except Exception as error:  # noqa: BLE001 - a template may raise anything
        answer = {"error": str(error).partition("\n")[0][:300] or type(error).__name__}
    json.dump(answer, sys.stdout)


def _render(source: str, messages: Any, tokens: dict[str, str]) -> str:
    """The template's text for `messages` and the opening of an answer."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _raise
    environment.globals["strftime_now"] = _now
    parts, size = [], 0
    template = environment.from_string(source)
    for part in template.generate(messages=messages, add_generation_prompt=True, **tokens):
        size += len(part)
        if size > MAX_CHARACTERS:
            _raise(f"it writes more than {MAX_CHARACTERS:,} characters")
        parts.append(part)
    return "".join(parts)


def _to_json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _now(layout: str) -> str:
    return datetime.datetime.now().strftime(layout)


def _raise(message: str) -> NoReturn:
    raise TemplateError(message)


if __name__ == "__main__":
    main()
