"""Keys and X.509 certificates, as PEM: what is in them, and new ones.

The only importer of cryptography's X.509, which takes a twentieth of a second to import.
"""

from __future__ import annotations

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID

from vidgan.errors import CredentialsError

_VALID_DAYS = 3650
"""Without a time stamp authority a signature counts only while its certificate is valid."""
_CLOCK_SLACK = datetime.timedelta(days=1)
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


def validity_of(chain: str) -> tuple[datetime.datetime, datetime.datetime]:
    """The times between which the first certificate, as PEM, is valid, UTC."""
    leaf = x509.load_pem_x509_certificate(chain.encode())
    return leaf.not_valid_before_utc, leaf.not_valid_after_utc


def authority_in(pem: bytes) -> str:
    """The last certificate, which vouches for the others.

    Raises:
        ValueError: there is none.
    """
    return _pem(x509.load_pem_x509_certificates(pem)[-1])


def chain_and_key(pem: bytes, certificate: Path, key: Path | None = None) -> tuple[str, bytes, str]:
    """The certificates, the private key and its algorithm as C2PA names it, in a file, or two, that hold them.

    Raises:
        CredentialsError: they do not, or the certificate is of another key.
    """
    try:
        chain = x509.load_pem_x509_certificates(pem)
    except ValueError as exc:
        raise CredentialsError(f"{certificate}: holds no certificate, as PEM{_remedy(key)}") from exc
    start = pem.find(b"-----BEGIN", pem.rfind(b"-----END CERTIFICATE-----"))
    try:
        private = serialization.load_pem_private_key(pem[max(start, 0) :], password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise CredentialsError(
            f"{key or certificate}: holds no private key, as PEM without a password{_remedy(key)}"
        ) from exc
    if _public(private.public_key()) != _public(chain[0].public_key()):
        raise CredentialsError(f"{certificate}: is not the certificate of {key or 'its key'}{_remedy(key)}")
    return "".join(map(_pem, chain)), _private(private), _algorithm(private, key or certificate)


def _remedy(key: Path | None) -> str:
    return "" if key else "; remove the file, and a new one is made"


def _algorithm(key: PrivateKeyTypes, path: Path) -> str:
    match key:
        case ec.EllipticCurvePrivateKey() if key.curve.name in _CURVES:
            return _CURVES[key.curve.name]
        case rsa.RSAPrivateKey():
            return "ps256"
        case ed25519.Ed25519PrivateKey():
            return "ed25519"
    raise CredentialsError(f"{path}: C2PA knows no such keys; use one for ES256, PS256 or Ed25519")


def new_identity() -> bytes:
    """A key, and certificates for it by an authority whose key is not kept."""
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    serial = x509.random_serial_number()
    authority = _certificate("vidgan, a machine's own authority", serial, authority_key.public_key())
    leaf = _certificate("vidgan on this machine", serial, key.public_key())
    authority_name = _name("vidgan, a machine's own authority", serial)
    identifier = x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key())
    made_authority = (
        authority.issuer_name(authority_name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(identifier, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    made_leaf = (
        leaf.issuer_name(authority_name)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )
    return (_pem(made_leaf) + _pem(made_authority)).encode() + _private(key)


def _certificate(title: str, serial: int, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(title, serial))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.datetime.now(datetime.UTC) - _CLOCK_SLACK)
        .not_valid_after(datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=_VALID_DAYS))
    )


def _name(title: str, serial: int) -> x509.Name:
    """The number tells two machines apart without saying which they are."""
    return x509.Name(
        [
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "vidgan, self-signed"),
            x509.NameAttribute(x509.NameOID.COMMON_NAME, f"{title} ({serial & 0xFFFFFFFF:08x})"),
        ]
    )


_NO_ENCRYPTION = dict.fromkeys(
    (
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "encipher_only",
        "decipher_only",
    ),
    False,
)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        **_NO_ENCRYPTION,
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _private(key: PrivateKeyTypes) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _public(key: object) -> bytes:
    return key.public_bytes(  # type: ignore[attr-defined, no-any-return]
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
