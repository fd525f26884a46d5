"""A language server without a model, whose every answer is known: the editor clients' tests run it.

MIDLINE_SCRIPT is a JSON object: `log` (a file that gets a line for every message of the client),
`actions` (what midline.action answers, by action: `{"insert": text}` edits at the range's start, or
writes a new `file` of this name beside the document; `{"error": sentence}` fails; `{"waits": true}`
answers only when cancelled; all else is the result; a list has the answer of each call),
`sentences` (the same of midline.do, by text),
`answers` (texts; those that agree with what stands behind the last "= " are offered, from there
on), `random` (offer `random_answer` instead), `seconds` (before an answer), `loading` (seconds, in
ten steps), `no_model` (until midline.pullModel), `old` (knows no status and no commands), `dies`
(exits at once, with this status), `message` (a sentence to show).
"""

import json
import os
import sys
import threading
import time
import zlib
from pathlib import Path
from typing import Any

AUTOMATIC = 2
REQUEST_CANCELLED = -32800
COMMANDS = [
    *("midline.pullModel", "midline.reload", "midline.pause", "midline.resume"),
    *("midline.action", "midline.do"),
]
TEXTS = (
    "value",
    "call(a, b)",
    "x.y + z",
    "one_word two",
    "(a,\n        b)",
    "if p:\n    q()\n    r()",
)


def random_answer(before: str) -> str:
    """A text for the text in front of the cursor; none for some."""
    number = zlib.crc32(before.encode())
    return "" if number % 4 == 0 else TEXTS[number % len(TEXTS)]


def offset_of(text: str, position: dict[str, int], ends: str = "\n") -> int:
    """Where a position with UTF-16 characters is in a text."""
    lines = text.split("\n")
    line = lines[position["line"]] if position["line"] < len(lines) else ""
    units, characters = 0, 0
    while characters < len(line) and units < position["character"]:
        units += 2 if ord(line[characters]) > 0xFFFF else 1
        characters += 1
    before = lines[: position["line"]]
    return min(len(text), sum(len(line) + 1 for line in before) + characters)


class Server:
    """One client's documents and what is said about them."""

    def __init__(self, script: dict[str, Any]) -> None:
        self.script = script
        self.texts: dict[str, str] = {}
        self.has_model = not script.get("no_model")
        self.waiting: set[Any] = set()
        self._lock = threading.Lock()

    def run(self) -> None:
        while message := self._read():
            self._log(message)
            method = message.get("method", "").replace("/", "_").replace("$", "")
            handler = getattr(self, "on_" + method, None)
            if handler:
                handler(message)
            elif "id" in message and "method" in message:
                self._write({"id": message["id"], "error": {"code": -32601, "message": "unknown"}})

    def on_initialize(self, message: dict[str, Any]) -> None:
        can: dict[str, Any] = {"textDocumentSync": 2, "inlineCompletionProvider": {}}
        if not self.script.get("old"):
            can["executeCommandProvider"] = {"commands": COMMANDS}
            can["codeActionProvider"] = {"codeActionKinds": ["refactor.rewrite"]}
        info = {"name": "midline", "version": "0.0.1"}
        self._answer(message, {"capabilities": can, "serverInfo": info})

    def on_initialized(self, message: dict[str, Any]) -> None:
        if "message" in self.script:
            params = {"type": 1, "message": self.script["message"]}
            self._write({"method": "window/showMessage", "params": params})
        if self.script.get("loading"):
            threading.Thread(target=self._load, daemon=True).start()

    def _load(self) -> None:
        for step in range(10):
            self._tell("loading", "Loading.", progress=step / 10)
            time.sleep(self.script["loading"] / 10)
        self.script["loading"] = 0
        self._tell("ready", "Ready.")

    def _status(self, state: str, message: str, **more: Any) -> dict[str, Any]:
        nothing = dict.fromkeys(("progress", "tokensPerSecond", "lastMilliseconds", "silent"))
        return {"state": state, "message": message, "model": "tiny", **nothing, **more}

    def _tell(self, state: str, message: str, **more: Any) -> None:
        if not self.script.get("old"):
            self._write(
                {"method": "midline/status", "params": self._status(state, message, **more)}
            )

    def on_midline_status(self, message: dict[str, Any]) -> None:
        if self.script.get("old"):
            error = {"code": -32601, "message": "Method not found"}
            self._write({"id": message["id"], "error": error})
        elif not self.has_model:
            self._answer(message, self._status("noModel", "The model tiny is not here."))
        elif self.script.get("loading"):
            self._answer(message, self._status("loading", "Loading.", progress=0.0))
        else:
            self._answer(message, self._status("ready", "Ready.", tokensPerSecond=31.4))

    def on_workspace_executeCommand(self, message: dict[str, Any]) -> None:
        command = message["params"]["command"]
        if command in ("midline.action", "midline.do"):
            self._act(message, message["params"]["arguments"][0])
            return
        if command == "midline.pullModel":
            self.has_model = True
            self._tell("noModel", "Pulling tiny.", progress=0.5)
            self._tell("ready", "Ready.")
        self._answer(message, None)

    def on_textDocument_codeAction(self, message: dict[str, Any]) -> None:
        params = message["params"]
        uri, span = params["textDocument"]["uri"], params["range"]
        actions = [
            {
                "title": f"Midline: {action}",
                "kind": "refactor.rewrite",
                "command": {
                    "title": action,
                    "command": "midline.action",
                    "arguments": [{"action": action, "uri": uri, "version": 0, "range": span}],
                },
            }
            for action in self.script.get("actions", {})
        ]
        self._answer(message, actions)

    def _act(self, message: dict[str, Any], asked: dict[str, Any]) -> None:
        """Answer a call of midline.action or midline.do as the script says."""
        of_action = "action" in asked
        scripted = self.script["actions" if of_action else "sentences"]
        answer = scripted[asked["action" if of_action else "text"]]
        if isinstance(answer, list):
            answer = answer.pop(0)
        if "waits" in answer:
            self.waiting.add(message["id"])
        elif "error" in answer:
            error = {"code": -32603, "message": answer["error"]}
            self._write({"id": message["id"], "error": error})
        elif "insert" in answer:
            self._insert(asked, answer["insert"], answer.get("file"))
            self._answer(message, None)
        else:
            self._answer(message, answer)

    def _insert(self, asked: dict[str, Any], text: str, file: str | None) -> None:
        document = {"uri": asked["uri"], "version": asked.get("version")}
        start, created = asked["range"]["start"], []
        if file is not None:
            document = {"uri": f"{asked['uri'].rpartition('/')[0]}/{file}", "version": None}
            start, created = {"line": 0, "character": 0}, [{"kind": "create", **document}]
        edits = [{"range": {"start": start, "end": start}, "newText": text}]
        edit = {"documentChanges": [*created, {"textDocument": document, "edits": edits}]}
        params = {"label": "inserted", "edit": edit}
        self._write({"id": "edit", "method": "workspace/applyEdit", "params": params})

    def on_shutdown(self, message: dict[str, Any]) -> None:
        self._answer(message, None)

    def on_exit(self, message: dict[str, Any]) -> None:
        os._exit(0)

    def on__cancelRequest(self, message: dict[str, Any]) -> None:
        identifier = message["params"]["id"]
        if identifier in self.waiting:
            self.waiting.remove(identifier)
            error = {"code": REQUEST_CANCELLED, "message": "cancelled"}
            self._write({"id": identifier, "error": error})

    def on_textDocument_didOpen(self, message: dict[str, Any]) -> None:
        item = message["params"]["textDocument"]
        self.texts[item["uri"]] = item["text"]

    def on_textDocument_didChange(self, message: dict[str, Any]) -> None:
        uri = message["params"]["textDocument"]["uri"]
        for change in message["params"]["contentChanges"]:
            text = self.texts[uri]
            if "range" not in change:
                self.texts[uri] = change["text"]
                continue
            start, end = (offset_of(text, change["range"][side]) for side in ("start", "end"))
            self.texts[uri] = text[:start] + change["text"] + text[end:]

    def on_textDocument_inlineCompletion(self, message: dict[str, Any]) -> None:
        params = message["params"]
        text = self.texts[params["textDocument"]["uri"]]
        before = text[: offset_of(text, params["position"])]
        offered = self._offered(before)
        if params["context"]["triggerKind"] == AUTOMATIC:
            offered = offered[:1]
        place = {"start": params["position"], "end": params["position"]}
        items = [{"insertText": text, "range": place} for text in offered]
        if self.script.get("seconds"):
            later = threading.Timer(
                self.script["seconds"], self._answer, (message, {"items": items})
            )
            later.daemon = True
            later.start()
        else:
            self._answer(message, {"items": items})

    def _offered(self, before: str) -> list[str]:
        if self.script.get("random"):
            text = random_answer(before)
            return [text] if text else []
        _, sign, typed = before.rpartition("= ")
        answers = self.script.get("answers", [])
        return [a[len(typed) :] for a in answers if sign and a.startswith(typed) and a != typed]

    def _answer(self, message: dict[str, Any], result: Any) -> None:
        self._write({"id": message["id"], "result": result})

    def _read(self) -> dict[str, Any] | None:
        length = 0
        while line := sys.stdin.buffer.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return json.loads(sys.stdin.buffer.read(length)) if length else None

    def _write(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        with self._lock:
            sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            sys.stdout.buffer.flush()

    def _log(self, message: dict[str, Any]) -> None:
        with Path(self.script["log"]).open("a", encoding="utf-8") as log:
            log.write(json.dumps(message) + "\n")


if __name__ == "__main__":
    script = json.loads(os.environ["MIDLINE_SCRIPT"])
    Path(script["log"]).with_suffix(".starts").open("a").write("start\n")
    if "dies" in script:
        sys.exit(script["dies"])
    Server(script).run()
