"""One keystroke at `midline serve`, traced: frames and files it passes, prompts it builds."""

import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from midline.model.errors import MidlineError

TRACE = Path(__file__).with_name("server_trace.py")
TEXT = '''\
"""Totals of orders."""


def total(prices: list[float]) -> float:
    """The sum of all prices."""
    return sum(prices)


def mean(prices: list[float]) -> float:
    """The mean price."""
    return tot'''
WAIT_SECONDS = 60


class Client:
    """As much of an editor as a keystroke needs: framed JSON-RPC to a child process."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.number = 0

    def notify(self, method: str, params: Any) -> None:
        """Send a notification."""
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    def ask(self, method: str, params: Any) -> Any:
        """The result of a request; requests of the server are answered with null meanwhile."""
        self.number += 1
        self._send({"jsonrpc": "2.0", "id": self.number, "method": method, "params": params})
        while True:
            message = self._receive()
            if "method" in message and "id" in message:
                self._send({"jsonrpc": "2.0", "id": message["id"], "result": None})
            elif message.get("id") == self.number:
                return message.get("result")

    def _send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        body = json.dumps(message).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self.process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        length = 0
        while (line := self.process.stdout.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if not length:
            raise MidlineError("the traced server ended; its message is above")
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
        return message


def trace_keystroke(root: Path, model: str, python: str = sys.executable) -> dict[str, int]:
    """What a key passes between its notification and the answer, at a server of the tree `root`.

    `python` is an interpreter in which that tree is installed. The document was answered before, so
    only the key's own token is new. `frames` are Python frames of the project on both threads down
    to the first call of the decoder, less the `idle_frames` of the program that awaits a message.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        client = Client([python, "-P", str(TRACE), str(folder / "trace.json"), str(root)])
        try:
            uri = _open(client, folder, model)
            _answered(client, uri, len(TEXT.splitlines()[-1]))
            time.sleep(1)
            client.process.send_signal(signal.SIGUSR1)
            _type(client, uri, "Q")
            _ask(client, uri, len(TEXT.splitlines()[-1]) + 1)
            client.process.send_signal(signal.SIGUSR2)
            return _read(folder / "trace.json")
        finally:
            client.process.kill()
            client.process.wait()


def _open(client: Client, folder: Path, model: str) -> str:
    path = folder / "orders.py"
    path.write_text(TEXT)
    options = {"model": model, "contextTokens": 0, "maxTokens": 8}
    capabilities: dict[str, Any] = {"textDocument": {"inlineCompletion": {}}}
    client.ask(
        "initialize",
        {
            "processId": None,
            "rootUri": folder.as_uri(),
            "capabilities": capabilities,
            "initializationOptions": options,
        },
    )
    client.notify("initialized", {})
    document = {"uri": path.as_uri(), "languageId": "python", "version": 1, "text": TEXT}
    client.notify("textDocument/didOpen", {"textDocument": document})
    return path.as_uri()


def _type(client: Client, uri: str, text: str) -> None:
    line, character = len(TEXT.splitlines()) - 1, len(TEXT.splitlines()[-1])
    place = {"line": line, "character": character}
    change = {"range": {"start": place, "end": place}, "text": text}
    document = {"uri": uri, "version": 2}
    client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})


def _ask(client: Client, uri: str, character: int) -> Any:
    place = {"line": len(TEXT.splitlines()) - 1, "character": character}
    return client.ask(
        "textDocument/inlineCompletion",
        {"textDocument": {"uri": uri}, "position": place, "context": {"triggerKind": 2}},
    )


def _answered(client: Client, uri: str, character: int) -> None:
    """Ask until the model is loaded and answers."""
    until = time.monotonic() + WAIT_SECONDS
    while not (answer := _ask(client, uri, character)) or not answer.get("items"):
        if time.monotonic() > until:
            raise MidlineError(f"the traced server gave no completion within {WAIT_SECONDS} s")
        time.sleep(0.2)


def _read(path: Path) -> dict[str, int]:
    until = time.monotonic() + WAIT_SECONDS
    while not path.exists() or not (text := path.read_text("utf-8")):
        if time.monotonic() > until:
            raise MidlineError("the traced server wrote no trace; try again")
        time.sleep(0.05)
    found: dict[str, int] = json.loads(text)
    return found
