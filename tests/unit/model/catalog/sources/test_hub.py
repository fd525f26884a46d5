"""A model from a hub: a small HTTP server that can be as unreliable as a network."""

import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from midline.model.catalog.catalog import ModelEntry
from midline.model.catalog.sources import SourceError
from midline.model.catalog.sources.hub import HubSource


def _ignore(done: int) -> None:
    pass


@dataclass
class Behaviour:
    """How the server answers, and what it was asked."""

    body: bytes
    ranges: bool = True
    status: int = 200
    drop_after: int | None = None
    redirect: bool = False
    pause: float = 0.0
    asked: list[str | None] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


class _Handler(http.server.BaseHTTPRequestHandler):
    behaviour: Behaviour

    def do_GET(self) -> None:
        how = self.behaviour
        how.paths.append(self.path)
        if how.redirect and not self.path.startswith("/elsewhere"):
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            return
        how.asked.append(self.headers["Range"])
        if how.status != 200:
            self.send_error(how.status)
            return
        self._send_body(how)

    def _send_body(self, how: Behaviour) -> None:
        start = 0
        if self.headers["Range"] and how.ranges:
            start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            self.send_response(206)
            total = len(how.body)
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        else:
            self.send_response(200)
        rest = how.body[start:]
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        if how.drop_after is not None:
            rest = rest[: how.drop_after]
        for at in range(0, len(rest), 10_000):
            self.wfile.write(rest[at : at + 10_000])
            time.sleep(how.pause)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def behaviour(content: bytes) -> Behaviour:
    return Behaviour(content)


@pytest.fixture
def endpoint(behaviour: Behaviour) -> Iterator[str]:
    handler = type("Handler", (_Handler,), {"behaviour": behaviour})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_published_address_is_asked(
    entry: ModelEntry, content: bytes, endpoint: str, behaviour: Behaviour, tmp_path: Path
) -> None:
    seen: list[int] = []
    assert HubSource(endpoint).fetch(entry, tmp_path, seen.append).read_bytes() == content
    assert behaviour.paths == ["/Somebody/Tiny-GGUF/resolve/main/tiny.gguf"]
    assert behaviour.asked == [None]
    assert seen[-1] == len(content)


def test_the_endpoint_is_configurable(
    entry: ModelEntry,
    content: bytes,
    endpoint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", endpoint + "/")
    assert HubSource().fetch(entry, tmp_path, _ignore).read_bytes() == content


def test_a_begun_file_is_continued_across_redirects(
    entry: ModelEntry, content: bytes, endpoint: str, behaviour: Behaviour, tmp_path: Path
) -> None:
    behaviour.redirect = True
    (tmp_path / "hub").write_bytes(content[:123_456])
    assert HubSource(endpoint).fetch(entry, tmp_path, _ignore).read_bytes() == content
    assert behaviour.asked == ["bytes=123456-"]


def test_a_whole_file_is_not_asked_for_again(
    entry: ModelEntry, content: bytes, tmp_path: Path
) -> None:
    (tmp_path / "hub").write_bytes(content)
    unreachable = HubSource("http://127.0.0.1:9")
    assert unreachable.fetch(entry, tmp_path, _ignore).read_bytes() == content


def test_a_server_without_ranges_starts_over(
    entry: ModelEntry, content: bytes, endpoint: str, behaviour: Behaviour, tmp_path: Path
) -> None:
    behaviour.ranges = False
    (tmp_path / "hub").write_bytes(b"x" * 1000)
    assert HubSource(endpoint).fetch(entry, tmp_path, _ignore).read_bytes() == content


def test_a_dropped_connection_is_taken_up_again(
    entry: ModelEntry, content: bytes, endpoint: str, behaviour: Behaviour, tmp_path: Path
) -> None:
    behaviour.drop_after = 100_000
    assert HubSource(endpoint).fetch(entry, tmp_path, _ignore).read_bytes() == content
    assert behaviour.asked == [None, "bytes=100000-", "bytes=200000-"]


def test_a_connection_that_keeps_dropping_is_given_up_and_kept(
    entry: ModelEntry, content: bytes, endpoint: str, behaviour: Behaviour, tmp_path: Path
) -> None:
    behaviour.drop_after = 10_000
    with pytest.raises(SourceError, match="stopped sending"):
        HubSource(endpoint).fetch(entry, tmp_path, _ignore)
    assert (tmp_path / "hub").read_bytes() == content[:40_000]


def test_a_refusal_names_the_status(
    entry: ModelEntry, endpoint: str, behaviour: Behaviour, tmp_path: Path
) -> None:
    behaviour.status = 404
    with pytest.raises(SourceError, match=r"127\.0\.0\.1:\d+ answered 404"):
        HubSource(endpoint).fetch(entry, tmp_path, _ignore)
    assert not (tmp_path / "hub").exists()


def test_another_size_is_refused_before_the_transfer(
    entry: ModelEntry, endpoint: str, behaviour: Behaviour, tmp_path: Path
) -> None:
    behaviour.body = b"x" * 1000
    with pytest.raises(SourceError, match="with 1000 bytes instead of 300000"):
        HubSource(endpoint).fetch(entry, tmp_path, _ignore)
    assert not (tmp_path / "hub").exists()


def test_nobody_there_is_said_at_once(entry: ModelEntry, tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(SourceError, match=r"cannot reach 127\.0\.0\.1:9 \(Connection refused"):
        HubSource("http://127.0.0.1:9").fetch(entry, tmp_path, _ignore)
    assert time.monotonic() - began < 5


def test_silence_costs_the_bounded_wait(entry: ModelEntry, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        source = HubSource(f"http://127.0.0.1:{silent.getsockname()[1]}", answer_seconds=0.3)
        began = time.monotonic()
        with pytest.raises(SourceError, match=r"did not answer within 0\.3 s"):
            source.fetch(entry, tmp_path, _ignore)
        assert time.monotonic() - began < 3


def test_many_silent_addresses_cost_the_wait_of_one(
    entry: ModelEntry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = silent.getsockname()
        many = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address)] * 8
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: many)
        source = HubSource("http://hub.example.org", answer_seconds=0.3)
        with pytest.raises(SourceError, match=r"hub\.example\.org did not answer within 0\.3 s"):
            source.fetch(entry, tmp_path, _ignore)


@pytest.mark.parametrize(
    ("endpoint", "sent"), [("https://hub.example.org", True), ("http://hub.example.org", False)]
)
def test_a_token_goes_to_the_hub_alone_and_never_in_the_clear(
    entry: ModelEntry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, endpoint: str, sent: bool
) -> None:
    asked = []

    def refuse(request: urllib.request.Request, timeout: float) -> None:
        asked.append(request)
        raise OSError("no way")

    monkeypatch.setenv("HF_TOKEN", "a-token")
    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    with pytest.raises(SourceError, match="no way"):
        HubSource(endpoint).fetch(entry, tmp_path, _ignore)
    (request,) = asked
    assert request.unredirected_hdrs.get("Authorization") == ("Bearer a-token" if sent else None)
    assert "Authorization" not in request.headers  # what a redirect takes along


_PULL = """
import sys
from pathlib import Path
from midline.model.catalog.catalog import ModelEntry, PackageParts
from midline.model.catalog.sources.hub import HubSource
entry = ModelEntry("tiny", "tiny.gguf", int(sys.argv[3]), "", "Somebody/Tiny-GGUF",
                   PackageParts("", 0, "", ""), "")
HubSource(sys.argv[1]).fetch(entry, Path(sys.argv[2]), lambda done: None)
"""


def test_a_killed_pull_continues(
    entry: ModelEntry, content: bytes, endpoint: str, behaviour: Behaviour, tmp_path: Path
) -> None:
    entry_bytes = 20 * len(content)
    behaviour.body = content * 20
    behaviour.pause = 0.005
    arguments = [endpoint, str(tmp_path), str(entry_bytes)]
    process = subprocess.Popen([sys.executable, "-P", "-c", _PULL, *arguments])
    partial = tmp_path / "hub"
    while not partial.exists() or partial.stat().st_size < 1_000_000:
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    begun = partial.stat().st_size
    assert begun < entry_bytes
    behaviour.pause = 0.0
    subprocess.run([sys.executable, "-P", "-c", _PULL, *arguments], check=True)
    assert partial.read_bytes() == behaviour.body
    assert behaviour.asked == [None, f"bytes={begun}-"]
