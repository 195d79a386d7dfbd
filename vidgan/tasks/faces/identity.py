"""Who a face becomes: numbers that a secret and the track's number decide, and nothing else."""

import hashlib
import hmac
import os
from pathlib import Path

import numpy as np

from vidgan.errors import InputError
from vidgan.tasks.faces.box import Floats

SALT_VARIABLE = "VIDGAN_SALT"

_LEAST_SALT = 16
_ALIKE = 0.35
"""Cosine of the codes of two people above which they might look alike."""
_ATTEMPTS = 64
_BLOCK = 32


def read_secret(salt: Path | None) -> bytes:
    """32 bytes of a file, of the environment's ``VIDGAN_SALT``, or random ones.

    Raises:
        InputError: the file cannot be read, or is too short to be a secret.
    """
    source, data = f"the environment's {SALT_VARIABLE}", os.environ.get(SALT_VARIABLE, "").encode()
    if salt is not None:
        source = str(salt)
        try:
            data = salt.read_bytes()
        except OSError as exc:
            raise InputError(f"{salt}: cannot read the salt: {exc.strerror or exc}") from exc
    elif not data:
        return os.urandom(_BLOCK)
    if len(data) < _LEAST_SALT:
        raise InputError(f"{source}: a salt has at least {_LEAST_SALT} bytes, so that nobody can guess it")
    return hashlib.sha256(data).digest()


class Identities:
    """The codes of the tracks of a video; different tracks get different ones.

    Args:
        secret: whoever has it could tell which faces are of one track, and never whose they were.
        count: numbers of a code.
    """

    def __init__(self, secret: bytes, count: int) -> None:
        self._secret, self._count = secret, count
        self._known: list[Floats] = []

    def of(self, track: int) -> Floats:
        """The code of a track, ``(count,)`` float32, standard normal.

        Args:
            track: its number, from 1.
        """
        while len(self._known) < track:
            self._known.append(self._next())
        return self._known[track - 1]

    def _next(self) -> Floats:
        track = len(self._known) + 1
        others = np.array(self._known, np.float32).reshape(-1, self._count)
        for attempt in range(_ATTEMPTS):
            code = normal_numbers(self._secret, f"{track}/{attempt}", self._count)
            lengths = np.linalg.norm(others, axis=1) * np.linalg.norm(code)
            if not (others @ code > _ALIKE * lengths).any():
                break
        return code


def normal_numbers(secret: bytes, label: str, count: int) -> Floats:
    """Standard normal numbers from HMAC-SHA256 in counter mode, ``(count,)`` float32.

    Two 53-bit fractions of the stream become two numbers (Box and Muller 1958), so that a salt gives the same
    faces in any version of any library.
    """
    needed = -(-count // 2) * 2 * 8
    stream = b"".join(
        hmac.digest(secret, f"{label}/{block}".encode(), "sha256") for block in range(-(-needed // _BLOCK))
    )
    fractions = (np.frombuffer(stream[:needed], ">u8") >> np.uint64(11)).astype(np.float64) / 2**53
    radius = np.sqrt(-2 * np.log(1 - fractions[0::2]))
    angle = 2 * np.pi * fractions[1::2]
    numbers = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).ravel()
    return numbers[:count].astype(np.float32)
