"""Looks for grids: periodic patterns that a network's own layout prints on its images.

A network that works on a folded or strided grid can leave a pattern that repeats every 2, 4 or 8
pixels, in places where there is nothing to draw. Such a pattern has its power at multiples of 1/8
cycle per pixel and nowhere between; strokes and noise do not care for those frequencies. So:

1. Each model processes fields without detail of their own: flat colors side by side, slopes, and
   soft noise, at sizes that are and are not multiples of 4 (:func:`fields`). Of noise there are
   several images: what a model makes of one has strokes of its own, and chance needs many tiles
   to average out.
2. Of each field's paintings, away from borders and edges, low frequencies are removed and
   64-pixel tiles are transformed (:func:`spectra`).
3. At each multiple of 1/8 in either direction - rows, columns and both - what all tiles have in
   common, phase included, is compared with the median power of the frequencies around it
   (:func:`find_peaks`). A grid stands still; strokes that happen to be as far apart do not.

A peak counts as a visible grid if it is **both**

- 6 dB above its surroundings, i.e. more than :data:`MIN_RATIO` times their median power. Averages
  over so many tiles scatter by 1 to 2 dB; and what is less is lost among the strokes.
- at least :data:`MIN_AMPLITUDE` gray levels in amplitude. The eye's threshold for so fine a pattern
  is about half a level. Rounding a smooth slope to whole levels can make up to 0.71 of it (a square
  wave of period 4 and one level high), which is none of the network's doing; the bound is above that.

``python benchmarks/spectrum.py`` prints a table for all bundled models, or those named, and exits 1
if one has a visible grid.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.media.image import Pixels, YuvImage
from vidgan.models.registry import BUNDLED, bundled_models, find_model, read_model
from vidgan.session import Session

MIN_RATIO = 4.0
MIN_AMPLITUDE = 0.75

_PLANAR = "-yuv420"
_TILE = 64
_HARMONIC = 8
"""Bins between multiples of 1/8 cycle per pixel."""
_RING = (3, 4)
"""Bins from a harmonic to its surroundings: beyond the window's own width, no closer to the next."""
_BORDER = 40
"""Pixels left out beside borders and edges, which strokes are drawn along."""
_SMOOTH_SIGMA = 8.0
"""Of the Gaussian that is subtracted; it leaves 1/8 cycle per pixel and all above untouched."""

_SIZES = ((640, 360), (637, 355), (450, 322))
_DRAWS = 8
_COLORS = ((128, 128, 128), (200, 60, 40), (70, 110, 190), (240, 235, 220), (20, 24, 30), (90, 160, 80))

Area = tuple[slice, slice]


@dataclass(frozen=True, kw_only=True)
class Peak:
    """Power at one harmonic frequency.

    Attributes:
        vertical, horizontal: cycles per pixel.
        ratio: of the power that stands still and the median power around it, to the latter alone.
        amplitude: gray levels of the pattern that stands still, root mean square of the channels.
    """

    vertical: float
    horizontal: float
    ratio: float
    amplitude: float

    @property
    def visible(self) -> bool:
        return self.ratio >= MIN_RATIO and self.amplitude >= MIN_AMPLITUDE

    def __str__(self) -> str:
        return (
            f"{self.amplitude:6.2f} gray levels at ({_eighths(self.horizontal)}, {_eighths(self.vertical)}) "
            f"cycles/px, {10 * np.log10(max(self.ratio, 1e-3)):5.1f} dB"
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Field:
    """An image without detail.

    Attributes:
        kind: ``flat``, ``slope`` or ``noise``.
        images: ``(N, H, W, 3)``, different draws of the same field.
        areas: the parts to look at, each uniform in kind and away from edges.
    """

    kind: str
    images: Pixels
    areas: list[Area]


def fields(seed: int = 0) -> Iterator[Field]:
    """The test images. Slopes and noise are dithered, so that no grid is in the input."""
    random = np.random.default_rng(seed)
    for index, (width, height) in enumerate(_SIZES):
        half = width // 2
        halves = [_inside(0, half, height), _inside(half, width, height)]
        for shift in range(0, len(_COLORS), 2):
            left, right = (np.array(_COLORS[(shift + index + k) % len(_COLORS)], float) for k in (0, 1))
            canvas = np.empty((height, width, 3))
            canvas[:, :half], canvas[:, half:] = left, right
            yield Field(kind="flat", images=_dithered(canvas, None)[np.newaxis], areas=halves)
            draws = [_dithered(canvas + _soft_noise(canvas.shape, random), random) for _ in range(_DRAWS)]
            yield Field(kind="noise", images=np.stack(draws), areas=halves)
            across = (
                np.linspace(0, 1, width)[None, :, None] * 0.7 + np.linspace(0, 0.3, height)[:, None, None]
            )
            slope = left + (right - left) * across
            images = _dithered(slope, random)[np.newaxis]
            yield Field(kind="slope", images=images, areas=[_inside(0, width, height)])


def _inside(left: int, right: int, height: int) -> Area:
    return slice(_BORDER, height - _BORDER), slice(left + _BORDER, right - _BORDER)


def _soft_noise(shape: tuple[int, ...], random: np.random.Generator) -> NDArray[np.float64]:
    return np.asarray(cv2.GaussianBlur(random.normal(0, 24, shape), (0, 0), 2.0))


def _dithered(image: NDArray[np.float64], random: np.random.Generator | None) -> Pixels:
    noise = 0.0 if random is None else random.uniform(-0.5, 0.5, image.shape)
    return np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)


@dataclass(frozen=True, kw_only=True, eq=False)
class Spectra:
    """Power by frequency, ``(64, 64)`` with frequency 0 first, in squared gray levels.

    A pattern ``A cos(...)`` has the power ``(A / 2)²`` at its frequency and its mirror image.

    Attributes:
        power: mean over the tiles and channels.
        locked: the part of it that has the same phase in all tiles, at multiples of 1/8 cycle per
            pixel; a little below 0 where there is none.
    """

    power: NDArray[np.float64]
    locked: NDArray[np.float64]


def spectra(images: Pixels) -> Spectra:
    """What all tiles of some images have in common.

    Args:
        images: ``(N, H, W, 3)``, or one ``(H, W, 3)``; sides of at least 64, and more than one tile in all.
    """
    waves = np.concatenate([_waves(each) for each in images.reshape(-1, *images.shape[-3:])])
    power = np.square(np.abs(waves)).mean(0)
    # The mean of the products of different tiles: what is alike in none cancels out.
    count = len(waves)
    locked = (count * np.square(np.abs(waves.mean(0))) - power) / (count - 1)
    return Spectra(power=power.mean(2), locked=locked.mean(2))


def _waves(image: Pixels) -> NDArray[np.complex128]:
    """The transforms of an image's tiles, ``(tiles, 64, 64, 3)``.

    Tiles that overlap would be alike for that reason alone.
    """
    values = image.astype(np.float64)
    rest = values - cv2.GaussianBlur(values, (0, 0), _SMOOTH_SIGMA, borderType=cv2.BORDER_REFLECT)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_TILE) / _TILE)
    window = np.outer(hann, hann)[:, :, None] / hann.sum() ** 2
    tiles = np.lib.stride_tricks.sliding_window_view(rest, (_TILE, _TILE), (0, 1))[::_TILE, ::_TILE]
    tiles = tiles.reshape(-1, values.shape[2], _TILE, _TILE).transpose(0, 2, 3, 1)
    return np.asarray(np.fft.fft2((tiles - tiles.mean((1, 2), keepdims=True)) * window, axes=(1, 2)))


def find_peaks(found: Spectra) -> list[Peak]:
    """What stands at the multiples of 1/8 cycle per pixel, the strongest first."""
    harmonics = range(0, _TILE, _HARMONIC)
    peaks = (
        _peak(found, vertical, horizontal)
        for horizontal in range(0, _TILE // 2 + 1, _HARMONIC)
        for vertical in harmonics
        # The other half plane is the mirror image of this one.
        if (vertical or horizontal) and not (horizontal in (0, _TILE // 2) and vertical > _TILE // 2)
    )
    return sorted(peaks, key=lambda peak: (peak.visible, peak.amplitude), reverse=True)


def _peak(found: Spectra, vertical: int, horizontal: int) -> Peak:
    near, far = _RING
    around = np.median(
        [
            found.power[(vertical + y) % _TILE, (horizontal + x) % _TILE]
            for y in range(-far, far + 1)
            for x in range(-far, far + 1)
            if max(abs(y), abs(x)) >= near
        ]
    )
    # At these frequencies the pattern and its mirror image fall on one bin.
    alone = vertical % (_TILE // 2) == 0 and horizontal % (_TILE // 2) == 0
    locked = max(float(found.locked[vertical, horizontal]), 0.0)
    signed = vertical / _TILE if vertical <= _TILE // 2 else vertical / _TILE - 1
    return Peak(
        vertical=signed,
        horizontal=horizontal / _TILE,
        ratio=1 + locked / max(float(around), 1e-9),
        amplitude=(1 if alone else 2) * locked**0.5,
    )


def strongest_peak(images: Pixels) -> Peak:
    """The strongest visible peak in images without detail, or the strongest of all if none is visible."""
    return find_peaks(spectra(images))[0]


Run = Callable[[Pixels], Pixels]
"""Images, RGB ``(N, H, W, 3)`` uint8 → the same."""


def painter_of(path: Path) -> Run:
    """The output of a model file, also of one of luma and chroma."""
    if not path.stem.endswith(_PLANAR):
        return Session(read_model(path), device="cpu").run
    rgb = path.with_name(f"{path.stem.removesuffix(_PLANAR)}.onnx")
    session = Session(find_model(str(rgb), precision="int8"), device="cpu")
    return lambda images: np.stack([session.run_yuv(YuvImage.from_rgb(each)).pixels for each in images])


def check_model(run: Run, seed: int = 0) -> dict[str, Peak]:
    """By kind of field, the worst peak in any of its areas."""
    worst: dict[str, Peak] = {}
    for field in fields(seed):
        stylized = run(field.images)
        for rows, columns in field.areas:
            peak = strongest_peak(stylized[:, rows, columns])
            before = worst.get(field.kind, peak)
            worst[field.kind] = max(before, peak, key=lambda each: (each.visible, each.amplitude))
    return worst


def _eighths(frequency: float) -> str:
    return {0: "0", 2: "1/4", -2: "-1/4", 4: "1/2"}.get(round(8 * frequency), f"{round(8 * frequency)}/8")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("models", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def cli(models: Sequence[Path]) -> None:
    """Look for grids in the outputs of MODELS: .onnx files, by default all that are bundled."""
    files = models or [
        path for name in bundled_models("style") for path in sorted((BUNDLED / name).glob("*.onnx"))
    ]
    visible = False
    for path in files:
        for kind, peak in check_model(painter_of(path)).items():
            visible |= peak.visible
            name = f"{path.parent.name}/{path.stem}"
            click.echo(f"{name:28}{kind:7}{peak}  {'VISIBLE' if peak.visible else 'ok'}")
    click.echo(
        f"a visible grid has at least {MIN_AMPLITUDE} gray levels and {10 * np.log10(MIN_RATIO):.0f} dB: "
        + ("found" if visible else "none")
    )
    sys.exit(int(visible))


if __name__ == "__main__":
    cli()
