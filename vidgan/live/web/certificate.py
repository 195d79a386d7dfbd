"""TLS for pages that other machines can reach; browsers give camera access to secure pages only."""

import datetime
import ipaddress
import ssl
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from vidgan.errors import InputError
from vidgan.live.web.address import Address, is_ip_address

_VALID_DAYS = 30
_CLOCK_SKEW = datetime.timedelta(days=1)


def self_signed_context(address: Address) -> tuple[ssl.SSLContext, str]:
    """A context with a new self-signed certificate, and the SHA-256 fingerprint of that."""
    key = ec.generate_private_key(ec.SECP256R1())
    host = address.netloc.rsplit(":", 1)[0].strip("[]")
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "vidgan")])
    today = datetime.datetime.now(datetime.UTC)
    alternative = x509.IPAddress(ipaddress.ip_address(host)) if is_ip_address(host) else x509.DNSName(host)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - _CLOCK_SKEW)
        .not_valid_after(today + datetime.timedelta(days=_VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    # The ssl module reads certificates from files only.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.pem"
        path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        context = context_from_pem(path)
    return context, certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def context_from_pem(path: Path) -> ssl.SSLContext:
    """A context with the certificate chain and the private key of a PEM file.

    Raises:
        InputError: the file does not contain both.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(path)
    except (ssl.SSLError, OSError) as exc:
        raise InputError(f"{path}: is not a PEM file with a certificate and its key: {exc.strerror}") from exc
    return context
