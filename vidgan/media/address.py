"""Addresses that are given where a path is wanted."""

import re
from pathlib import Path

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+")
"""Two letters at least; one is a drive of Windows."""


def address_in(path: str | Path) -> str | None:
    """The address that a path was meant to be; None for a path."""
    found = _SCHEME.match(str(path))
    # A path has no double slashes.
    return None if found is None else f"{found[1]}://{str(path)[found.end() :]}"


def not_found(path: str | Path, what: str = "no such file") -> str:
    """Message about an input that is not there.

    Args:
        what: the message for a path.
    """
    address = address_in(path)
    if address is None:
        return f"{path}: {what}"
    return f"{address}: is an address; 'vidgan live' takes streams, jobs take files"
