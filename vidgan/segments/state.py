"""States of a job's steps after a segment, so that a later run continues exactly from there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidgan.errors import OutputError

_SEPARATOR = "/"
_DATA_BYTES = 64_000
"""JSON goes into the journal, line by line; what is larger belongs into arrays."""

Arrays = tuple[NDArray[Any], ...]


@dataclass(frozen=True, kw_only=True)
class JobState:
    """The states of all steps between two frames.

    Attributes:
        arrays: by the name of the step, such as ``"temporal"``: a tuple of arrays of any dtype and shape.
        data: by the name of the step, JSON of its own, such as a tracker's identities.
    """

    arrays: Mapping[str, Arrays] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.arrays or self.data)


def save_arrays(path: Path, arrays: Mapping[str, Arrays]) -> None:
    """Writes the arrays of all steps into one ``.npz`` file, which nobody but its owner may read.

    Who faces became is decided by a secret in the state of de-identification.

    Raises:
        ValueError: a step's name holds the character that separates names from numbers.
    """
    if any(_SEPARATOR in name for name in arrays):
        raise ValueError(f"names of steps hold no {_SEPARATOR!r}, got {sorted(arrays)}")
    named = {
        f"{name}{_SEPARATOR}{number:03}": each
        for name, state in arrays.items()
        for number, each in enumerate(state)
    }
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        np.savez(file, allow_pickle=False, **named)


def load_arrays(path: Path) -> dict[str, Arrays]:
    """The reverse of :func:`save_arrays`."""
    found: dict[str, list[NDArray[Any]]] = {}
    with np.load(path, allow_pickle=False) as arrays:
        for key in sorted(arrays.files):
            found.setdefault(key.split(_SEPARATOR)[0], []).append(arrays[key])
    return {name: tuple(state) for name, state in found.items()}


def check_data(data: Mapping[str, Any], encoded: str) -> None:
    """Refuses data that is too large for a line of the journal.

    Raises:
        OutputError: it is.
    """
    if len(encoded) > _DATA_BYTES:
        raise OutputError(f"the state of {', '.join(data)} has {len(encoded)} bytes of JSON; use arrays")
