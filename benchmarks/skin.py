"""Hue of skin on colorized portraits.

``python -m benchmarks.skin PHOTOS``: faces are found in the photos, and what a colorizer makes of their gray is
compared with the hues that skin has in all of the photos.
"""

from collections.abc import Iterator
from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan import load_model
from vidgan.media.image import RgbImage
from vidgan.sources import images_in
from vidgan.sources.image import read_image
from vidgan.tasks.colorize.effect import predicted
from vidgan.tasks.colorize.lab import enlarged, lightness_of
from vidgan.tasks.faces.finder import FaceFinder, FoundFace

Mask = NDArray[np.bool_]
Plane = NDArray[np.float32]

_FOUND_AT = 320
_INNER = 0.4
"""Half axes of the ellipse that is taken for skin, per side of the box."""
_FEATURE = 0.28
"""Radius around eyes and mouth that is left out, per distance of the eyes."""
_LEAST_CHROMA = 4.0
"""Distance from gray below which a pixel has no hue; it counts as wrong."""
_RANGE = 1, 99
"""Percentiles of the hues of all skin that are its range."""


def skin_mask(face: FoundFace, height: int, width: int) -> Mask:
    """Forehead, cheeks, nose and chin of a face, ``(H, W)``."""
    mask = np.zeros((height, width), np.uint8)
    column, row, *sides = (round(float(each)) for each in face.box)
    axes = [round(_INNER * each) for each in sides]
    cv2.ellipse(mask, (column, row), axes, 0, 0, 360, 1, -1)
    eyes, mouth = face.points[:2], face.points[3:]
    radius = round(_FEATURE * float(np.linalg.norm(eyes[0] - eyes[1])))
    for x, y in (*eyes, *mouth, mouth.mean(0)):
        cv2.circle(mask, (round(float(x)), round(float(y))), radius, 0, -1)
    return mask > 0


def hues(chroma: Plane) -> Plane:
    """Degrees of a and b ``(N, 2)``; NaN for what is nearly gray."""
    degrees = np.degrees(np.arctan2(chroma[:, 1], chroma[:, 0]))
    return np.where(np.linalg.norm(chroma, axis=1) < _LEAST_CHROMA, np.nan, degrees).astype(np.float32)


def skin_range(target: Plane) -> tuple[float, float]:
    """The hues that skin has."""
    low, high = np.nanpercentile(target, _RANGE)
    return float(low), float(high)


def share_within(found: Plane, bounds: tuple[float, float]) -> float:
    """Share of pixels whose hue is within the bounds."""
    return float(((found >= bounds[0]) & (found <= bounds[1])).mean())


@click.command()
@click.argument("photos", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-m", "--model", default="colorize", show_default=True)
@click.option("--count", type=int, default=50, show_default=True, help="Faces.")
def cli(photos: Path, model: str, count: int) -> None:
    """Share of skin's pixels, of all faces and of the worst tenth of them, whose hue skin has in the photos."""
    pairs = list(_skins(photos, model, count))
    bounds = skin_range(np.concatenate([target for target, _ in pairs]))
    click.echo(f"{len(pairs)} faces; skin has hues of {bounds[0]:.0f} to {bounds[1]:.0f} degrees")
    click.echo("| | all | worst tenth of faces |\n|---|---|---|")
    for name, skins in (
        ("target", [target for target, _ in pairs]),
        (model, [made for _, made in pairs]),
    ):
        shares = sorted(share_within(each, bounds) for each in skins)
        worst = shares[: max(1, len(shares) // 10)]
        everywhere = share_within(np.concatenate(skins), bounds)
        click.echo(f"| {name} | {everywhere:.1%} | {np.mean(worst):.1%} |")


def _skins(photos: Path, model: str, count: int) -> Iterator[tuple[Plane, Plane]]:
    """True and predicted hues of the skin of each face."""
    session = load_model(model, "colorize", device="cpu")
    side = session.spec.side
    finder = FaceFinder(_FOUND_AT)
    for path in images_in(photos):
        pixels = read_image(path).pixels
        faces = finder.find(RgbImage(pixels))
        if not faces:
            continue
        mask = skin_mask(faces[0], *pixels.shape[:2])
        _, small = predicted(session, lightness_of(pixels), side)
        made = enlarged(small, *pixels.shape[:2]).astype(np.float32) - 128
        target = cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)[..., 1:]
        yield hues(target[mask]), hues(made[mask])
        count -= 1
        if count == 0:
            return


if __name__ == "__main__":
    cli()
