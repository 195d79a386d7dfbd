"""Where the page is to be found."""

import ipaddress
import os
import socket
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from vidgan.errors import OutputError

DEFAULT = "127.0.0.1:8000"
_ANYWHERE = "192.0.2.1", 9
"""An address that is nobody's; nothing is sent there."""


@dataclass(frozen=True, slots=True)
class Address:
    """A host, by name or number, and a port; 0 for any that is free."""

    host: str
    port: int

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host == "localhost" or (
            is_number(self.host) and ipaddress.ip_address(self.host).is_loopback
        )

    @property
    def shown(self) -> str:
        """As it is written in front of a path, with an address that others can reach where it means all."""
        host = _own_number() if self.host in ("0.0.0.0", "::") else self.host
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"


def parse_address(words: str) -> Address:
    """``HOST:PORT``, or one of the two; what is missing is that of ``DEFAULT``.

    Raises:
        OutputError: it is none.
    """
    host, port = DEFAULT.split(":")
    try:
        if words.isdecimal():
            return Address(host, _port(words))
        parts = urlsplit(f"//{words}")
        given = Address(parts.hostname or "", _port(str(port if parts.port is None else parts.port)))
        if not given.host or parts.path or parts.query or "@" in words:
            raise ValueError
    except ValueError:
        raise OutputError(f"--web {words}: is no address to serve at, such as {DEFAULT}") from None
    return given


def listen(address: Address) -> tuple[socket.socket, Address]:
    """A socket there, and the address with the port that it really has.

    Raises:
        OutputError: it is in use, or not this machine's.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        opened = socket.create_server((address.host, address.port), family=family)
    except OSError as exc:
        place = f"{address.host}:{address.port}"
        reason = os.strerror(exc.errno) if exc.errno and exc.errno > 0 else exc.strerror
        raise OutputError(
            f"{place}: the page cannot be there: {reason}; --web HOST:PORT chooses another"
        ) from exc
    return opened, replace(address, port=opened.getsockname()[1])


def is_number(host: str) -> bool:
    """Whether it is an IP address, which no name server has a say in."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _port(digits: str) -> int:
    if not 0 <= int(digits) < 1 << 16:
        raise ValueError
    return int(digits)


def _own_number() -> str:
    """By which others reach this machine, as far as it can be known."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ANYWHERE)
        except OSError:
            return socket.gethostname()
        return str(probe.getsockname()[0])
