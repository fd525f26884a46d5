"""Outcomes that need the model: the prompt is asked, the answer becomes an edit or a text."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from midline.kernels import CancelFlag
from midline.model.decoding.options import SamplingOptions
from midline.model.decoding.request import Request
from midline.model.errors import MidlineError
from midline.server.documents import Document, from_bytes
from midline.server.routing.edits import Edit, TextEdit, changed_texts, check_syntax
from midline.server.routing.outcome import Answer, Ask, CompleteAt
from midline.server.routing.workspace import Workspace

if TYPE_CHECKING:
    from midline.model.cancellation import Cancellation
    from midline.model.decoding.request import Stop
    from midline.model.engines.base import Engine, OnToken

MAX_TOKENS = 768


def run_ask(
    engine: "Engine",
    ask: Ask,
    *,
    cancel: "Cancellation | None" = None,
    on_token: "OnToken | None" = None,
) -> Edit | Answer:
    """What the model's answer becomes; the first sample, by likelihood, that `finish` accepts.

    Raises MidlineError for a prompt that is too long, and if no sample is accepted.
    """
    ids = asked_ids(engine, ask)
    options = replace(SamplingOptions.chosen(ask.samples, None, None), max_tokens=MAX_TOKENS)
    with _Deadline(ask.seconds, cancel) as deadline:
        request = Request(ids, stop=_end_of(engine, ask.ends))
        generation = engine.generate(request, options, cancel=deadline, on_token=on_token)
    answers = sorted(generation.completions, key=lambda c: -c.score)
    if not answers or (cancel is not None and cancel.is_set()):
        raise MidlineError("it was stopped before the model had answered")
    problem: MidlineError | None = None
    for answer in answers:
        try:
            return ask.finish(ask.begins + answer.text)
        except MidlineError as error:
            problem = problem or error
    assert problem is not None
    raise problem


def asked_ids(engine: "Engine", ask: Ask) -> list[int]:
    """The prompt of a question, up to and with what the answer begins with.

    Raises MidlineError for one that is too long.
    """
    from midline.model.tokenizer.chat_template import render_chat

    messages = []
    for question, answer in ask.shots:
        messages += [
            {"role": "user", "content": question},
            {"role": "assistant", "content": answer},
        ]
    messages.append({"role": "user", "content": ask.prompt})
    ids = render_chat(engine.tokenizer, messages) + list(engine.tokenizer.encode(ask.begins))
    if len(ids) + 32 >= engine.context_length:
        raise MidlineError(
            f"that is {len(ids)} tokens and {engine.name} reads {engine.context_length}; name a "
            "smaller part of it"
        )
    return ids


def _end_of(engine: "Engine", ends: Callable[[str], bool] | None) -> "Stop | None":
    """Whether a sample has written enough."""
    if ends is None:
        return None

    def is_over(sample: int, ids: list[int]) -> bool:
        return ends(engine.tokenizer.decode(ids))

    return is_over


class _Deadline:
    """A cancellation that the caller's sets, or the clock."""

    def __init__(self, seconds: float | None, outer: "Cancellation | None") -> None:
        self._flag, self._outer = CancelFlag(), outer
        self._timer = threading.Timer(seconds, self._flag.set) if seconds else None

    def is_set(self) -> bool:
        """Whether the work is to end."""
        return self._flag.is_set() or (self._outer is not None and self._outer.is_set())

    def __enter__(self) -> "_Deadline":
        if self._timer:
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._timer:
            self._timer.cancel()


def run_completion(
    engine: "Engine",
    task: CompleteAt,
    workspace: Workspace,
    *,
    cancel: "Cancellation | None" = None,
) -> Edit:
    """The likeliest completion at a place, as an edit; MidlineError if there is none."""
    from midline.model.completion.complete import complete
    from midline.model.completion.fim import WindowLimits
    from midline.server.routing.bodies import body_place, run_bodies

    if task.body is not None:
        place = body_place(task.body)
        with _Deadline(task.seconds, cancel) as deadline:
            return place.edit(run_bodies(engine, place, workspace, deadline)[0])
    data = workspace.data(task.path) or b""
    text = from_bytes(data[: task.start]) + task.lead + from_bytes(data[task.end :])
    document = Document(task.path.absolute().as_uri(), text)
    limits = WindowLimits()
    cursor = document.cursor(len(from_bytes(data[: task.start]) + task.lead), limits)
    options = replace(SamplingOptions.chosen(task.samples, None, None), max_tokens=256)
    with _Deadline(task.seconds, cancel) as deadline:
        result = complete(engine, cursor, options, limits=limits, cancel=deadline)
    written = next((s.text for s in result.suggestions if s.text.strip()), "")
    if not written:
        raise MidlineError(f"nothing is missing at this place of {task.path.name}, says the model")
    change = TextEdit(task.path, task.start, task.end, f"{task.lead}{written}".encode())
    edit = Edit(f"{task.path.name} is completed", (change,))
    check_syntax(changed_texts(edit, workspace))
    return edit
