"""A client of the page's HTTP API."""

import http.client
import json
import ssl
import time
import urllib.parse
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from vidgan.live.pipeline.live_pipeline import LivePipeline
from vidgan.live.settings import LiveSettings
from vidgan.live.web.address import Address
from vidgan.live.web.server import WebServer
from vidgan.live.web.sessions import Limits

LOCAL = Address("127.0.0.1", 0)


def serve(identity: str, pipeline: LivePipeline | None = None, **options: Any) -> WebServer:
    """A web server with one style and small limits."""
    options = {"address": LOCAL, "limits": Limits(upload_bytes=1_000_000, uploads=6), **options}
    settings = LiveSettings(style=identity, smooth="off")
    return WebServer(pipeline, settings, styles=[identity], device="cpu", **options)


class Response(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class HttpClient:
    """Sends requests and keeps cookies.

    Args:
        url: as printed by vidgan.
        open_page: whether to request the page at once, which sets the cookies.
    """

    def __init__(self, url: str, *, open_page: bool = True) -> None:
        self._parts = urllib.parse.urlsplit(url)
        self.cookies: dict[str, str] = {}
        if open_page:
            response = self.request("GET", f"/?{self._parts.query}")
            assert response.status == 200, response.text

    def request(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | dict[str, Any] | None = None,
        **headers: str,
    ) -> Response:
        host, port = self._parts.hostname or "", self._parts.port
        connection: http.client.HTTPConnection
        if self._parts.scheme == "https":
            # The certificate is self-signed.
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
                    key, _, cookie = value.partition(";")[0].partition("=")
                    self.cookies[key] = cookie
            return Response(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def state(self) -> Any:
        return self.request("GET", "/state").json

    def wait_for(self, condition: Callable[[Any], bool]) -> Any:
        """The state, once the condition holds."""
        until = time.monotonic() + 120
        while not condition(state := self.state()):
            assert time.monotonic() < until, state
            time.sleep(0.05)
        return state

    def upload(
        self,
        content: bytes | Iterable[bytes],
        name: str = "clip.mp4",
        *,
        task: str = "style",
        model: str = "",
        hints: str = "",
        **headers: str,
    ) -> Response:
        query = urllib.parse.urlencode({"name": name, "task": task, "model": model, "hints": hints})
        return self.request("POST", f"/uploads?{query}", content, **headers)
