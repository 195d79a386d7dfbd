"""Encryption of a vault: scrypt, HKDF-SHA256 and AES-256-GCM in chunks.

The chunks are a STREAM (Hoang, Reyhanitabar, Rogaway and Vizár 2015, "Online Authenticated-Encryption and its
Nonce-Reuse Misuse-Resistance"): the nonce holds the chunk's number and whether it is the last, so that chunks that
are missing, swapped or appended are noticed. Every chunk has a key of its own, made from fresh random bytes, so that
a key and a nonce never meet twice, also where an interrupted job writes a chunk again.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from vidgan.tasks.faces.vault.passcode import Passcode

SALT_BYTES = 16
FRESH_BYTES = 16
TAG_BYTES = 16

_SCRYPT_COST, _SCRYPT_BLOCK, _SCRYPT_PARALLEL = 1 << 17, 8, 1
"""128 MiB and about half a second a guess. Files do not say them, so that none can ask for more."""
_KEY_BYTES = 32


@dataclass(frozen=True)
class VaultKeys:
    """The keys that a passcode and a salt give.

    Attributes:
        crops: encrypts.
        identity: decides which faces of nobody are shown where the passcode is not the right one.
    """

    crops: bytes
    identity: bytes


def new_salt() -> bytes:
    """Random bytes for one vault."""
    return os.urandom(SALT_BYTES)


def derive_keys(passcode: Passcode, salt: bytes) -> VaultKeys:
    """Derives the keys; takes 128 MiB of memory.

    Args:
        salt: 16 bytes, of one vault.
    """
    # Imported where it is needed: the help of all commands loads this module.
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    scrypt = Scrypt(salt=salt, length=_KEY_BYTES, n=_SCRYPT_COST, r=_SCRYPT_BLOCK, p=_SCRYPT_PARALLEL)
    master = scrypt.derive(passcode.data)
    return VaultKeys(_subkey(master, b"vidgan vault crops"), _subkey(master, b"vidgan vault identity"))


def seal(keys: VaultKeys, number: int, data: bytes, public: bytes, *, last: bool) -> bytes:
    """Encrypts a chunk: fresh random bytes, ciphertext and tag.

    Args:
        number: of the chunk, from 0.
        public: what is stored beside it unencrypted, and cannot be changed either.
        last: whether the vault ends with it.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    fresh = os.urandom(FRESH_BYTES)
    return fresh + AESGCM(_subkey(keys.crops, fresh)).encrypt(_nonce(number, last), data, public)


def sealed_bytes(length: int) -> int:
    """Bytes of so many once they are sealed."""
    return FRESH_BYTES + length + TAG_BYTES


def unseal(keys: VaultKeys, number: int, sealed: bytes, public: bytes, *, last: bool) -> bytes | None:
    """The reverse of :func:`seal`; None for another key, or where anything was changed."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    fresh, ciphertext = sealed[:FRESH_BYTES], sealed[FRESH_BYTES:]
    if len(ciphertext) < TAG_BYTES:
        return None
    try:
        return AESGCM(_subkey(keys.crops, fresh)).decrypt(_nonce(number, last), ciphertext, public)
    except InvalidTag:
        return None


def _subkey(key: bytes, purpose: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=purpose).derive(key)


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
