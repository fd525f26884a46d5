"""Homes that cannot be written, or are not there, and workspaces that never end."""

import sys
from pathlib import Path
from typing import Any

import pytest
from raw_client import RawClient, initialize, notification, raw_client
from wire import asking

SERVER = (sys.executable, "-P", str(Path(__file__).parents[1] / "fake_server.py"))
PROXY = (sys.executable, "-P", str(Path(__file__).parents[1] / "fake_proxy.py"))


async def completed(client: RawClient, uri: str = "file:///a.py") -> str:
    """What is offered in a document that is opened for it."""
    item = {"uri": uri, "languageId": "python", "version": 1, "text": "def f(a):\n    \n"}
    client.send(notification("textDocument/didOpen", {"textDocument": item}))
    answer = await client.ask(asking("completed", uri, 1, 4, kind=1))
    (offer,) = answer["result"]["items"]
    return str(offer["insertText"])


@pytest.mark.parametrize("command", [SERVER, PROXY], ids=["own", "engine process"])
@pytest.mark.parametrize("home", ["/proc/no/such/home", "/dev/null"])
async def test_a_home_that_cannot_be_written_is_no_obstacle(
    tmp_path: Path, command: tuple[str, ...], home: str
) -> None:
    async with raw_client(tmp_path, *command, home=home, answer="return a") as client:
        assert await completed(client) == "return a"
        assert await client.leave() == 0


async def test_there_may_be_no_home_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "MIDLINE_HOME", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    async with raw_client(tmp_path, *SERVER, home=None, answer="return a") as client:
        assert await completed(client) == "return a"
        assert await client.leave() == 0


@pytest.mark.parametrize("count", [2_000, pytest.param(100_000, marks=pytest.mark.attack)])
async def test_a_workspace_without_end_is_not_walked_through(tmp_path: Path, count: int) -> None:
    workspace = tmp_path / "workspace"
    for number in range(count):
        folder = workspace / f"f{number // 1000}"
        if number % 1000 == 0:
            folder.mkdir(parents=True)
            (folder / "again").symlink_to(workspace, target_is_directory=True)
            (folder / "self").symlink_to(folder / "self")
        (folder / f"m{number}.py").touch()
    (workspace / ".gitignore").symlink_to(workspace / ".gitignore")
    uri = (workspace / "f0" / "again" / "f0" / "again" / "f0" / "m1.py").as_uri()
    async with raw_client(tmp_path, *SERVER, ready=False, answer="return a") as client:
        folders: list[dict[str, Any]] = [{"uri": workspace.as_uri(), "name": "workspace"}]
        hello = initialize(1, rootUri=workspace.as_uri(), workspaceFolders=folders)
        assert "result" in await client.ask(hello)
        client.send(notification("initialized", {}))
        assert await completed(client, uri) == "return a"
        (workspace / "f0" / "m1.py").unlink()  # the file goes while it is open
        assert await completed(client, (workspace / "f0" / "self").as_uri()) == "return a"
        assert await client.leave() == 0
