"""``vidgan check``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vidgan.cli.messages import error
from vidgan.errors import InputError, VidganError

if TYPE_CHECKING:
    from vidgan.provenance.check import Provenance

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
    from vidgan.provenance.description import describe

    found: list[Provenance] = []
    failed = False
    for path in _files(paths):
        try:
            provenance = check_file(path, trust=trust, search=search)
        except InputError as exc:
            failed = True
            error(exc)
            continue
        found.append(provenance)
        if not as_json:
            lines = (f"  {label:<12} {text}" for label, text in describe(provenance))
            click.echo("\n".join([str(path), *lines]))
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
