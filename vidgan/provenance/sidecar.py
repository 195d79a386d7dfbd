"""A manifest beside a file whose format cannot hold one."""

from pathlib import Path

from vidgan.errors import OutputError
from vidgan.segments.journal import exists

SIDECAR_SUFFIX = ".c2pa"


def sidecar_of(name: Path) -> Path:
    """``clip.mkv`` → ``clip.mkv.c2pa``."""
    return name.with_name(name.name + SIDECAR_SUFFIX)


def place_sidecar(sidecar: Path | None, name: Path) -> None:
    """Gives a sidecar its name, and takes away one of an earlier file of that name.

    To be called right before the file itself gets its name: a sidecar without its file says nothing false.

    Raises:
        OutputError: it cannot be written.
    """
    place = sidecar_of(name)
    try:
        if sidecar is not None:
            sidecar.replace(place)
        elif exists(place):
            place.unlink()
    except OSError as exc:
        raise OutputError(f"{place}: cannot be written: {exc.strerror}") from exc
