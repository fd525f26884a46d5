"""Who is refused: web pages, rebound names, wrong tokens."""

from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from fake_engine import FakeEngine
from http_server import HttpServer, http_server
from starlette.datastructures import Headers

from midline.server.http.errors import HttpError
from midline.server.http.guard import Guard, host_name

TOKEN = "0123456789abcdef"


def refusal(bound: str, token: str | None = None, path: str = "/v1/models", **headers: str) -> int:
    """The status that a request is refused with, 0 for one that is not."""

    async def nothing(*_: Any) -> None:
        """Is never called."""

    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        Guard(nothing, bound, token).check(Headers(named), path)
    except HttpError as error:
        return error.status
    return 0


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8012", "localhost", "LOCALHOST:9000", "[::1]:8012", "127.0.0.2"]
)
def test_names_of_this_machine_are_served(host: str) -> None:
    assert refusal("127.0.0.1", host=host) == 0


@pytest.mark.parametrize(
    "host", ["evil.example:8012", "localhost.evil.example", "", "127.0.0.1:80:x", "10.0.0.1", "a b"]
)
def test_other_names_are_refused_on_loopback(host: str) -> None:
    assert refusal("127.0.0.1", host=host) == 403
    assert refusal("127.0.0.1") == 403


def test_on_another_address_names_that_can_be_registered_are_refused() -> None:
    for host in ("192.168.0.5:8012", "10.1.1.1", "[fe80::1]:80", "localhost"):
        assert refusal("0.0.0.0", TOKEN, "/health", host=host) == 0
    assert refusal("0.0.0.0", TOKEN, "/health", host="evil.example") == 403
    assert refusal("box.local", TOKEN, "/health", host="box.local:1") == 0


def test_pages_are_refused_whatever_their_origin() -> None:
    for origin in ("http://evil.example", "null", "http://127.0.0.1:8012", ""):
        assert refusal("127.0.0.1", host="127.0.0.1", origin=origin) == 403
    for site in ("cross-site", "same-site"):
        assert refusal("127.0.0.1", host="127.0.0.1", sec_fetch_site=site) == 403
    assert refusal("127.0.0.1", host="127.0.0.1", sec_fetch_site="none") == 0


@pytest.mark.parametrize(
    "given", [None, "", TOKEN, "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x"]
)
def test_a_wrong_token_is_refused(given: str | None) -> None:
    headers = {} if given is None else {"authorization": given}
    assert refusal("127.0.0.1", TOKEN, host="127.0.0.1", **headers) == 401
    assert refusal("127.0.0.1", TOKEN, "/health", host="127.0.0.1", **headers) == 0


def test_the_right_token_is_served() -> None:
    assert refusal("127.0.0.1", TOKEN, host="127.0.0.1", authorization=f"Bearer {TOKEN}") == 0
    assert refusal("127.0.0.1", TOKEN, host="127.0.0.1", authorization=f"bearer  {TOKEN} ") == 0


def test_the_port_is_left_out_of_a_name() -> None:
    assert [host_name(h) for h in ("a:1", "[::1]:1", "[::1]", "a:b", "::1")] == [
        "a", "::1", "::1", "", "::1",
    ]  # fmt: skip


def test_every_endpoint_is_behind_the_guard(server: HttpServer) -> None:
    for path in ("/health", "/v1/models", "/metrics", "/infill", "/nowhere"):
        with pytest.raises(HTTPError) as raised:
            urlopen(Request(server.url + path, headers={"Origin": "http://evil.example"}))
        assert raised.value.code == 403
        assert "access-control-allow-origin" not in raised.value.headers
        with pytest.raises(HTTPError) as raised:
            urlopen(Request(server.url + path, headers={"Host": "evil.example"}))
        assert raised.value.code == 403


def test_a_server_with_a_token_asks_for_it(fake: FakeEngine) -> None:
    with http_server(lambda: fake, TOKEN) as running:
        with pytest.raises(HTTPError) as raised:
            running.post("/v1/completions", {"prompt": "x"})
        assert raised.value.code == 401 and fake.asked == []
        found = running.post("/v1/completions", {"prompt": "x"}, Authorization=f"Bearer {TOKEN}")
        assert found["choices"][0]["text"] == "return a + b\n"
