"""Open Sound Control over UDP, by python-osc."""

import threading
from collections.abc import Callable
from typing import Any, Self

from vidgan.errors import InputError, OutputError
from vidgan.live.control_surfaces.parameters import set_parameter
from vidgan.live.controls import Controls

DEFAULT_ADDRESS = "127.0.0.1:9000"
_PREFIX = "/vidgan/"


class OscControl:
    """Applies OSC messages such as ``/vidgan/strength 0.5``, from entering its ``with`` block to leaving it.

    Args:
        controls: to change.
        address: ``HOST:PORT`` or ``PORT`` to listen at; empty for ``127.0.0.1:9000``. Anyone who can send packets to
            it can change the settings.
        notify: called with messages for the user.

    Attributes:
        port: the UDP port.

    Raises:
        OutputError: python-osc is not installed, or the port is in use.
        InputError: the address is malformed.
    """

    def __init__(self, controls: Controls, address: str = "", *, notify: Callable[[str], None]) -> None:
        try:
            from pythonosc.dispatcher import Dispatcher
            from pythonosc.osc_server import ThreadingOSCUDPServer
        except ImportError:
            raise OutputError("`osc`: needs python-osc; pip install 'vidgan[control]'") from None
        self._controls, self._notify = controls, notify
        dispatcher = Dispatcher()
        dispatcher.map(f"{_PREFIX}*", self._handle)
        host, port = _parse(address)
        try:
            self._server = ThreadingOSCUDPServer((host, port), dispatcher)
        except OSError as exc:
            raise OutputError(f"`osc` {host}:{port}: cannot listen there: {exc.strerror or exc}") from exc
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, name="vidgan-osc", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handle(self, path: str, *values: Any) -> None:
        try:
            set_parameter(self._controls, path.removeprefix(_PREFIX), values[0] if values else True)
        except InputError as exc:
            self._notify(f"OSC: {exc}")


def _parse(address: str) -> tuple[str, int]:
    default_host, default_port = DEFAULT_ADDRESS.split(":")
    host, separator, port = address.rpartition(":")
    if address and not separator:
        host, port = (default_host, address) if address.isdecimal() else (address, default_port)
    port = port or default_port
    if not port.isdecimal() or int(port) > 65535:
        raise InputError(f"`osc` {address}: is not an address; give HOST:PORT such as {DEFAULT_ADDRESS}")
    return host or default_host, int(port)
