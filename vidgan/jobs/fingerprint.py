"""Fingerprints of inputs and models."""

import hashlib
from pathlib import Path

from vidgan.models.registry import ModelSpec
from vidgan.sources import images_in

FileFingerprint = tuple[int, int]
"""Bytes, and when it was last written to, in nanoseconds."""


def file_fingerprint(path: Path) -> FileFingerprint:
    """The fingerprint of a file, or of a folder of images: it changes when the content is replaced."""
    stats = [each.stat() for each in (images_in(path) if path.is_dir() else [path])]
    return sum(each.st_size for each in stats), max((each.st_mtime_ns for each in stats), default=0)


def checksum(*models: ModelSpec) -> str:
    """SHA-256 of the models' files."""
    digest = hashlib.sha256()
    for model in models:
        for each in (model, model.planar):
            digest.update(each.file.data if each is not None else b"")
    return digest.hexdigest()
