"""What tells one input, or one model, from another."""

import hashlib
from pathlib import Path

from vidgan.model import ModelSpec

Identity = tuple[int, int]
"""Bytes, and when it was last written to, in nanoseconds."""


def identity(path: Path) -> Identity:
    """What tells a file from one that took its place."""
    facts = path.stat()
    return facts.st_size, facts.st_mtime_ns


def checksum(model: ModelSpec) -> str:
    """SHA-256 of the model's file."""
    return hashlib.sha256(model.file.data).hexdigest()
