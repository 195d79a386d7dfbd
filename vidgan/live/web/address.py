"""Address of the page."""

import ipaddress
import os
import socket
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from vidgan.errors import OutputError

DEFAULT = "127.0.0.1:8000"
_UNROUTED = "192.0.2.1", 9
"""An address reserved for documentation; nothing is sent to it."""


@dataclass(frozen=True, slots=True)
class Address:
    """A host, by name or IP address, and a port; 0 for any free port."""

    host: str
    port: int

    @property
    def is_local(self) -> bool:
        """Whether only this machine can connect."""
        return self.host == "localhost" or (
            is_ip_address(self.host) and ipaddress.ip_address(self.host).is_loopback
        )

    @property
    def netloc(self) -> str:
        """Host and port as in a URL; a wildcard host is replaced by this machine's own IP address."""
        host = _own_ip_address() if self.host in ("0.0.0.0", "::") else self.host
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"


def parse_address(text: str) -> Address:
    """Parses ``HOST:PORT``, ``HOST`` or ``PORT``; a missing part is that of ``DEFAULT``.

    Raises:
        OutputError: the text is not an address.
    """
    host, port = DEFAULT.split(":")
    try:
        if text.isdecimal():
            return Address(host, _port(text))
        parts = urlsplit(f"//{text}")
        address = Address(parts.hostname or "", _port(str(port if parts.port is None else parts.port)))
        if not address.host or parts.path or parts.query or "@" in text:
            raise ValueError
    except ValueError:
        raise OutputError(f"`web` {text}: is not an address; give HOST:PORT such as {DEFAULT}") from None
    return address


def listen(address: Address) -> tuple[socket.socket, Address]:
    """Opens a listening socket; returns it and the address with the actual port.

    Raises:
        OutputError: the port is in use, or the host is not this machine.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        opened = socket.create_server((address.host, address.port), family=family)
    except OSError as exc:
        reason = os.strerror(exc.errno) if exc.errno and exc.errno > 0 else exc.strerror
        raise OutputError(
            f"{address.host}:{address.port}: the page cannot be served there: {reason}; "
            "`web='HOST:PORT'` chooses another address"
        ) from exc
    return opened, replace(address, port=opened.getsockname()[1])


def is_ip_address(host: str) -> bool:
    """Whether the host is an IP address, which no name server resolves."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _port(digits: str) -> int:
    if not 0 <= int(digits) < 1 << 16:
        raise ValueError
    return int(digits)


def _own_ip_address() -> str:
    """The address of the interface with the default route, or the host name where there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_UNROUTED)
        except OSError:
            return socket.gethostname()
        return str(probe.getsockname()[0])
