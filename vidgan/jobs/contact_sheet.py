"""Every style on one image, side by side."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from vidgan.jobs.api import load_style
from vidgan.media.frame import Frame
from vidgan.media.image import Pixels, RgbImage
from vidgan.session import Device
from vidgan.sinks import open_sink
from vidgan.sources import open_source
from vidgan.tasks.style import StyleEffect

_COLUMNS = 3
_LABEL_HEIGHT = 28
_GAP = 4


def contact_sheet(
    image: Path, output: Path, styles: Sequence[str], *, device: Device = "auto", overwrite: bool = False
) -> None:
    """Writes ``image`` in each of ``styles``, labelled, as one image.

    A video gives its first frame.

    Raises:
        VidganError: as :func:`vidgan.stylize`.
    """
    with open_source(image, size="360") as source:
        frame = next(iter(source))
        info = source.info
    tiles = [_labelled(StyleEffect(load_style(s, device=device)).apply(frame).pixels, s) for s in styles]
    sheet = _grid(tiles)
    with open_sink(output, info, overwrite=overwrite) as sink:
        sink.write(Frame(image=RgbImage(sheet), pts=0, time_base=info.time_base))


def _labelled(pixels: Pixels, name: str) -> Pixels:
    label = np.full((_LABEL_HEIGHT, pixels.shape[1], 3), 255, np.uint8)
    cv2.putText(label, name, (6, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 0, 0), 1, cv2.LINE_AA)
    return np.vstack([pixels, label])


def _grid(tiles: Sequence[Pixels]) -> Pixels:
    height, width, _ = tiles[0].shape
    rows = -(-len(tiles) // _COLUMNS)
    columns = min(len(tiles), _COLUMNS)
    sheet = np.full((rows * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP, 3), 255, np.uint8)
    for index, tile in enumerate(tiles):
        top, left = index // _COLUMNS * (height + _GAP), index % _COLUMNS * (width + _GAP)
        sheet[top : top + height, left : left + width] = tile
    return sheet
