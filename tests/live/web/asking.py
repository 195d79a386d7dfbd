"""The page as something other than a browser asks for it."""

import http.client
import json
import ssl
import time
import urllib.parse
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from vidgan.live.controls import Look
from vidgan.live.live import Live
from vidgan.live.web.address import Address
from vidgan.live.web.page import Page
from vidgan.live.web.server import Limits

HERE = Address("127.0.0.1", 0)


def page(identity: str, live: Live | None = None, **options: Any) -> Page:
    options = {"address": HERE, "limits": Limits(clip_bytes=1_000_000, clips=6), **options}
    return Page(live, Look(style=identity, smooth="off"), styles=[identity], device="cpu", **options)


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Asker:
    """Keeps cookies and asks.

    Args:
        url: that the page printed; it is opened at once.
    """

    def __init__(self, url: str, *, opens: bool = True) -> None:
        self._parts = urllib.parse.urlsplit(url)
        self.cookies: dict[str, str] = {}
        if opens:
            answer = self.ask("GET", f"/?{self._parts.query}")
            assert answer.status == 200, answer.text

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | dict[str, Any] | None = None,
        **headers: str,
    ) -> Answer:
        host, port = self._parts.hostname or "", self._parts.port
        connection: http.client.HTTPConnection
        if self._parts.scheme == "https":
            # Nobody vouches for it, as browsers say too.
            context = ssl._create_unverified_context()
            connection = http.client.HTTPSConnection(host, port, timeout=60, context=context)
        else:
            connection = http.client.HTTPConnection(host, port, timeout=60)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            named["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            content = json.dumps(body).encode() if isinstance(body, dict) else body
            connection.request(method, path, content, named)
            response = connection.getresponse()
            for name, value in response.getheaders():
                if name == "Set-Cookie":
                    key, _, word = value.partition(";")[0].partition("=")
                    self.cookies[key] = word
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def state(self) -> Any:
        return self.ask("GET", "/state").json

    def wait_for(self, wanted: Callable[[Any], bool]) -> Any:
        """The state, once it is so."""
        until = time.monotonic() + 120
        while not wanted(state := self.state()):
            assert time.monotonic() < until, state
            time.sleep(0.05)
        return state

    def send(self, content: bytes | Iterable[bytes], name: str = "clip.mp4", **headers: str) -> Answer:
        return self.ask("POST", f"/clips?name={urllib.parse.quote(name, safe='')}", content, **headers)
