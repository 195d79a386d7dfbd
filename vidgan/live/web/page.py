"""The page as a whole: a server on a thread of its own."""

import asyncio
import ssl
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from vidgan.live.controls import Look
from vidgan.live.live import Live
from vidgan.live.web.address import Address, listen
from vidgan.live.web.auth import Gate, check_token
from vidgan.live.web.certificate import given_context, own_context
from vidgan.live.web.routes import application
from vidgan.live.web.server import Limits, Room
from vidgan.session import Device

_LEAVE_SECONDS = 1.0
"""That answers under way get when it ends."""


class Page:
    """Serves from entering its ``with`` block to leaving it; what visitors brought is gone then.

    Args:
        live: the picture that is shown to all; it has to be entered before. None: visitors bring theirs.
        look: to begin with.
        styles: to choose from.
        address: that it is served at.
        token: to ask for; None for a new one where others than this machine can reach the page.
        certificate: a PEM file; None for one that is made for the occasion, where others can.
        limits: of what visitors may bring.
        device: see :class:`vidgan.session.Session`.

    Attributes:
        address: with the port that was free, if it did not matter.
        fingerprint: SHA-256 of the certificate that was made; empty if none was.

    Raises:
        OutputError: the address is in use, or not this machine's.
        InputError: the token could be guessed, or the certificate is none.
    """

    def __init__(
        self,
        live: Live | None,
        look: Look,
        *,
        styles: Sequence[str],
        address: Address,
        token: str | None = None,
        certificate: Path | None = None,
        limits: Limits | None = None,
        device: Device = "auto",
    ) -> None:
        self._live, self._look, self._styles, self._device = live, look, list(styles), device
        self._limits = limits or Limits()
        self._token = check_token(address, token)
        self.fingerprint = ""
        self._ssl: ssl.SSLContext | None = None
        if certificate is not None:
            self._ssl = given_context(certificate)
        elif not address.is_local:
            self._ssl, self.fingerprint = own_context(address)
        self._socket, self.address = listen(address)
        self._thread = threading.Thread(target=self._run, name="vidgan-page", daemon=True)
        self._began = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._error: BaseException | None = None

    @property
    def url(self) -> str:
        """To be opened; with the token, if there is one."""
        scheme = "http" if self._ssl is None else "https"
        return f"{scheme}://{self.address.shown}/" + ("" if self._token is None else f"?token={self._token}")

    def __enter__(self) -> Self:
        self._thread.start()
        self._began.wait()
        self.check()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None and self._end is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    def check(self) -> None:
        """Raises what ended it, if it was not to end."""
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as exc:
            self._error = exc
        finally:
            self._socket.close()
            self._began.set()

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        with tempfile.TemporaryDirectory(prefix="vidgan-page-", ignore_cleanup_errors=True) as folder:
            room = Room(self._live, self._look, self._styles, Path(folder), self._limits, self._device)
            gate = Gate(self.address, self._token, secure=self._ssl is not None)
            runner = web.AppRunner(application(room, gate), access_log=None, shutdown_timeout=_LEAVE_SECONDS)
            await runner.setup()
            try:
                await web.SockSite(runner, self._socket, ssl_context=self._ssl).start()
                self._began.set()
                await self._end.wait()
            finally:
                await runner.cleanup()
                await room.close()
