"""Content Credentials: a signed manifest, as C2PA has it, in a finished file or beside it."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidgan.errors import CredentialsError
from vidgan.provenance.c2pa_sdk import c2pa, context
from vidgan.provenance.manifest import PARENT, Facts, SourceType, manifest_of
from vidgan.provenance.manifest_boxes import holds_only_text
from vidgan.provenance.media_types import content_type, holds_manifest, is_embedded, media_type
from vidgan.provenance.report import UNKNOWN_SIGNER
from vidgan.provenance.sidecar import sidecar_of
from vidgan.provenance.signing_identity import SigningIdentity
from vidgan.sources import images_in

_GENERATOR = {"claim_generator_info": [{"name": "vidgan"}]}
_TRIAL = {
    **_GENERATOR,
    "assertions": [
        {
            "label": "c2pa.actions.v2",
            "data": {"actions": [{"action": "c2pa.created", "digitalSourceType": str(SourceType.TRAINED)}]},
        }
    ],
}
"""A manifest that is signed first of all, to see whether that works, and thrown away."""

_SEARCHED_BYTES = 1 << 16
"""Bytes of an image among which its manifest begins if it has one."""


@dataclass(frozen=True, slots=True)
class _Ingredient:
    """The input as manifests have it.

    Attributes:
        archive: with its own manifests.
        facts: what else is known of it.
        warnings: what was wrong with it.
    """

    archive: bytes
    facts: Mapping[str, Any]
    warnings: list[str]


class Credentials:
    """Signs what one job makes.

    Args:
        facts: what the manifests say.
        identity: what signs.

    Attributes:
        warnings: sentences for the user on the input's own manifest, complete after the first output.

    Raises:
        CredentialsError: c2pa-python is missing, or refuses the key or certificate.
    """

    def __init__(self, facts: Facts, identity: SigningIdentity) -> None:
        self.facts = facts
        self.warnings: list[str] = []
        self._context = context()
        self._ingredient: _Ingredient | None = None
        with _signing("the key and certificate"):
            info = c2pa().C2paSignerInfo(
                identity.algorithm.encode(), identity.chain.encode(), identity.key, None
            )
            self._signer = c2pa().Signer.from_info(info)
            # c2pa looks at the certificate only when it signs; videos take hours, so let it do so now.
            self._sign_stream("application/octet-stream", io.BytesIO(b"\0"), io.BytesIO(), {}, embedded=False)

    def sign(self, part: Path, name: Path) -> Path | None:
        """Signs a finished file before it gets its name.

        Args:
            part: the file, which is replaced by a signed one where its format can hold a manifest.
            name: that it will have; its suffix says the format.

        Returns:
            The sidecar for ``name``, still under a name of its own, for
            :func:`vidgan.provenance.sidecar.place_sidecar`; None for a file that holds its manifest itself.

        Raises:
            CredentialsError: it cannot be signed; ``part`` is as it was.
        """
        if self._ingredient is None and self.facts.input is not None:
            self._ingredient = _read_ingredient(self.facts.input, self._context, self.facts.hides_faces)
            self.warnings += self._ingredient.warnings
        kind = media_type(name)
        input_facts = self._ingredient.facts if self._ingredient else {}
        definition = manifest_of(self.facts, name, kind, input_facts)
        embedded = is_embedded(name)
        written = part.with_name(f"{part.name}.{'signed' if embedded else 'c2pa'}")
        try:
            with _signing(str(name)), part.open("rb") as source:
                if embedded:
                    with written.open("w+b") as target:
                        self._sign_stream(kind, source, target, definition, embedded=True)
                    written.replace(part)
                    return None
                with open(os.devnull, "w+b") as target:
                    written.write_bytes(self._sign_stream(kind, source, target, definition, embedded=False))
                return written
        except BaseException:
            written.unlink(missing_ok=True)
            raise

    def _sign_stream(
        self, kind: str, source: Any, target: Any, definition: dict[str, Any], *, embedded: bool
    ) -> bytes:
        builder = c2pa().Builder(definition or _TRIAL, self._context)
        if not embedded:
            builder.set_no_embed()
        if definition and self._ingredient is not None:
            builder.add_ingredient_from_archive(io.BytesIO(self._ingredient.archive))
        return bytes(builder.sign(self._signer, kind, source, target))


def read_manifest(path: Path, anchors: str = "") -> tuple[dict[str, Any], Path | None] | None:
    """The manifest store of a file, validated, as c2pa says it in JSON; and the sidecar that it was in.

    Raises:
        CredentialsError: it is there and cannot be read.
        OSError: the file cannot be.
    """
    sidecar = sidecar_of(path)
    try:
        found = _read(path, None, context(anchors)) if holds_manifest(path) else None
        if found is not None or not sidecar.is_file():
            return None if found is None else (found, None)
        found = _read(path, sidecar, context(anchors))
        return None if found is None else (found, sidecar)
    except c2pa().C2paError as exc:
        raise CredentialsError(f"{path}: its credentials are damaged: {_words(exc)}") from exc


def _read(path: Path, sidecar: Path | None, settings: Any) -> dict[str, Any] | None:
    data = None if sidecar is None else sidecar.read_bytes()
    with path.open("rb") as stream:
        try:
            with c2pa().Reader(content_type(path), stream, data, context=settings) as reader:
                return dict(json.loads(reader.json()))
        except c2pa().C2paError.ManifestNotFound:
            return None
        except c2pa().C2paError.NotSupported:
            return None


def _read_ingredient(path: Path, settings: Any, hides_faces: bool) -> _Ingredient:
    """The input, with its manifests where it has any; those that may show faces are left out if they are hidden."""
    if path.is_dir():
        return _folder_ingredient(path, settings)
    facts = {"name": path.name, "bytes": path.stat().st_size, "sha256": _sha256(path)}
    base = {"title": path.name, "relationship": "parentOf", "label": PARENT, "format": content_type(path)}
    try:
        archive = _archive_with_manifest(path, base, settings)
    except c2pa().C2paError as exc:
        warning = f"{path}: its credentials are damaged and could not be carried over: {_words(exc)}"
        return _Ingredient(_archive_of(base, settings), {**facts, "damaged_credentials": True}, [warning])
    if hides_faces and not holds_only_text(archive):
        warning = f"{path}: its credentials may show the faces, in thumbnails, and are not carried over"
        return _Ingredient(_archive_of(base, settings), {**facts, "credentials_left_out": True}, [warning])
    return _Ingredient(archive, facts, _said_of(path, archive, settings))


def _archive_with_manifest(path: Path, base: dict[str, str], settings: Any) -> bytes:
    sidecar = sidecar_of(path)
    if not holds_manifest(path) and sidecar.is_file():
        found = _read(path, sidecar, settings)
        if found is not None:
            definition = {
                **base,
                "manifest_data": {"format": "application/c2pa", "identifier": "manifest"},
                "active_manifest": found["active_manifest"],
                "validation_results": found["validation_results"],
            }
            return _archive_of(definition, settings, sidecar.read_bytes())
    if not holds_manifest(path):
        return _archive_of(base, settings)
    builder = c2pa().Builder(_GENERATOR, settings)
    with path.open("rb") as stream:
        builder.add_ingredient(base, content_type(path), stream)
    return _archived(builder)


def _archive_of(definition: dict[str, Any], settings: Any, manifest: bytes | None = None) -> bytes:
    builder = c2pa().Builder({**_GENERATOR, "ingredients": [definition]}, settings)
    if manifest is not None:
        builder.add_resource("manifest", io.BytesIO(manifest))
    return _archived(builder)


def _archived(builder: Any) -> bytes:
    stream = io.BytesIO()
    builder.write_ingredient_archive(PARENT, stream)
    return stream.getvalue()


def _folder_ingredient(folder: Path, settings: Any) -> _Ingredient:
    images = images_in(folder)
    signed = sum(map(_looks_signed, images))
    facts: dict[str, Any] = {"name": folder.absolute().name, "images": len(images)}
    warnings = []
    if signed:
        facts["images_with_credentials"] = signed
        warnings = [
            f"{folder}: {signed} of its {len(images)} images have credentials of their own, "
            "which are counted in those of the output, not carried over"
        ]
    base = {"title": folder.absolute().name, "relationship": "parentOf", "label": PARENT}
    return _Ingredient(_archive_of(base, settings), facts, warnings)


def _looks_signed(image: Path) -> bool:
    with image.open("rb") as file:
        return b"c2pa" in file.read(_SEARCHED_BYTES)


def _said_of(path: Path, archive: bytes, settings: Any) -> list[str]:
    """Warnings about the credentials of an input that no longer fit it."""
    with c2pa().Reader("application/c2pa", io.BytesIO(archive), context=settings) as reader:
        store = json.loads(reader.json())
    (ingredient,) = store["manifests"][store["active_manifest"]]["ingredients"]
    failures = ingredient.get("validation_results", {}).get("activeManifest", {}).get("failure", [])
    codes = {each["code"] for each in failures} - {UNKNOWN_SIGNER}
    if not codes:
        return []
    return [
        f"{path}: was changed after it was signed ({', '.join(sorted(codes))}); its credentials are carried as such"
    ]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _signing(what: str) -> Iterator[None]:
    try:
        yield
    except c2pa().C2paError as exc:
        raise CredentialsError(
            f"{what}: cannot be signed: {_words(exc)}; `credentials=False` leaves it out"
        ) from exc
    except OSError as exc:
        raise CredentialsError(f"{what}: cannot be signed: {exc.strerror or exc}") from exc


def _words(exc: Exception) -> str:
    """The library's own, on one line and without the name of its class twice."""
    return " ".join(str(exc).split()) or type(exc).__name__.strip("_")
