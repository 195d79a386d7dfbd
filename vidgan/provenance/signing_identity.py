"""The key that manifests are signed with, and the certificates that say whose it is."""

from __future__ import annotations

import datetime
import hashlib
import hmac
import os
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID
from filelock import FileLock
from platformdirs import user_data_path

from vidgan.errors import CredentialsError

_VALID_DAYS = 3650
"""Without a time stamp authority a signature counts only while its certificate is valid."""
_CLOCK_SLACK = datetime.timedelta(days=1)
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


@dataclass(frozen=True, slots=True)
class SigningIdentity:
    """A key and the certificates that say whose it is.

    Attributes:
        chain: certificates, PEM, that of the key first.
        key: the private key, PEM.
        algorithm: as C2PA names it, e.g. ``"es256"``.
    """

    chain: str
    key: bytes = field(repr=False)
    algorithm: str

    def mark_id(self, fingerprint: str) -> int:
        """32 bits for :class:`vidgan.provenance.PixelMark`: HMAC-SHA256 of a job's fingerprint.

        Only who has the key can show that a mark is theirs; the same job has the same one when it is resumed.
        """
        digest = hmac.new(hashlib.sha256(self.key).digest(), fingerprint.encode(), hashlib.sha256)
        return int.from_bytes(digest.digest()[:4], "big")


def credentials_folder() -> Path:
    """Where this machine's key and certificates lie."""
    return user_data_path("vidgan") / "credentials"


def own_identity(folder: Path | None = None) -> SigningIdentity:
    """This machine's, made at first use.

    The certificate authority is made for this one certificate and its key is not kept, so nothing else
    can ever be signed in its name. Nothing in it says who or where the machine is.

    Raises:
        CredentialsError: the folder cannot be written to, or what is there is damaged.
    """
    folder = folder or credentials_folder()
    path = folder / "signer.pem"
    try:
        if not path.exists():
            _make(folder, path)
        identity = _identity(path.read_bytes(), path)
        if _expired(identity):
            _put_aside(folder, path)
            return own_identity(folder)
    except OSError as exc:
        raise CredentialsError(
            f"{folder}: the key that signs outputs cannot be kept there ({exc.strerror}); make the folder "
            "writable, or use `sign_cert` and `sign_key`, or `credentials=False`"
        ) from exc
    return identity


def own_anchors(folder: Path | None = None) -> str:
    """The certificates, PEM, that vouch for what was signed on this machine; empty before first use."""
    folder = folder or credentials_folder()
    found = []
    for path in sorted(folder.glob("signer*.pem")):
        try:
            found.append(_pem(x509.load_pem_x509_certificates(path.read_bytes())[-1]))
        except (OSError, ValueError):
            continue  # What cannot be read vouches for nothing.
    return "".join(found)


def read_identity(certificate: Path, key: Path) -> SigningIdentity:
    """A certificate, with those that vouch for it, and its key, each a PEM file.

    Raises:
        CredentialsError: they cannot be read, do not belong together, or are not valid today.
    """
    try:
        identity = _identity(certificate.read_bytes() + b"\n" + key.read_bytes(), certificate, key)
    except OSError as exc:
        raise CredentialsError(f"{exc.filename}: cannot be read: {exc.strerror}") from exc
    leaf = x509.load_pem_x509_certificate(identity.chain.encode())
    if _expired(identity):
        raise CredentialsError(
            f"{certificate}: expired on {leaf.not_valid_after_utc:%Y-%m-%d}; use a valid one"
        )
    if leaf.not_valid_before_utc > _now():
        raise CredentialsError(f"{certificate}: is valid only from {leaf.not_valid_before_utc:%Y-%m-%d}")
    return identity


def _identity(pem: bytes, certificate: Path, key: Path | None = None) -> SigningIdentity:
    """The identity in a file, or two, that hold the key and the chain."""
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
    return SigningIdentity(
        "".join(map(_pem, chain)), _private(private), _algorithm(private, key or certificate)
    )


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


def _make(folder: Path, path: Path) -> None:
    """Key and certificates in one file, which appears complete, and once, whoever else makes one."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(folder / "signer.lock"):
        if path.exists():
            return
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(_made())
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def _put_aside(folder: Path, path: Path) -> None:
    """An expired one, whose authority goes on vouching for what it signed."""
    with FileLock(folder / "signer.lock"):
        if path.exists() and _expired(_identity(path.read_bytes(), path)):
            path.replace(folder / f"signer-{_now():%Y%m%d}-{os.getpid()}.pem")


def _made() -> bytes:
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
        .not_valid_before(_now() - _CLOCK_SLACK)
        .not_valid_after(_now() + datetime.timedelta(days=_VALID_DAYS))
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


def _expired(identity: SigningIdentity) -> bool:
    return x509.load_pem_x509_certificate(identity.chain.encode()).not_valid_after_utc <= _now()


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


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
