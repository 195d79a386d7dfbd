"""Reads what a file says of itself, and whether that can be believed."""

from __future__ import annotations

import mmap
import re
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from vidgan.errors import CredentialsError, InputError, InputNotFoundError
from vidgan.media.address import not_found
from vidgan.media.yuv import Plane
from vidgan.provenance.credentials import read_manifest
from vidgan.provenance.mark_reading import MarkReading, detect
from vidgan.provenance.media_types import MEDIA_SUFFIXES
from vidgan.provenance.report import Manifest, active_manifest, failures, in_words
from vidgan.provenance.signing_identity import own_anchors
from vidgan.sources import is_still, open_source
from vidgan.sources.container import open_container
from vidgan.sources.vault import find_vault

CredentialState = Literal["trusted", "valid", "invalid", "tampered", "damaged", "none"]
"""State of credentials: signed by somebody known here; by somebody unknown; by a certificate that is expired or unfit;
changed after signing; not readable; not there."""

_TAGS = ("digital_source_type", "provenance")
_SOURCE_TYPE = re.compile(rb"DigitalSourceType[^\w]{1,8}(?:rdf:resource=\")?http[s]?://[\w./]*/(\w{1,60})")
"""In XMP, as cameras, generators and editors write it."""
_SEEN_FRAMES, _FRAME_STEP = 16, 12
"""Frames in which the mark is looked for, and how far they are apart: 8 seconds at 24 a second."""
_BY_SIGNER = {"signingCredential.expired", "signingCredential.invalid", "signingCredential.ocsp.revoked"}


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Result of :func:`check_file`.

    Attributes:
        path: the file.
        credentials: see :data:`CredentialState`.
        problems: what is wrong, in words.
        manifest: what the credentials say; None if there are none that can be read.
        sidecar: the file that they were in, if not the media file itself.
        mark: the mark in the pixels; None if there is none.
        vault: whether it has encrypted faces with it, which ``vidgan reveal`` brings back with their passcode.
        tags: what the container, or XMP in an image, says of its provenance. Anybody can write these.
    """

    path: Path
    credentials: CredentialState
    problems: list[str] = field(default_factory=list)
    manifest: Manifest | None = None
    sidecar: Path | None = None
    mark: MarkReading | None = None
    vault: bool = False
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def intact(self) -> bool:
        """Whether something says where the file is from, and nothing about it is wrong."""
        return self.credentials in ("trusted", "valid") or (
            self.credentials == "none" and self.mark is not None
        )

    @property
    def mark_agrees(self) -> bool | None:
        """Whether the pixels say what the credentials say they should; None where not both can be read."""
        said = self.manifest.mark if self.manifest else None
        if said is None or self.mark is None or self.mark.id is None:
            return None
        return (said.kind, said.id) == (self.mark.kind, self.mark.id)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        sidecar = None if self.sidecar is None else str(self.sidecar)
        more = {
            "path": str(self.path),
            "sidecar": sidecar,
            "intact": self.intact,
            "mark_agrees": self.mark_agrees,
        }
        return {**asdict(self), **more}


def check_file(path: str | Path, *, trust: Path | None = None, search: bool = True) -> Provenance:
    """Reads credentials, the mark in the pixels, and tags.

    Args:
        path: a video or an image.
        trust: PEM file of certificates whose signatures count as trusted, beside this machine's own.
        search: look for the mark also in images that were cropped or rotated; takes seconds where there is none.

    Raises:
        InputNotFoundError: there is no such file.
        InputError: it is no file, or cannot be read.
        CredentialsError: ``trust`` cannot be read, or c2pa-python is missing.
    """
    path = Path(path)
    if not path.exists():
        raise InputNotFoundError(not_found(path))
    if not path.is_file():
        raise InputError(f"{path}: is not a file")
    anchors = own_anchors() + (_anchors(trust) if trust else "")
    problems: list[str] = []
    state, manifest, sidecar = _credentials(path, anchors, problems)
    try:
        mark = detect(_lumas(path), search=search)
        tags = _tags(path)
    except InputError as exc:
        mark, tags = None, {}
        problems.append(f"its frames cannot be read ({str(exc).removeprefix(f'{path}: ')})")
    return Provenance(
        path=path,
        credentials=state,
        problems=problems,
        manifest=manifest,
        sidecar=sidecar,
        mark=mark,
        vault=find_vault(path) is not None,
        tags=tags,
    )


def media_in(folder: Path) -> list[Path]:
    """Lists videos and images in a folder and those below it; sidecars and hidden files are none."""
    return sorted(
        each
        for each in folder.rglob("*")
        if each.suffix.lower() in MEDIA_SUFFIXES and each.is_file() and not each.name.startswith(".")
    )


def _credentials(
    path: Path, anchors: str, problems: list[str]
) -> tuple[CredentialState, Manifest | None, Path | None]:
    try:
        found = read_manifest(path, anchors)
    except CredentialsError as exc:
        if exc.__cause__ is not None and isinstance(exc.__cause__, ImportError):
            raise
        problems.append(str(exc).removeprefix(f"{path}: "))
        return "damaged", None, None
    except OSError as exc:
        raise InputError(f"{path}: cannot be read: {exc.strerror}") from exc
    if found is None:
        return "none", None, None
    store, sidecar = found
    codes = failures(store)
    problems.extend(in_words(codes))
    return _state(str(store.get("validation_state")), codes), active_manifest(store), sidecar


def _state(said: str, codes: list[str]) -> CredentialState:
    if said == "Trusted":
        return "trusted"
    if said == "Valid":
        return "valid"
    return "invalid" if codes and set(codes) <= _BY_SIGNER else "tampered"


def _anchors(path: Path) -> str:
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as exc:
        raise CredentialsError(f"{path}: cannot be read as certificates, PEM") from exc
    if "BEGIN CERTIFICATE" not in text:
        raise CredentialsError(f"{path}: holds no certificate, as PEM")
    return text


def _lumas(path: Path) -> list[Plane]:
    """Luma of frames from the beginning of a video, some time apart."""
    with open_source(path, yuv=True) as source:
        frames = islice(source, 0, _SEEN_FRAMES * _FRAME_STEP, _FRAME_STEP)
        return [frame.over_black().image.yuv().luma for frame in frames]


def _tags(path: Path) -> dict[str, str]:
    if is_still(path):
        found = _xmp_source_type(path)
        return {"DigitalSourceType": found} if found else {}
    with open_container(path) as container:
        tags = {key.lower(): str(value) for key, value in container.metadata.items()}
    return {key: tags[key][:500] for key in _TAGS if key in tags}


def _xmp_source_type(path: Path) -> str | None:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        found = _SOURCE_TYPE.search(data)
        return found.group(1).decode("ascii") if found else None
