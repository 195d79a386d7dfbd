"""Authentication, and protection against other pages."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.commands import SAMPLES, assert_one_clear_error, vidgan

pytest.importorskip("aiohttp", reason="needs the extra web")
pytest.importorskip("aiortc", reason="needs the extra web")

from tests.live.web.http_client import HttpClient, serve
from vidgan.errors import OutputError, VidganError
from vidgan.live.web.address import Address, parse_address
from vidgan.live.web.server import WebServer

TOKEN = "token-of-tests"


@pytest.fixture(scope="module")
def local(identity: str) -> Iterator[WebServer]:
    with serve(identity) as server:
        yield server


@pytest.fixture(scope="module")
def public(identity: str) -> Iterator[WebServer]:
    with serve(identity, address=Address("0.0.0.0", 0), token=TOKEN) as server:
        yield server


def test_local_page_needs_no_token(local: WebServer) -> None:
    assert local.url == f"http://127.0.0.1:{local.address.port}/"
    client = HttpClient(local.url)
    assert client.state()["uploads"] == []


def test_token_becomes_a_cookie(public: WebServer) -> None:
    assert public.url.startswith("https://") and public.url.endswith(f"?token={TOKEN}")
    anonymous = HttpClient(public.url, open_page=False)
    for path in ("/", "/state", "/static/page.js", "/?token=", "/?token=token-of-test", "/?token=%FF"):
        answer = anonymous.request("GET", path)
        assert answer.status == 401 and "token" in answer.text and not anonymous.cookies, path
    refused = anonymous.request("POST", "/uploads?name=a.mp4", b"abc")
    assert refused.status == 401
    client = HttpClient(public.url)
    cookie = client.request("GET", f"/?token={TOKEN}").headers["Set-Cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=Strict", "Secure"))
    assert client.request("GET", "/").status == 200 and client.state()["uploads"] == []


def test_public_page_has_a_random_token(identity: str) -> None:
    with (
        serve(identity, address=Address("0.0.0.0", 0)) as one,
        serve(identity, address=Address("::", 0)) as two,
    ):
        tokens = {each.url.partition("?token=")[2] for each in (one, two)}
        assert len(tokens) == 2 and all(len(each) >= 32 for each in tokens)
        assert len(one.fingerprint) == 32 * 3 - 1


def test_given_token_is_required_locally(identity: str) -> None:
    with serve(identity, token=TOKEN) as server:
        assert HttpClient(server.url, open_page=False).request("GET", "/").status == 401
        assert HttpClient(server.url).request("GET", "/").status == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "[::bad", "", "127.0.0.1.evil.example"])
def test_dns_rebinding_is_refused(local: WebServer, public: WebServer, host: str) -> None:
    for server in (local, public):
        client = HttpClient(server.url)
        assert client.request("GET", "/state", Host=host).status in (400, 403)
    assert HttpClient(local.url).request("GET", "/state", Host="localhost:9000").status == 200


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_cross_site_requests_are_refused(local: WebServer, method: str) -> None:
    client = HttpClient(local.url)
    path = {"POST": "/recordings", "PATCH": "/settings", "DELETE": "/connection"}[method]
    cross_site = {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}
    for headers in cross_site:
        assert client.request(method, path, {}, **headers).status == 403
    own = {"Origin": local.url.rstrip("/"), "Sec_Fetch_Site": "same-origin"}
    assert client.request(method, path, {}, **own).status == 204


def test_api_needs_the_page_to_be_opened(local: WebServer) -> None:
    client = HttpClient(local.url, open_page=False)
    assert client.request("GET", "/state").status == 401
    client.cookies[f"vidgan-{local.address.port}-client"] = "made-up"
    assert client.request("GET", "/state").status == 401


def test_security_headers(local: WebServer) -> None:
    for path in ("/", "/state", "/static/page.js", "/nowhere"):
        headers = HttpClient(local.url).request("GET", path).headers
        policy = headers["Content-Security-Policy"]
        assert (
            "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        )
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/static/../server.py", "/static/%2e%2e%2fserver.py", "/thumbnails/..%2f..", "/x"]
)
def test_no_other_files_are_served(local: WebServer, path: str) -> None:
    assert HttpClient(local.url).request("GET", path).status == 404


MALFORMED = [
    *(b"", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"x": 1}'),
    *(b'{"style": "../../x"}', b'{"strength": 7}', b'{"strength": "much"}', b'{"mirror": 1}'),
]


@pytest.mark.parametrize("body", MALFORMED)
def test_malformed_settings_are_refused(local: WebServer, body: bytes) -> None:
    answer = HttpClient(local.url).request("PATCH", "/settings", body)
    assert answer.status == 400 and answer.text and "Traceback" not in answer.text


@pytest.mark.parametrize(
    "offer", [None, {}, {"type": "offer"}, {"type": "offer", "sdp": "v=0"}, {"type": "x", "sdp": 1}]
)
def test_malformed_offers_are_refused(local: WebServer, offer: object) -> None:
    answer = HttpClient(local.url).request("POST", "/connection", {"offer": offer, "camera": True})
    assert answer.status == 400 and "offer cannot be answered" in answer.text
    assert not HttpClient(local.url).state()["own_camera"]


def test_port_in_use_is_one_clear_line(local: WebServer) -> None:
    address = f"127.0.0.1:{local.address.port}"
    done = vidgan("live", SAMPLES / "bunny.mp4", "--web", address)
    assert_one_clear_error(done, address, "in use", "--web")


def test_video_instead_of_an_address_is_one_clear_line() -> None:
    assert_one_clear_error(
        vidgan("live", "--web", SAMPLES / "bunny.mp4"), "bunny.mp4", "give the video before --web"
    )


def test_missing_extra_is_one_clear_line() -> None:
    code = "import sys; sys.modules['aiortc'] = None; from vidgan.cli import main; main()"
    text = ["live", str(SAMPLES / "bunny.mp4"), "--web", "127.0.0.1:0"]
    done = subprocess.run([sys.executable, "-c", code, *text], capture_output=True, text=True, timeout=60)
    assert_one_clear_error(done, "--web", "vidgan[web]")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8080", ("127.0.0.1", 8080)),
        ("0.0.0.0", ("0.0.0.0", 8000)),
        ("[::1]:1", ("::1", 1)),
        ("box:2", ("box", 2)),
    ],
)
def test_parse_address(text: str, expected: tuple[str, int]) -> None:
    address = parse_address(text)
    assert (address.host, address.port) == expected and address.is_local == (
        expected[0] in ("127.0.0.1", "::1")
    )


@pytest.mark.parametrize("text", ["", ":", "a:b", "a:70000", "http://x", "x/y", "u@x"])
def test_malformed_address(text: str) -> None:
    with pytest.raises(OutputError, match="is not an address"):
        parse_address(text)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"token": ""}, "12"),
        ({"token": "with spaces in it"}, "letters"),
        ({"certificate": SAMPLES / "bunny.jpg"}, "bunny.jpg: is not a PEM file"),
        ({"address": Address("192.0.2.200", 0)}, "192.0.2.200:0: the page cannot be served there"),
        ({"address": Address("nowhere.invalid", 0)}, "nowhere.invalid:0: the page cannot be served there"),
    ],
)
def test_invalid_options_are_refused_at_the_start(identity: str, options: dict[str, Any], text: str) -> None:
    with pytest.raises(VidganError, match=text):
        serve(identity, **options)
