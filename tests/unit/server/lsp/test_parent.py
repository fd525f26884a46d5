"""The client's process, watched until it ends."""

import asyncio
import subprocess
import sys

import pytest

from midline.server.lsp import parent
from midline.server.lsp.parent import wait_for_end


async def test_the_end_of_a_process_is_noticed_and_not_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parent, "SECONDS_BETWEEN_LOOKS", 0.01)
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    watching = asyncio.ensure_future(wait_for_end(process.pid))
    await asyncio.sleep(0.2)
    assert not watching.done()
    process.communicate(b"\n")
    await asyncio.wait_for(watching, 20)


async def test_a_process_that_is_gone_already_ends_at_once() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    await asyncio.wait_for(wait_for_end(process.pid), 20)


async def test_a_process_of_another_user_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(process_id: int, signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(parent.os, "kill", forbidden)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(wait_for_end(1), 0.1)
