"""The key that manifests are signed with, and the certificates that say whose it is."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import hmac
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock
from platformdirs import user_data_path

from vidgan.errors import CredentialsError

_CHECK = "signer.json"


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
    return _checked_before(folder) or _checked(folder)


def _checked(folder: Path) -> SigningIdentity:
    from vidgan.provenance.certificates import chain_and_key, validity_of

    path = folder / "signer.pem"
    try:
        if not path.exists():
            _make(folder, path)
        pem = path.read_bytes()
        identity = SigningIdentity(*chain_and_key(pem, path))
        _, expires = validity_of(identity.chain)
        if expires <= _now():
            _put_aside(folder, path)
            return _checked(folder)
    except OSError as exc:
        raise CredentialsError(
            f"{folder}: the key that signs outputs cannot be kept there ({exc.strerror}); make the folder "
            "writable, or use `sign_cert` and `sign_key`, or `credentials=False`"
        ) from exc
    _note_check(folder, pem, identity, expires)
    return identity


def own_anchors(folder: Path | None = None) -> str:
    """The certificates, PEM, that vouch for what was signed on this machine; empty before first use."""
    from vidgan.provenance.certificates import authority_in

    folder = folder or credentials_folder()
    found = []
    for path in sorted(folder.glob("signer*.pem")):
        try:
            found.append(authority_in(path.read_bytes()))
        except (OSError, ValueError):
            continue  # What cannot be read vouches for nothing.
    return "".join(found)


def read_identity(certificate: Path, key: Path) -> SigningIdentity:
    """A certificate, with those that vouch for it, and its key, each a PEM file.

    Raises:
        CredentialsError: they cannot be read, do not belong together, or are not valid today.
    """
    from vidgan.provenance.certificates import chain_and_key, validity_of

    try:
        pem = certificate.read_bytes() + b"\n" + key.read_bytes()
    except OSError as exc:
        raise CredentialsError(f"{exc.filename}: cannot be read: {exc.strerror}") from exc
    identity = SigningIdentity(*chain_and_key(pem, certificate, key))
    begins, expires = validity_of(identity.chain)
    if expires <= _now():
        raise CredentialsError(f"{certificate}: expired on {expires:%Y-%m-%d}; use a valid one")
    if begins > _now():
        raise CredentialsError(f"{certificate}: is valid only from {begins:%Y-%m-%d}")
    return identity


def _make(folder: Path, path: Path) -> None:
    """Key and certificates in one file, which appears complete, and once, whoever else makes one."""
    from vidgan.provenance.certificates import new_identity

    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(folder / "signer.lock"):
        if path.exists():
            return
        _write(path, new_identity())


def _write(path: Path, data: bytes) -> None:
    """A file that only its owner may read, complete or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _put_aside(folder: Path, path: Path) -> None:
    """An expired one, whose authority goes on vouching for what it signed."""
    from vidgan.provenance.certificates import chain_and_key, validity_of

    with FileLock(folder / "signer.lock"):
        if not path.exists():
            return
        chain, _, _ = chain_and_key(path.read_bytes(), path)
        if validity_of(chain)[1] <= _now():
            path.replace(folder / f"signer-{_now():%Y%m%d}-{os.getpid()}.pem")


def _note_check(folder: Path, pem: bytes, identity: SigningIdentity, expires: datetime.datetime) -> None:
    """Keeps what was found in a file, so that later processes need not import what finds it."""
    chain = identity.chain.encode()
    if pem != chain + identity.key:
        return  # Not as vidgan writes it.
    found = {
        "sha256": hashlib.sha256(pem).hexdigest(),
        "chain_bytes": len(chain),
        "algorithm": identity.algorithm,
        "expires": expires.isoformat(),
    }
    with contextlib.suppress(OSError):
        _write(folder / _CHECK, json.dumps(found).encode())


def _checked_before(folder: Path) -> SigningIdentity | None:
    """The identity in the file, if that is the one that was checked and has not expired since."""
    try:
        found = json.loads((folder / _CHECK).read_bytes())
        pem = (folder / "signer.pem").read_bytes()
        if (
            found["sha256"] != hashlib.sha256(pem).hexdigest()
            or datetime.datetime.fromisoformat(found["expires"]) <= _now()
        ):
            return None
        length = int(found["chain_bytes"])
        return SigningIdentity(pem[:length].decode(), pem[length:], str(found["algorithm"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
