"""Who may come in, and what browsers are told to keep out."""

import hmac
import secrets
import socket
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from vidgan.errors import InputError
from vidgan.live.web.address import Address, is_number

_LEAST_TOKEN = 12
"""Characters; fewer could be guessed."""

_SAFE_METHODS = {"GET", "HEAD"}
_OPEN_PATHS = {"/static/page.css", "/static/icon.svg"}
"""What the refusal itself is made of."""

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob:; media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_REFUSED = """<!doctype html><html lang="en"><meta charset="utf-8"><title>vidgan</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="/static/icon.svg"><link rel="stylesheet" href="/static/page.css">
<main class="refused"><h1>vidgan</h1><p>This page opens with the whole address that vidgan printed when it
began, <code>?token=</code> and what follows included.</p></main></html>"""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Gate:
    """Lets in who knows the token, and of browsers only what this very page asks of them.

    Args:
        address: of the page.
        token: None where there is none.
        secure: whether it is spoken to by HTTPS.
    """

    def __init__(self, address: Address, token: str | None, *, secure: bool) -> None:
        self._token = token
        self._names = {"localhost", address.host.lower(), *_own_names(address)}
        self._any_number = not address.is_local
        self._secure = secure
        # Cookies of all ports of a host are kept in one place.
        self._prefix = f"vidgan-{address.port}"

    async def opened(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The answer to a request, or why there is none."""
        self._check_host(request)
        self._check_origin(request)
        if request.path not in _OPEN_PATHS and not self._knows_token(request):
            if request.path == "/":
                return web.Response(status=401, text=_REFUSED, content_type="text/html")
            raise web.HTTPUnauthorized(text="not without the token that vidgan printed")
        return await handler(request)

    def let_in(self, response: web.StreamResponse, visitor: str) -> None:
        """Gives a browser what it shows from now on."""
        self._set(response, "visitor", visitor)
        if self._token is not None:
            self._set(response, "token", self._token)

    def visitor(self, request: web.Request) -> str:
        """The name that was given to it; empty if none was."""
        return request.cookies.get(f"{self._prefix}-visitor", "")

    def _knows_token(self, request: web.Request) -> bool:
        if self._token is None:
            return True
        shown = request.query.get("token") or request.cookies.get(f"{self._prefix}-token", "")
        return hmac.compare_digest(shown.encode(errors="replace"), self._token.encode())

    def _check_host(self, request: web.Request) -> None:
        """Against names of strangers that were made to lead here."""
        try:
            name = urlsplit(f"//{request.headers.get('Host', '')}").hostname or ""
        except ValueError:
            name = ""
        if not (name in self._names or (self._any_number and is_number(name))):
            raise web.HTTPForbidden(text="the page is not known by that name")

    def _check_origin(self, request: web.Request) -> None:
        """Against other pages that let a browser do things here."""
        if request.method in _SAFE_METHODS:
            return
        origin = request.headers.get("Origin")
        same = origin is None or urlsplit(origin).netloc == request.headers.get("Host")
        if not same or request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            raise web.HTTPForbidden(text="that was asked for by another page")

    def _set(self, response: web.StreamResponse, name: str, value: str) -> None:
        response.set_cookie(
            f"{self._prefix}-{name}", value, httponly=True, samesite="Strict", secure=self._secure, path="/"
        )


def check_token(address: Address, token: str | None) -> str | None:
    """The token to ask for: the given one, or a new one where others can reach the page.

    Raises:
        InputError: the given one could be guessed, or cannot be kept by browsers.
    """
    if token is None:
        return None if address.is_local else secrets.token_urlsafe(24)
    if len(token) < _LEAST_TOKEN:
        raise InputError(f"--token: has {len(token)} characters; at least {_LEAST_TOKEN} are needed")
    if not (token.isascii() and all(each.isalnum() or each in "-._~" for each in token)):
        raise InputError("--token: may have letters, digits, and - . _ ~ only, so that addresses can hold it")
    return token


def _own_names(address: Address) -> set[str]:
    if address.is_local:
        return {"127.0.0.1", "::1"}
    name = socket.gethostname().lower()
    return {name, f"{name}.local", socket.getfqdn().lower()}
