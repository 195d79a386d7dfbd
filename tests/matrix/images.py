"""Inputs that are images."""

from pathlib import Path

import cv2

from tests.support.clips import scene

from .media import FRAMES, SIZE
from .patterns import transparent


def image(folder: Path, name: str, *, alpha: bool = False) -> Path:
    """The scene, or :func:`transparent`, in an image file."""
    pixels = transparent(0, *SIZE) if alpha else scene(0, *SIZE)
    order = cv2.COLOR_RGBA2BGRA if alpha else cv2.COLOR_RGB2BGR
    cv2.imwrite(str(folder / name), cv2.cvtColor(pixels, order))
    return folder / name


def numbered_images(folder: Path) -> Path:
    """A folder of PNGs, numbered from 1."""
    (place := folder / "in").mkdir()
    for index in range(FRAMES):
        cv2.imwrite(str(place / f"{index + 1}.png"), scene(index, *SIZE)[..., ::-1])
    return place


def turned_jpeg(folder: Path) -> Path:
    """A JPEG that its EXIF turns by 90 degrees clockwise."""
    path = image(folder, "in.jpg")
    exif = (
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01"  # one entry
        b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"  # orientation 6
    )
    data = path.read_bytes()
    path.write_bytes(data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:])
    return path
