"""What the client answers, and that nobody waits for ever for what it does not."""

import asyncio
import logging
from typing import Any

import pytest
from pygls.exceptions import JsonRpcInternalError

from midline.server.lsp import answers
from midline.server.lsp.answers import answer


def test_an_answer_is_the_clients() -> None:
    async def asked() -> Any:
        return await answer(asyncio.sleep(0, "yes"), "ask", otherwise="no")

    assert asyncio.run(asked()) == "yes"


def test_an_error_is_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    async def refuse() -> str:
        raise JsonRpcInternalError("not today")

    async def asked() -> Any:
        return await answer(refuse(), "ask", otherwise="no")

    assert asyncio.run(asked()) == "no"
    assert "the client answers ask with an error: not today" in caplog.text


@pytest.mark.parametrize("late", ["yes", JsonRpcInternalError("not today")])
def test_silence_is_no_answer(
    late: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What comes after all is taken and no error."""
    monkeypatch.setattr(answers, "PATIENCE", 0.01)

    async def asked() -> Any:
        question: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        found = await answer(question, "ask", otherwise="no")
        if isinstance(late, Exception):
            question.set_exception(late)
        else:
            question.set_result(late)
        await asyncio.sleep(0)
        return found

    assert asyncio.run(asked()) == "no"
    assert "the client has not answered ask within 0.01 seconds" in caplog.text
    assert all(record.levelno < logging.ERROR for record in caplog.records)
