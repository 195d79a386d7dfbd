"""Encryption for a page that is not on this machine alone: without it, browsers lend no camera."""

import datetime
import ipaddress
import ssl
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from vidgan.errors import InputError
from vidgan.live.web.address import Address, is_number

_DAYS = 30
_SLACK = datetime.timedelta(days=1)


def own_context(address: Address) -> tuple[ssl.SSLContext, str]:
    """With a certificate that nobody but this process vouches for, and its SHA-256, to compare."""
    key = ec.generate_private_key(ec.SECP256R1())
    host = address.shown.rsplit(":", 1)[0].strip("[]")
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "vidgan")])
    today = datetime.datetime.now(datetime.UTC)
    alternative = x509.IPAddress(ipaddress.ip_address(host)) if is_number(host) else x509.DNSName(host)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - _SLACK)
        .not_valid_after(today + datetime.timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    # Python's ssl reads them from files only.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.pem"
        path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        context = given_context(path)
    return context, certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def given_context(path: Path) -> ssl.SSLContext:
    """With a certificate, those that vouch for it, and its key from a PEM file.

    Raises:
        InputError: they are not in there.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(path)
    except (ssl.SSLError, OSError) as exc:
        raise InputError(f"{path}: holds no certificate with its key, as PEM: {exc.strerror}") from exc
    return context
