"""The web server of the page, on a thread of its own."""

import asyncio
import logging
import ssl
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from aiohttp import web

from vidgan.live.pipeline.live_pipeline import LivePipeline
from vidgan.live.provenance import LiveProvenance
from vidgan.live.settings import LiveSettings
from vidgan.live.web.address import Address, listen
from vidgan.live.web.auth import AuthMiddleware, check_token
from vidgan.live.web.certificate import context_from_pem, self_signed_context
from vidgan.live.web.routes import application
from vidgan.live.web.sessions import Limits, SessionManager
from vidgan.session import Device

_log = logging.getLogger(__name__)

_SHUTDOWN_SECONDS = 1.0
"""Time for requests under way to complete."""


class WebServer:
    """Serves the page from entering its ``with`` block to leaving it; files of clients are deleted then.

    Args:
        pipeline: shown to all clients; must be entered before. None: each client brings a camera.
        settings: initial settings.
        styles: to choose from.
        address: of the page.
        token: token to require; None for a random one where other machines can connect.
        certificate: PEM file; None for a self-signed certificate where other machines can connect.
        limits: of uploads.
        provenance: what recordings, snapshots and processed files say of themselves.
        crossfade: seconds of the crossfade between styles of a client's camera.
        device: see :class:`vidgan.session.Session`.

    Attributes:
        address: with the actual port.
        fingerprint: SHA-256 of the self-signed certificate; empty without one.

    Raises:
        OutputError: the port is in use, or the host is not this machine.
        InputError: the token can be guessed, or the certificate cannot be read.
    """

    def __init__(
        self,
        pipeline: LivePipeline | None,
        settings: LiveSettings,
        *,
        styles: Sequence[str],
        address: Address,
        token: str | None = None,
        certificate: Path | None = None,
        limits: Limits | None = None,
        provenance: LiveProvenance | None = None,
        crossfade: float = 0.0,
        device: Device = "auto",
    ) -> None:
        self._pipeline, self._settings, self._styles, self._device = pipeline, settings, list(styles), device
        self._limits, self._provenance = limits or Limits(), provenance or LiveProvenance()
        self._crossfade = crossfade
        self._token = check_token(address, token)
        self.fingerprint = ""
        self._ssl: ssl.SSLContext | None = None
        if certificate is not None:
            self._ssl = context_from_pem(certificate)
        elif not address.is_local:
            self._ssl, self.fingerprint = self_signed_context(address)
        self._socket, self.address = listen(address)
        self._thread = threading.Thread(target=self._run, name="vidgan-web", daemon=True)
        self._started = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._error: BaseException | None = None

    @property
    def url(self) -> str:
        """URL of the page, with the token if there is one."""
        scheme = "http" if self._ssl is None else "https"
        query = "" if self._token is None else f"?token={self._token}"
        return f"{scheme}://{self.address.netloc}/{query}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait()
        self.check()
        _log.info("%s: serving", self.address.netloc)
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        _log.info("%s: closed", self.address.netloc)

    def check(self) -> None:
        """Raises the error that ended the server, if any."""
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as exc:
            self._error = exc
        finally:
            self._socket.close()
            self._started.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        with tempfile.TemporaryDirectory(prefix="vidgan-page-", ignore_cleanup_errors=True) as folder:
            sessions = SessionManager(
                self._pipeline,
                self._settings,
                self._styles,
                Path(folder),
                self._limits,
                self._provenance,
                self._device,
                crossfade=self._crossfade,
            )
            auth = AuthMiddleware(self.address, self._token, secure=self._ssl is not None)
            app = application(sessions, auth)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
            await runner.setup()
            try:
                await web.SockSite(runner, self._socket, ssl_context=self._ssl).start()
                self._started.set()
                await self._stop.wait()
            finally:
                await runner.cleanup()
                await sessions.close()
