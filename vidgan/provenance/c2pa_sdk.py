"""The only importer of c2pa-python, the library of the Content Authenticity Initiative.

Everything in it that would use the network is switched off, and so are thumbnails: they cost ten times what
signing costs, and they would show the input in a file that is meant to show the output.
"""

from __future__ import annotations

from typing import Any

from vidgan.errors import CredentialsError

_OFFLINE: dict[str, Any] = {
    "builder": {"thumbnail": {"enabled": False}},
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_after_sign": False},
}


def c2pa() -> Any:
    """The library.

    Raises:
        CredentialsError: it is not installed, or not for this machine.
    """
    try:
        import c2pa as library
    except ImportError as exc:
        raise CredentialsError(
            "Content Credentials need the package c2pa-python: pip install c2pa-python, or `credentials=False`"
        ) from exc
    return library


def context(anchors: str = "") -> Any:
    """The library's settings.

    Args:
        anchors: certificates, PEM, whose signatures count as trusted.
    """
    settings = {**_OFFLINE, "verify": {**_OFFLINE["verify"], "verify_trust": True}}
    if anchors:
        settings["trust"] = {"trust_anchors": anchors}
    return c2pa().Context(c2pa().Settings.from_dict(settings))
