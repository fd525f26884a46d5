"""llama.vim's rules: what is asked for, what is shown of an answer, and how it is typed along."""

import asyncio
import random
import threading
from collections.abc import Callable

import pytest

from midline.benchmarks.quality.typing.llama_vim import (
    LlamaVim,
    Ring,
    likeness,
    local,
    rendered,
)

URI = "file:///nowhere/a.py"


class Answering:
    """A server that answers by a function of the request, when `free` is set."""

    tokens_read = 0

    def __init__(self, answer: Callable[..., str]) -> None:
        self.answer, self.requests, self.free = answer, [], threading.Event()
        self.free.set()

    def infill(self, request) -> str:
        self.requests.append(request)
        assert self.free.wait(30)
        return self.answer(request) if request.predict else ""


async def opened(server: Answering, text: str, offset: int) -> LlamaVim:
    vim = LlamaVim(server)
    await vim.open(URI, text, "python")
    vim.ring.queued.clear()
    vim.jump(URI, offset)
    return vim


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.005)


def test_the_place_is_lines_above_the_line_and_lines_below() -> None:
    lines = [f"  {number}" for number in range(400)]
    at = local(lines, 300, 3)
    assert at.prefix == "\n".join(lines[44:300]) + "\n"
    assert (at.middle, at.line_rest, at.indent) == ("  3", "00", 2)
    assert at.suffix == "\n".join(["00", *lines[301:365]]) + "\n"
    assert at.addresses()[1] == f"{chr(10).join(lines[45:300])}\n  3\0{at.suffix}"


def test_a_line_of_white_space_is_taken_for_an_empty_one() -> None:
    at = local(["a", "    ", "b"], 1, 4)
    assert (at.prefix, at.middle, at.suffix, at.indent) == ("a\n", "", "\nb\n", 0)


def test_what_would_follow_is_asked_for_as_if_the_answer_were_there() -> None:
    at = local(["a", "x = ", "b"], 1, 4, ("1", "y = 2"))
    assert (at.prefix, at.middle, at.suffix) == ("a\nx = 1\n", "y = 2", "\nb\n")
    assert local(["a", "x = ", "b"], 1, 4, ("1",)).middle == "x = 1"


async def test_an_answer_is_shown_and_typed_along_without_asking_again() -> None:
    server = Answering(lambda request: "total" if request.prompt == "x = " else "")
    vim = await opened(server, "a\nx =\nb\n", 5)
    vim.insert(" ")
    await until(lambda: vim.screen.text == "total")
    await until(lambda: len(server.requests) == 2)  # what would follow, if it were accepted
    assert server.requests[1].prompt == "x = total"
    assert (server.requests[0].predict_ms, server.requests[1].predict_ms) == (250.0, 1000.0)
    vim.insert("t")
    assert vim.screen.text == "otal"
    vim.insert("X")
    assert vim.screen.text == ""
    await vim.settle()
    vim.close()


async def test_one_request_at_a_time_and_the_last_place_is_asked_for_later() -> None:
    server = Answering(lambda request: f"<{request.prompt}>")
    server.free.clear()
    vim = await opened(server, "a\n\nb\n", 2)
    for key in "xyz":
        vim.insert(key)
        await asyncio.sleep(0.01)
    assert [request.prompt for request in server.requests] == ["x"]
    server.free.set()
    await until(lambda: vim.screen.text == "<xyz>")
    assert [request.prompt for request in server.requests][:2] == ["x", "xyz"]
    await vim.settle()
    vim.close()


async def test_nothing_is_asked_for_within_a_line() -> None:
    server = Answering(lambda request: "x")
    vim = await opened(server, "a = (1, 2, 3, 4)\n", 4)
    vim.insert("b")
    await asyncio.sleep(0.02)
    assert server.requests == []
    vim.close()


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        ("1\n\n", "1"),
        ("", ""),
        ("  \n", ""),
        ("\nb\nc", ""),
        (" 2", " 2"),
    ],
)
def test_what_the_file_says_already_is_not_shown(answer: str, shown: str) -> None:
    assert rendered(answer, ["a", "x =", "b", "c"], 1, 3) == shown


def test_the_next_line_written_again_is_not_shown() -> None:
    lines = ["a", "x", "", "x = 1", "y = 2"]
    assert rendered(" = 1", lines, 1, 1) == ""
    assert rendered(" = 1\ny = 2", lines, 1, 1) == ""
    assert rendered(" = 1\nz = 3", lines, 1, 1) == " = 1\nz = 3"


def test_the_indentation_that_is_there_is_taken_off() -> None:
    assert rendered("    return 1\n    x", ["a", "    ", "b"], 1, 4) == "return 1\n    x"
    assert rendered("        deep", ["a", "    ", "b"], 1, 4) == "    deep"


def test_the_ring_takes_in_what_is_new() -> None:
    ring = Ring(random.Random(1))
    ring.pick("a.py", ["only", "two"], evict=True)
    assert not ring.update()
    first = [f"word{number}" for number in range(30)]
    ring.pick("a.py", first, evict=True)
    ring.pick("a.py", first, evict=True)
    assert ring.update() and not ring.update()
    assert ring.extra()[0].text == "\n".join(first) + "\n"
    ring.pick("b.py", [*first[:-1], "other"], evict=False)
    assert not ring.queued
    ring.pick("b.py", [*first[:-1], "other"], evict=True)
    assert not ring.chunks and len(ring.queued) == 1
    ring.update()
    ring.forget_what_is_like(["nothing", "of", "it"])
    assert ring.chunks
    ring.forget_what_is_like(first)
    assert not ring.chunks


def test_likeness_is_of_words() -> None:
    assert likeness(["a b", "c"], ["c b a"]) == 1.0
    assert likeness(["a b"], ["c d"]) == 0.0
    assert likeness([""], [""]) == 1.0
