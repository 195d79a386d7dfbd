"""Who is let in, and who is not."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from support.commands import SAMPLES, assert_one_clear_error, vidgan

pytest.importorskip("aiohttp", reason="needs the extra web")
pytest.importorskip("aiortc", reason="needs the extra web")

from live.web.asking import Asker, page

from vidgan.errors import OutputError, VidganError
from vidgan.live.web.address import Address, parse_address
from vidgan.live.web.page import Page

TOKEN = "a-token-of-tests"


@pytest.fixture(scope="module")
def local(identity: str) -> Iterator[Page]:
    with page(identity) as opened:
        yield opened


@pytest.fixture(scope="module")
def public(identity: str) -> Iterator[Page]:
    with page(identity, address=Address("0.0.0.0", 0), token=TOKEN) as opened:
        yield opened


def test_on_this_machine_no_token_is_needed(local: Page) -> None:
    assert local.url == f"http://127.0.0.1:{local.address.port}/"
    asker = Asker(local.url)
    assert asker.state()["clips"] == []


def test_others_need_the_token_which_becomes_a_cookie(public: Page) -> None:
    assert public.url.startswith("https://") and public.url.endswith(f"?token={TOKEN}")
    stranger = Asker(public.url, opens=False)
    for path in ("/", "/state", "/static/page.js", "/?token=", "/?token=a-token-of-test", "/?token=%FF"):
        answer = stranger.ask("GET", path)
        assert answer.status == 401 and "token" in answer.text and not stranger.cookies, path
    refused = stranger.ask("POST", "/clips?name=a.mp4", b"abc")
    assert refused.status == 401
    asker = Asker(public.url)
    cookie = asker.ask("GET", f"/?token={TOKEN}").headers["Set-Cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=Strict", "Secure"))
    assert asker.ask("GET", "/").status == 200 and asker.state()["clips"] == []


def test_where_others_can_reach_it_there_is_a_token_unasked(identity: str) -> None:
    with (
        page(identity, address=Address("0.0.0.0", 0)) as one,
        page(identity, address=Address("::", 0)) as two,
    ):
        tokens = {each.url.partition("?token=")[2] for each in (one, two)}
        assert len(tokens) == 2 and all(len(each) >= 32 for each in tokens)
        assert len(one.fingerprint) == 32 * 3 - 1


def test_a_token_of_ones_own_is_asked_for_here_too(identity: str) -> None:
    with page(identity, token=TOKEN) as opened:
        assert Asker(opened.url, opens=False).ask("GET", "/").status == 401
        assert Asker(opened.url).ask("GET", "/").status == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "[::bad", "", "127.0.0.1.evil.example"])
def test_names_that_lead_here_by_strangers_doing_are_not_answered(
    local: Page, public: Page, host: str
) -> None:
    for opened in (local, public):
        asker = Asker(opened.url)
        assert asker.ask("GET", "/state", Host=host).status in (400, 403)
    assert Asker(local.url).ask("GET", "/state", Host="localhost:9000").status == 200


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_other_pages_make_nobody_do_things_here(local: Page, method: str) -> None:
    asker = Asker(local.url)
    path = {"POST": "/recordings", "PATCH": "/look", "DELETE": "/call"}[method]
    foreign = {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}
    for headers in foreign:
        assert asker.ask(method, path, {}, **headers).status == 403
    own = {"Origin": local.url.rstrip("/"), "Sec_Fetch_Site": "same-origin"}
    assert asker.ask(method, path, {}, **own).status == 204


def test_what_is_not_opened_as_a_page_has_nothing(local: Page) -> None:
    asker = Asker(local.url, opens=False)
    assert asker.ask("GET", "/state").status == 401
    asker.cookies[f"vidgan-{local.address.port}-visitor"] = "made-up"
    assert asker.ask("GET", "/state").status == 401


def test_browsers_are_told_what_to_keep_out(local: Page) -> None:
    for path in ("/", "/state", "/static/page.js", "/nowhere"):
        headers = Asker(local.url).ask("GET", path).headers
        policy = headers["Content-Security-Policy"]
        assert (
            "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        )
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/static/../page.py", "/static/%2e%2e%2fpage.py", "/stills/..%2f..", "/x"])
def test_nothing_else_of_the_machine_is_there(local: Page, path: str) -> None:
    assert Asker(local.url).ask("GET", path).status == 404


SENSELESS = [
    *(b"", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"x": 1}'),
    *(b'{"style": "../../x"}', b'{"strength": 7}', b'{"strength": "much"}', b'{"mirror": 1}'),
]


@pytest.mark.parametrize("body", SENSELESS)
def test_wishes_that_make_no_sense_are_refused(local: Page, body: bytes) -> None:
    answer = Asker(local.url).ask("PATCH", "/look", body)
    assert answer.status == 400 and answer.text and "Traceback" not in answer.text


@pytest.mark.parametrize(
    "offer", [None, {}, {"type": "offer"}, {"type": "offer", "sdp": "v=0"}, {"type": "x", "sdp": 1}]
)
def test_offers_that_make_no_sense_are_refused(local: Page, offer: object) -> None:
    answer = Asker(local.url).ask("POST", "/call", {"offer": offer, "camera": True})
    assert answer.status == 400 and "no offer" in answer.text
    assert not Asker(local.url).state()["own"]


def test_a_port_in_use_is_one_clear_line(local: Page) -> None:
    place = f"127.0.0.1:{local.address.port}"
    done = vidgan("live", SAMPLES / "bunny.mp4", "--web", place)
    assert_one_clear_error(done, place, "in use", "--web")


def test_a_film_in_the_place_of_an_address_is_one_clear_line() -> None:
    assert_one_clear_error(vidgan("live", "--web", SAMPLES / "bunny.mp4"), "bunny.mp4", "before --web")


def test_without_the_extra_it_is_one_clear_line() -> None:
    code = "import sys; sys.modules['aiortc'] = None; from vidgan.cli import main; main()"
    words = ["live", str(SAMPLES / "bunny.mp4"), "--web", "127.0.0.1:0"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=60)
    assert_one_clear_error(done, "--web", "vidgan[web]")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("8080", ("127.0.0.1", 8080)),
        ("0.0.0.0", ("0.0.0.0", 8000)),
        ("[::1]:1", ("::1", 1)),
        ("box:2", ("box", 2)),
    ],
)
def test_addresses_are_read_as_people_write_them(words: str, found: tuple[str, int]) -> None:
    address = parse_address(words)
    assert (address.host, address.port) == found and address.is_local == (found[0] in ("127.0.0.1", "::1"))


@pytest.mark.parametrize("words", ["", ":", "a:b", "a:70000", "http://x", "x/y", "u@x"])
def test_what_is_no_address_is_said(words: str) -> None:
    with pytest.raises(OutputError, match="is no address"):
        parse_address(words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"token": ""}, "12"),
        ({"token": "with spaces in it"}, "letters"),
        ({"certificate": SAMPLES / "bunny.jpg"}, "bunny.jpg: holds no certificate"),
        ({"address": Address("192.0.2.200", 0)}, "192.0.2.200:0: the page cannot be there"),
        ({"address": Address("nowhere.invalid", 0)}, "nowhere.invalid:0: the page cannot be there"),
    ],
)
def test_what_cannot_be_is_said_before_anything_begins(
    identity: str, options: dict[str, object], words: str
) -> None:
    with pytest.raises(VidganError, match=words):
        page(identity, **options)
