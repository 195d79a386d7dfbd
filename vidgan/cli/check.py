"""``vidgan check``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vidgan.errors import InputError, VidganError

if TYPE_CHECKING:
    from vidgan.provenance.check import Provenance
    from vidgan.provenance.report import Ingredient, Manifest

_STATES = {
    "trusted": "credentials  valid, signed by this machine or by a signer that you trust",
    "valid": "credentials  valid, of a signer unknown here: nothing was changed since, but who signed is only a claim",
    "invalid": "credentials  not valid: signed with a certificate that is expired or not fit for it",
    "tampered": "credentials  TAMPERED: the file is not what was signed",
    "damaged": "credentials  DAMAGED: there are some, but they cannot be read",
    "none": "credentials  none",
}

_BROKEN, _UNKNOWN_SIGNER, _MARK_ALONE, _NOTHING = 1, 3, 4, 5
_WORST_FIRST = _BROKEN, _NOTHING, _MARK_ALONE, _UNKNOWN_SIGNER


@click.command()
@click.argument("paths", metavar="FILE|FOLDER...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--trust", type=click.Path(path_type=Path), help="Certificates (PEM) of signers that you trust."
)
@click.option("--search/--no-search", default=True, show_default=True,
              help="Look for the mark in cropped and rotated images too; takes seconds a file.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def check(paths: tuple[Path, ...], trust: Path | None, search: bool, as_json: bool) -> None:
    """Say where files are from: Content Credentials, the mark in the pixels, and tags.

    The exit code is that of the worst file: 0 intact credentials of a trusted signer, 3 of an unknown one, 4 a mark
    in the pixels alone, 5 nothing found, 1 tampered, damaged or unreadable.
    """
    from vidgan.provenance.check import check_file

    found: list[Provenance] = []
    failed = False
    for path in _files(paths):
        try:
            provenance = check_file(path, trust=trust, search=search)
        except InputError as exc:
            failed = True
            click.echo(f"error: {exc}", err=True)
            continue
        found.append(provenance)
        if not as_json:
            click.echo("\n".join([str(path), *(f"  {line}" for line in lines_of(provenance))]))
    if as_json:
        click.echo(json.dumps([each.as_dict() for each in found], indent=2))
    codes = {exit_code(each) for each in found} | ({_BROKEN} if failed else set())
    raise SystemExit(next((code for code in _WORST_FIRST if code in codes), 0))


def exit_code(found: Provenance) -> int:
    """The exit code for one file."""
    if found.credentials != "none":
        return {"trusted": 0, "valid": _UNKNOWN_SIGNER}.get(found.credentials, _BROKEN)
    if found.problems:
        return _BROKEN
    return _NOTHING if found.mark is None else _MARK_ALONE


def lines_of(found: Provenance) -> Iterator[str]:
    """Lines about what was found, for people."""
    beside = f" (in {found.sidecar.name})" if found.sidecar else ""
    yield _STATES[found.credentials] + beside
    for problem in found.problems:
        yield f"problem      {problem}"
    if found.manifest is not None:
        yield from _lines_of_manifest(found.manifest)
    yield _line_of_mark(found)
    for name, value in found.tags.items():
        yield f"tag          {name}: {_clean(value)}"
    if found.credentials == "none" and found.mark is None:
        yield "conclusion   nothing says where it is from; that does not say that it is a recording"
    elif found.credentials == "none":
        yield "conclusion   made by vidgan; its credentials were lost, as by copying the streams into another file"


def _lines_of_manifest(manifest: Manifest) -> Iterator[str]:
    yield f"made by      {manifest.software}"
    yield f"signed by    {manifest.signer}" + (f", {manifest.signed_at}" if manifest.signed_at else "")
    if manifest.source_types:
        yield f"kind         {', '.join(manifest.source_types)}"
    if manifest.actions:
        yield f"actions      {'; '.join(manifest.actions)}"
    yield from _lines_of_steps(manifest.generation.get("steps"))
    if manifest.consent is not None:
        who = f"{manifest.consent.who}, " if manifest.consent.who else ""
        yield f"consent      {manifest.consent.statement} ({who}{manifest.consent.when})"
    yield from _lines_of_ingredients(manifest.ingredients, "made from    ")


def _lines_of_steps(steps: object) -> Iterator[str]:
    for step in steps if isinstance(steps, list) else []:
        for model in step.get("models", []) if isinstance(step, dict) else []:
            if isinstance(model, dict):
                checksum = str(model.get("sha256"))[:16]
                yield f"model        {model.get('name')} ({model.get('license')}), SHA-256 {checksum}…"


def _lines_of_ingredients(ingredients: list[Ingredient], label: str) -> Iterator[str]:
    for each in ingredients:
        own = "no credentials"
        if each.manifest is not None:
            own = f"made by {each.manifest.software or 'unknown'}, signed by {each.manifest.signer}"
        wrong = f"; {', '.join(each.problems)}" if each.problems else ""
        yield f"{label}{each.title or 'unnamed'}: {own}{wrong}"
        if each.manifest is not None:
            yield from _lines_of_ingredients(each.manifest.ingredients, f"{label.rstrip()}  from ")


def _line_of_mark(found: Provenance) -> str:
    mark = found.mark
    if mark is None:
        missing = found.manifest is not None and found.manifest.mark is not None
        return "pixel mark   none found" + (", although the credentials speak of one" if missing else "")
    odds = f"score {mark.score:.1f}, odds of a false alarm below {max(mark.odds, 1e-300):.0e}"
    if mark.kind is None or mark.id is None:
        return f"pixel mark   found, but its bits cannot be read ({odds})"
    agrees = {None: "", True: ", as the credentials say", False: ", NOT that of the credentials"}[
        found.mark_agrees
    ]
    return f"pixel mark   {mark.kind}, id {mark.id:08x}{agrees} ({odds})"


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    from vidgan.provenance.check import media_in

    for path in paths:
        if not path.is_dir():
            yield path
            continue
        inside = media_in(path)
        if not inside:
            raise VidganError(f"{path}: has no videos and no images")
        yield from inside


def _clean(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text)
