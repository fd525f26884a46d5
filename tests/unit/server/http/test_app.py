"""The whole server: bodies, broken requests, clients that leave, and those who never read."""

import contextlib
import http.client
import json
import threading
import time
from typing import Any
from urllib.error import HTTPError

import pytest
from fake_engine import FakeEngine
from http_server import HttpServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PATHS = ("/v1/completions", "/v1/chat/completions", "/infill")


def error_of(raised: pytest.ExceptionInfo[HTTPError]) -> dict[str, Any]:
    found = json.loads(raised.value.read())["error"]
    assert set(found) == {"message", "type", "param", "code"}
    assert isinstance(found["message"], str) and "\n" not in found["message"]
    return dict(found)


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'"x"', b"[" * 100_000])
def test_what_is_no_object_is_refused(server: HttpServer, path: str, body: bytes) -> None:
    with pytest.raises(HTTPError) as raised:
        server.post(path, body)
    assert raised.value.code == 400
    assert "JSON" in error_of(raised)["message"]


def test_a_gigabyte_is_refused_without_being_read(server: HttpServer) -> None:
    with server.connect() as connection:
        head = "POST /infill HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1073741824\r\n\r\n"
        connection.sendall(head.encode() + b"x" * 1000)
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 413") and b"larger than 8 MB" in answer


def test_a_body_without_a_length_is_read_up_to_the_limit(server: HttpServer) -> None:
    answer = b""
    with server.connect() as connection:
        head = "POST /infill HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode())
        try:
            for _ in range(16):
                connection.sendall(b"100000\r\n" + b"x" * (1 << 20) + b"\r\n")
            answer = connection.makefile("rb").read()
        except OSError:
            return  # it was dropped while it was still sending
    assert answer.startswith(b"HTTP/1.1 413")


def test_unknown_paths_and_methods_are_named(server: HttpServer) -> None:
    with pytest.raises(HTTPError) as raised:
        server.get("/v1/embeddings")
    assert raised.value.code == 404 and "POST /infill" in error_of(raised)["message"]
    with pytest.raises(HTTPError) as raised:
        server.get("/infill")
    assert raised.value.code == 405


def test_models_health_and_metrics(server: HttpServer, fake: FakeEngine) -> None:
    assert json.loads(server.get("/health")) == {"status": "ok"}
    (model,) = json.loads(server.get("/v1/models"))["data"]
    assert (model["id"], model["meta"]["n_ctx"], model["meta"]["fim"]) == ("fake", 32768, True)
    server.post("/v1/completions", {"prompt": "x"})
    text = server.get("/metrics")
    assert 'midline_http_requests_total{path="/v1/completions",status="200"} 1.0' in text
    assert f"midline_generated_tokens_total {fake.written}.0" in text
    assert "midline_requests_running 0.0" in text


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", ["/v1/completions", "/infill"])
def test_a_client_that_leaves_ends_its_decoding(
    server: HttpServer, fake: FakeEngine, path: str, stream: bool
) -> None:
    fake.seconds, fake.answer = 0.01, lambda prompt: "x = [1, 2, 3]\n" * 1000
    body = json.dumps({"prompt": "x = ", "n_predict": 4000, "raw": True, "stream": stream})
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
    connection.request("POST", path, body)
    wait_until(lambda: fake.written > 3)
    connection.close()
    wait_until(lambda: fake.given_up == 1 and server.service.texts.running == 0)
    assert fake.written < 3000


def test_a_client_that_never_reads_is_dropped(
    server: HttpServer, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("midline.server.http.connections.UNREAD_SECONDS", 0.2)
    fake.answer = lambda prompt: "x" * 4000
    with server.connect() as connection:
        body = json.dumps({"prompt": "x" * 10, "n": 32, "max_tokens": 4000, "stream": True})
        head = (
            f"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        )
        connection.sendall(f"{head}\r\n{body}".encode())
        wait_until(lambda: fake.written > 0 and not server.connections)
        received = b""
        with contextlib.suppress(ConnectionError):
            while data := connection.recv(1 << 16):
                received += data
    assert b"data: " in received and b"[DONE]" not in received
    assert server.post("/v1/completions", {"prompt": "x", "max_tokens": 1})["choices"]


def test_a_failing_engine_is_a_sentence(
    server: HttpServer, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(prompt: str) -> str:
        raise RuntimeError("no such thing")

    fake.answer = fail
    with pytest.raises(HTTPError) as raised:
        server.post("/v1/completions", {"prompt": "x"})
    assert raised.value.code == 500
    assert "unexpected RuntimeError" in error_of(raised)["message"]
    events = server.events("/v1/completions", {"prompt": "x", "stream": True})
    assert events[-1]["error"]["code"] == 500
    fake.answer = lambda prompt: "fine"
    assert server.post("/v1/completions", {"prompt": "x"})["choices"][0]["text"] == "fine"


NAMES = st.sampled_from(
    ["prompt", "suffix", "messages", "n", "stop", "max_tokens", "n_predict", "temperature", "top_p",
     "seed", "stream", "logprobs", "raw", "input_prefix", "input_suffix", "input_extra", "n_cmpl",
     "n_indent", "t_max_predict_ms", "t_max_prompt_ms", "response_fields", "filename", "language",
     "stream_options", "echo", "samplers"]
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "text", "filename"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(path=st.sampled_from(PATHS), body=st.dictionaries(NAMES, VALUES, max_size=6))
def test_any_object_is_answered_and_none_ends_the_server(
    server: HttpServer, path: str, body: dict[str, Any]
) -> None:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=60)
    connection.request("POST", path, json.dumps(body))
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    assert answer.status in (200, 400, 422), (body, data)


@pytest.mark.parametrize(
    "data",
    [b"\x00" * 100, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"POST /infill HTTP/1.1\r\n\r\n",
     b"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"\x16\x03\x01\x02\x00\x01" * 9,
     b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
     b"POST /infill HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
     b"Content-Length: 20\r\n\r\n{}"],
)  # fmt: skip
def test_what_is_not_http_is_refused(server: HttpServer, data: bytes) -> None:
    with server.connect() as connection:
        connection.sendall(data)
        answer = connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 4")
    assert json.loads(server.get("/health"))["status"] == "ok"


def test_eight_clients_at_once_are_answered_as_one(tiny_server: HttpServer) -> None:
    asked = [{"prompt": f"def f{n}(x):", "max_tokens": 24} for n in range(8)]
    alone = [tiny_server.post("/v1/completions", each)["choices"][0]["text"] for each in asked]
    found: dict[int, str] = {}

    def ask(number: int) -> None:
        answer = tiny_server.post("/v1/completions", asked[number])
        found[number] = answer["choices"][0]["text"]

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [found[n] for n in range(8)] == alone
