"""The remote engine: consent, failing endpoints, what is sent, breaking off."""

import itertools
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from midline.model.completion.complete import complete
from midline.model.completion.fim import Cursor
from midline.model.engines.base import Request, SamplingOptions
from midline.model.engines.load import load_engine
from midline.model.engines.remote.endpoint import RemoteOptions
from midline.model.engines.remote.engine import RemoteEngine
from midline.model.errors import MidlineError, UsageError


class Peer:
    """An OpenAI-compatible server: `texts` are streamed, `asked` are the bodies that came."""

    def __init__(self) -> None:
        self.texts = ["return", " a + b\n"]
        self.models: list[dict[str, Any]] = [{"id": "qwen-coder", "max_model_len": 2000}]
        self.status, self.refusal = 200, ""
        self.streams = True
        self.asked: list[dict[str, Any]] = []
        self.left = threading.Event()
        self.endless = self.is_mute = False


@pytest.fixture
def peer() -> Iterator[tuple[Peer, str]]:
    peer = Peer()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            self.answer(json.dumps({"data": peer.models}).encode(), "application/json")

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            peer.asked.append({**body, "path": self.path, "key": self.headers["authorization"]})
            if peer.status != 200:
                error = json.dumps({"error": {"message": peer.refusal}}).encode()
                self.answer(error, "application/json", peer.status)
            elif peer.is_mute:
                self.answer(b"", "text/event-stream")
            elif peer.streams:
                self.stream()
            else:
                choice = {"index": 0, "text": "".join(peer.texts), "finish_reason": "stop"}
                self.answer(json.dumps({"choices": [choice]}).encode(), "application/json")

        def answer(self, body: bytes, kind: str, status: int = 200) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def stream(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            try:
                for text in itertools.cycle(peer.texts) if peer.endless else peer.texts:
                    choice = {"index": 0, "text": text, "finish_reason": None}
                    self.wfile.write(f"data: {json.dumps({'choices': [choice]})}\n\n".encode())
                self.wfile.write(b"data: [DONE]\n\n")
            except OSError:
                peer.left.set()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield peer, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def engine_at(url: str, model: str = "any") -> RemoteEngine:
    return RemoteEngine.load(model, RemoteOptions(url))


def test_another_machine_needs_consent() -> None:
    with pytest.raises(UsageError, match=r"192\.0\.2\.1 is another machine.*endpointConsent"):
        engine_at("https://192.0.2.1/v1")


@pytest.mark.parametrize("address", ["", "ftp://x", "localhost:80", "http://", "http://a:b@c", 3])
def test_an_address_that_is_none_is_named(address: Any) -> None:
    with pytest.raises(UsageError, match="is not an address such as"):
        engine_at(str(address))


def test_a_token_is_not_sent_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIDLINE_ENDPOINT_TOKEN", "secret")
    with pytest.raises(UsageError, match="without encryption; use https"):
        RemoteEngine.load("any", RemoteOptions("http://192.0.2.1", consent=True))


def test_what_leaves_the_machine_is_said(peer: tuple[Peer, str]) -> None:
    assert engine_at(peer[1]).note == ""
    from midline.model.engines.remote.endpoint import Endpoint

    far = RemoteEngine(Endpoint("http", "192.0.2.1", 80, "/v1"), {"id": "m"}, RemoteOptions())
    assert "the text around your cursor" in far.note
    assert "http://192.0.2.1:80/v1, unencrypted" in far.note


def test_an_endpoint_that_is_not_there_is_a_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(MidlineError, match=r"does not answer \(.*\); start its server"):
            engine_at(f"http://127.0.0.1:{taken.getsockname()[1]}")


def test_the_model_is_chosen_by_name_or_the_first(peer: tuple[Peer, str]) -> None:
    peer[0].models = [{"id": "one"}, {"id": "two"}]
    assert engine_at(peer[1], "two").name == "two"
    assert engine_at(peer[1], "other").name == "one"
    peer[0].models = []
    with pytest.raises(MidlineError, match="serves no model"):
        engine_at(peer[1])
    peer[0].models = ["what"]  # type: ignore[list-item]
    with pytest.raises(MidlineError, match=r"serves no model|does not answer"):
        engine_at(peer[1])


def test_a_completion_at_a_cursor_is_laid_out_and_trimmed_here(peer: tuple[Peer, str]) -> None:
    subject = engine_at(peer[1])
    peer[0].texts = ["urn (a", " + b)\n", "\n\ndef other():\n"]
    cursor = Cursor(b"def add(a, b):\n    ret", b"\n", 1, "sums.py")
    found = complete(subject, cursor, SamplingOptions(max_tokens=40))
    assert found.suggestions[0].text == "urn (a + b)"
    (asked,) = peer[0].asked
    assert asked["prompt"] == (
        "<|file_sep|>sums.py\n<|fim_prefix|>def add(a, b):\n<|fim_suffix|>\n<|fim_middle|>    ret"
    )
    assert asked["path"] == "/v1/completions" and asked["stream"] is True
    assert asked["temperature"] == 0 and "raw" not in asked


def test_special_tokens_in_a_file_do_not_steer_the_model(peer: tuple[Peer, str]) -> None:
    subject = engine_at(peer[1])
    cursor = Cursor(b"x = '<|fim_middle|>'\ny = ", b"\n", 1, "a.py")
    complete(subject, cursor, SamplingOptions(max_tokens=5))
    assert peer[0].asked[0]["prompt"].count("<|fim_middle|>") == 1


def test_an_endpoint_without_streams_is_read_whole(peer: tuple[Peer, str]) -> None:
    peer[0].streams = False
    found = engine_at(peer[1]).generate(Request([65, 66]), SamplingOptions(max_tokens=50))
    assert found.completions[0].text == "return a + b\n"
    assert found.completions[0].finish_reason == "stop"


def test_a_refusal_is_repeated(peer: tuple[Peer, str]) -> None:
    subject = engine_at(peer[1])
    peer[0].status, peer[0].refusal = 400, "the prompt is too long"
    with pytest.raises(MidlineError, match="refused the request: the prompt is too long"):
        subject.generate(Request([65]), SamplingOptions())


def test_an_empty_stream_is_no_answer(peer: tuple[Peer, str]) -> None:
    subject = engine_at(peer[1])
    peer[0].is_mute = True
    with pytest.raises(MidlineError, match="broke off without a word"):
        subject.generate(Request([65]), SamplingOptions())


def test_stopping_breaks_the_stream_off(peer: tuple[Peer, str]) -> None:
    subject = engine_at(peer[1])
    peer[0].endless = True
    stop = Request([65], stop=lambda _, ids: len(ids) >= 6)
    (completion,) = subject.generate(stop, SamplingOptions(max_tokens=500)).completions
    assert len(completion.ids) == 6 and completion.finish_reason == "stop"
    assert peer[0].left.wait(30)


def test_the_token_is_sent_to_this_machine(
    peer: tuple[Peer, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIDLINE_ENDPOINT_TOKEN", "secret")
    engine_at(peer[1]).generate(Request([65]), SamplingOptions())
    assert peer[0].asked[0]["key"] == "Bearer secret"


def test_the_kind_is_loaded_with_its_options(peer: tuple[Peer, str]) -> None:
    options = SamplingOptions(engine=RemoteOptions(peer[1]))
    loaded = load_engine("any", "remote", options=options)
    assert isinstance(loaded, RemoteEngine) and loaded.context_length == 1000
