"""Authentication of clients, and the security headers of all responses."""

import hmac
import secrets
import socket
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from vidgan.errors import InputError
from vidgan.live.web.address import Address, is_ip_address

_MIN_TOKEN_LENGTH = 12
"""Characters; shorter tokens can be guessed."""

_SAFE_METHODS = {"GET", "HEAD"}
_PUBLIC_PATHS = {"/static/page.css", "/static/icon.svg"}
"""Files of the page that asks for the token."""

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

_UNAUTHORIZED_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>vidgan</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="/static/icon.svg"><link rel="stylesheet" href="/static/page.css">
<main class="unauthorized"><h1>vidgan</h1><p>A token is needed. Open the complete address that vidgan printed at the
start, including <code>?token=</code> and what follows.</p></main></html>"""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class AuthMiddleware:
    """Accepts clients that know the token, and requests of browsers only from this page itself.

    Args:
        address: of the page.
        token: None for no token.
        secure: whether the page is served by HTTPS.
    """

    def __init__(self, address: Address, token: str | None, *, secure: bool) -> None:
        self._token = token
        self._host_names = {"localhost", address.host.lower(), *_own_names(address)}
        self._any_ip_address = not address.is_local
        self._secure = secure
        # Browsers share cookies between all ports of a host.
        self._prefix = f"vidgan-{address.port}"

    async def handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The response of the handler, or a refusal."""
        self._check_host(request)
        self._check_origin(request)
        if request.path not in _PUBLIC_PATHS and not self._has_token(request):
            if request.path == "/":
                return web.Response(status=401, text=_UNAUTHORIZED_PAGE, content_type="text/html")
            raise web.HTTPUnauthorized(text="the token that vidgan printed is needed")
        return await handler(request)

    def set_cookies(self, response: web.StreamResponse, client_id: str) -> None:
        """Stores the client's id and the token in the browser."""
        self._set_cookie(response, "client", client_id)
        if self._token is not None:
            self._set_cookie(response, "token", self._token)

    def client_id(self, request: web.Request) -> str:
        """The client's id; empty if the browser has none."""
        return request.cookies.get(f"{self._prefix}-client", "")

    def _has_token(self, request: web.Request) -> bool:
        if self._token is None:
            return True
        given = request.query.get("token") or request.cookies.get(f"{self._prefix}-token", "")
        return hmac.compare_digest(given.encode(errors="replace"), self._token.encode())

    def _check_host(self, request: web.Request) -> None:
        """Prevents DNS rebinding: foreign names that resolve to this machine are refused."""
        try:
            name = urlsplit(f"//{request.headers.get('Host', '')}").hostname or ""
        except ValueError:
            name = ""
        if not (name in self._host_names or (self._any_ip_address and is_ip_address(name))):
            raise web.HTTPForbidden(text="the page is not served under that host name")

    def _check_origin(self, request: web.Request) -> None:
        """Prevents cross-site request forgery."""
        if request.method in _SAFE_METHODS:
            return
        origin = request.headers.get("Origin")
        same = origin is None or urlsplit(origin).netloc == request.headers.get("Host")
        if not same or request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            raise web.HTTPForbidden(text="cross-site requests are refused")

    def _set_cookie(self, response: web.StreamResponse, name: str, value: str) -> None:
        response.set_cookie(
            f"{self._prefix}-{name}", value, httponly=True, samesite="Strict", secure=self._secure, path="/"
        )


def check_token(address: Address, token: str | None) -> str | None:
    """The token to require: the given one, or a random one where other machines can connect.

    Raises:
        InputError: the token is too short, or contains characters that URLs cannot hold.
    """
    if token is None:
        return None if address.is_local else secrets.token_urlsafe(24)
    if len(token) < _MIN_TOKEN_LENGTH:
        raise InputError(f"`token`: has {len(token)} characters; at least {_MIN_TOKEN_LENGTH} are needed")
    if not (token.isascii() and all(each.isalnum() or each in "-._~" for each in token)):
        raise InputError("`token`: must consist of ASCII letters, digits and - . _ ~, which URLs can hold")
    return token


def _own_names(address: Address) -> set[str]:
    if address.is_local:
        return {"127.0.0.1", "::1"}
    name = socket.gethostname().lower()
    return {name, f"{name}.local", socket.getfqdn().lower()}
