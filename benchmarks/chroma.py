"""How chroma, made at a model's size, is best enlarged to that of an image.

``python -m benchmarks.chroma PHOTOS``: plain ways, and such as follow the edges of lightness. True chroma,
made small, tells how much of it each keeps; a model's, what becomes of colors that are guesses.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan import load_model
from vidgan.sources import images_in
from vidgan.sources.image import read_image
from vidgan.tasks.colorize.lab import lightness_of

Plane = NDArray[np.float32]
Way = Callable[[Plane, Plane], Plane]
"""Lightness ``(H, W)`` and chroma ``(h, w, 2)``, as CIE Lab has them → chroma ``(H, W, 2)``."""
_Values = TypeVar("_Values", bound=np.generic)

_EDGES = 0.1
"""Share of pixels where true chroma changes most."""
_NEAR = 0.5
"""Pixels of a model, the standard deviation over which neighbors count, and ..."""
_ALIKE = 10.0
"""... of lightness."""
_FLAT = 25.0
"""Variance of lightness up to which there is no edge."""
_PALE = 50.0
"""Variance of chroma up to which there is none."""


def plain(how: int) -> Way:
    return lambda lightness, chroma: _resized(chroma, lightness, how)


def blurred(lightness: Plane, chroma: Plane) -> Plane:
    """No edges at all: what filters that mix neighbors have to be better than."""
    return _resized(_mean(chroma), lightness, cv2.INTER_CUBIC)


def guided(lightness: Plane, chroma: Plane) -> Plane:
    """Guided filter (He et al. 2013), its model enlarged instead of its result (He and Sun 2015)."""
    small = _made_small(lightness, chroma)
    slope = _slope(small, chroma)
    offset = _mean(chroma) - slope * _mean(small)[..., np.newaxis]
    slope, offset = (_resized(_mean(each), lightness, cv2.INTER_LINEAR) for each in (slope, offset))
    return np.asarray(slope * lightness[..., np.newaxis] + offset)


def cubic_and_slope(lightness: Plane, chroma: Plane) -> Plane:
    """What cubic interpolation loses of lightness, times the guided filter's slope, is added to chroma."""
    small = _made_small(lightness, chroma)
    of_chroma = (_mean(np.square(chroma)) - np.square(_mean(chroma))).sum(2)
    slope = _slope(small, chroma)
    explained = (slope * _covariance(small, chroma)).sum(2) / (of_chroma + _PALE)
    slope = _mean(slope * explained[..., np.newaxis])
    lost = lightness - _resized(small, lightness, cv2.INTER_CUBIC)
    larger = _resized(chroma, lightness, cv2.INTER_CUBIC)
    return np.asarray(larger + _resized(slope, lightness, cv2.INTER_LINEAR) * lost[..., np.newaxis])


def joint_bilateral(lightness: Plane, chroma: Plane) -> Plane:
    """Joint bilateral upsampling (Kopf et al. 2007), of nine neighbors."""
    small = _made_small(lightness, chroma)
    rows, columns = (
        (np.arange(large) + 0.5) * few / large - 0.5
        for large, few in zip(lightness.shape, small.shape, strict=True)
    )
    total, weights = np.zeros((*lightness.shape, 2)), np.zeros(lightness.shape)
    for row in (-1, 0, 1):
        for column in (-1, 0, 1):
            down, across = np.round(rows) + row, np.round(columns) + column
            there = np.ix_(
                down.clip(0, small.shape[0] - 1).astype(int), across.clip(0, small.shape[1] - 1).astype(int)
            )
            far = np.add.outer(np.square(rows - down), np.square(columns - across)) / _NEAR**2
            weight = np.exp(-(far + np.square(lightness - small[there]) / _ALIKE**2) / 2)
            total += weight[..., np.newaxis] * chroma[there]
            weights += weight
    return np.asarray(total / (weights + 1e-9)[..., np.newaxis], np.float32)


WAYS: dict[str, Way] = {
    "linear": plain(cv2.INTER_LINEAR),
    "cubic": plain(cv2.INTER_CUBIC),
    "blurred, then cubic": blurred,
    "guided filter": guided,
    "joint bilateral": joint_bilateral,
    "cubic and guided slope": cubic_and_slope,
}


@click.command()
@click.argument("photos", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-m", "--model", default="colorize", show_default=True)
@click.option("--side", "sides", type=int, multiple=True, default=(128, 64, 32), show_default=True)
def cli(photos: Path, model: str, sides: tuple[int, ...]) -> None:
    """Error of enlarged chroma in the plane of a and b, where true chroma changes most.

    True chroma is made small first, its shorter side to each SIDE; a model's has the first of them. Pale
    colors err less, however wrong they are: so a model's is to be read beside its saturation.
    """
    session = load_model(model, "colorize", device="cpu")
    rows: dict[str, list[list[float]]] = {name: [] for name in WAYS}
    for path in images_in(photos):
        pixels = read_image(path).pixels
        lab = cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
        lightness, target = np.ascontiguousarray(lab[..., 0]), np.ascontiguousarray(lab[..., 1:])
        edges = _edges(target)
        guess = session.run(_small(lightness_of(pixels), sides[0])[np.newaxis])[0].astype(np.float32) - 128
        smalls = [*(_small(target, side) for side in sides), guess]
        for name, way in WAYS.items():
            made = [way(lightness, small) for small in smalls]
            errors = [float(np.linalg.norm(each - target, axis=2)[edges].mean()) for each in made]
            rows[name].append([*errors, float(np.linalg.norm(made[-1], axis=2).mean())])
    heads = [*(f"true, {side}" for side in sides), model, "its saturation"]
    click.echo(f"| | {' | '.join(heads)} |\n|{'---|' * (len(heads) + 1)}")
    for name, row in rows.items():
        click.echo(f"| {name} | {' | '.join(f'{value:.2f}' for value in np.mean(row, 0))} |")


def _small(values: NDArray[_Values], side: int) -> NDArray[_Values]:
    height, width = values.shape[:2]
    scale = side / min(height, width)
    size = round(scale * width), round(scale * height)
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA))


def _edges(chroma: Plane) -> NDArray[np.bool_]:
    changes = [cv2.Sobel(chroma, cv2.CV_32F, *along) for along in ((1, 0), (0, 1))]
    strength = np.square(changes).sum((0, 3))
    return np.asarray(strength >= np.quantile(strength, 1 - _EDGES))


def _made_small(lightness: Plane, chroma: Plane) -> Plane:
    return np.asarray(cv2.resize(lightness, chroma.shape[1::-1], interpolation=cv2.INTER_AREA))


def _resized(values: Plane, like: Plane, how: int) -> Plane:
    return np.asarray(cv2.resize(values, like.shape[1::-1], interpolation=how))


def _slope(lightness: Plane, chroma: Plane) -> Plane:
    """Of chroma against lightness around each pixel, ``(h, w, 2)``."""
    variance = _mean(np.square(lightness)) - np.square(_mean(lightness))
    return np.asarray(_covariance(lightness, chroma) / (variance + _FLAT)[..., np.newaxis])


def _covariance(lightness: Plane, chroma: Plane) -> Plane:
    means = _mean(lightness)[..., np.newaxis] * _mean(chroma)
    return np.asarray(_mean(lightness[..., np.newaxis] * chroma) - means)


def _mean(values: Plane) -> Plane:
    """Of the nine pixels around each."""
    return np.asarray(cv2.blur(values, (3, 3)))


if __name__ == "__main__":
    cli()
