"""Passcodes: never an argument of a command, never in a journal, a report or a message."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path
from typing import Any

from vidgan.errors import InputError
from vidgan.tasks.options import Flag, option

PASSCODE_VARIABLE = "VIDGAN_PASSCODE"
LEAST_CHARACTERS = 8

_MOST_BYTES = 1 << 16


class Passcode:
    """A passcode, or one that still has to be asked for.

    Args:
        text: at least 8 characters; None where somebody has to be asked.

    Raises:
        InputError: it is too short.
    """

    def __init__(self, text: str | None) -> None:
        if text is not None and len(text) < LEAST_CHARACTERS:
            raise InputError(f"a passcode has at least {LEAST_CHARACTERS} characters")
        self._text = text

    @classmethod
    def from_file(cls, path: Path) -> Passcode:
        """Reads the first line of a file.

        Raises:
            InputError: it cannot be read, or is too short.
        """
        try:
            with path.open(encoding="utf-8") as file:
                line = file.readline(_MOST_BYTES)
        except (OSError, UnicodeDecodeError) as exc:
            reason = getattr(exc, "strerror", None) or "it is not UTF-8 text"
            raise InputError(f"{path}: cannot read the passcode: {reason}") from exc
        try:
            return cls(line.rstrip("\r\n"))
        except InputError as exc:
            raise InputError(f"{path}: {exc}") from None

    @classmethod
    def from_environment(cls) -> Passcode:
        """The text of ``VIDGAN_PASSCODE``; without one, somebody has to be asked.

        Raises:
            InputError: it is too short.
        """
        text = os.environ.get(PASSCODE_VARIABLE)
        try:
            return cls(text or None)
        except InputError as exc:
            raise InputError(f"the environment's {PASSCODE_VARIABLE}: {exc}") from None

    @property
    def is_known(self) -> bool:
        return self._text is not None

    @property
    def data(self) -> bytes:
        """UTF-8 in normal form C, so that a passcode is the same on every keyboard.

        Raises:
            InputError: it was not asked for.
        """
        if self._text is None:
            raise InputError(
                f"a passcode is needed: `passcode` takes the path of a file with it, or set {PASSCODE_VARIABLE}"
            )
        return unicodedata.normalize("NFC", self._text).encode()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Passcode) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "Passcode(…)" if self.is_known else "Passcode(None)"


def as_passcode(value: Any) -> Passcode:
    """A passcode of a text, a file's path, or True for the environment's.

    Raises:
        InputError: see :class:`Passcode`.
        TypeError: it is something else.
    """
    if isinstance(value, Passcode):
        return value
    if isinstance(value, Path):
        return Passcode.from_file(value)
    if value is True:
        return Passcode.from_environment()
    if not isinstance(value, str):
        raise TypeError("must be a text, the path of a file with one, or True for the environment's")
    return Passcode(value)


def passcode_option(help: str) -> Any:
    """The option of a task's settings for a passcode, which the command line asks for.

    Args:
        help: of ``--passcode``.
    """
    where = f"{PASSCODE_VARIABLE} in the environment goes before."
    flags = [
        Flag(
            name="passcode-file",
            type=Path,
            metavar="FILE",
            heading="Faces",
            help="File whose first line is the passcode.",
        )
    ]
    flags.insert(0, Flag(name="passcode", type=bool, heading="Faces", help=f"{help} {where}"))
    return option(
        None,
        flags=flags,
        gather=lambda given: as_passcode(given.get("passcode_file", given.get("passcode"))),
        convert=as_passcode,
        to_json=lambda _: True,
        from_json=lambda _: Passcode.from_environment(),
        doc="A text of at least 8 characters, the path of a file with one, or True for the environment's.",
    )
