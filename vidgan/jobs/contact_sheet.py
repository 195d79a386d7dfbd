"""Several models on one image, side by side."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from vidgan.errors import VidganError
from vidgan.jobs.api import ARRAY, run_array
from vidgan.media.frame import Frame, VideoInfo
from vidgan.media.image import Pixels, RgbImage
from vidgan.session import Device
from vidgan.sinks import check_output, open_sink
from vidgan.sources import open_source
from vidgan.tasks import step_settings, task_of_settings
from vidgan.tasks.task import GENERATOR, TaskSettings

_COLUMNS = 3
_HEIGHT = 360
_LABEL_HEIGHT = 28
_GAP = 4
INPUT = "input"
"""Label of the image as it is."""


def contact_sheet(
    image: Path, output: Path, models: Sequence[str], *, device: Device = "auto", overwrite: bool = False
) -> list[str]:
    """Writes what each of ``models`` makes of ``image``, labeled, as one image.

    A video gives its first frame. The image itself comes first where not all models are styles. Models that enlarge
    begin with a smaller image, and end at the size of the others.

    Returns:
        A sentence for each model that cannot be tried on such an image.

    Raises:
        VidganError: as :func:`vidgan.run`; or no model can be tried.
    """
    check_output(output, overwrite=overwrite)
    settings = {name: step_settings(name) for name in models}
    tiles: list[Pixels] = []
    errors: list[tuple[str, VidganError]] = []
    if any(each.task != "style" for each in settings.values()):
        tiles.append(_labeled(_first_frame(image, str(_HEIGHT)), INPUT))
    count = len(tiles)
    for name, step in settings.items():
        try:
            tiles.append(_labeled(_tried(image, step, device), name))
        except VidganError as exc:
            errors.append((name, exc))
    if len(tiles) == count:
        raise errors[0][1]
    sheet = _grid(tiles)
    height, width = sheet.shape[:2]
    info = VideoInfo(width=width, height=height, time_base=Fraction(1))
    with open_sink(output, info, overwrite=overwrite) as sink:
        sink.write(Frame(image=RgbImage(sheet), pts=0, time_base=info.time_base))
    return [f"{name}: not tried: {str(exc).removeprefix(f'{ARRAY}: ')}" for name, exc in errors]


def _tried(image: Path, settings: TaskSettings, device: Device) -> Pixels:
    task = task_of_settings(settings)
    specs = {role: each[0] for role, each in task.find_models(settings, "int8").items()}
    scale = specs[GENERATOR].scale if GENERATOR in specs else 1
    palette = task.input_palette(task.resolve(settings, specs), specs)
    if palette is not None:
        with open_source(image, palette=palette) as source:
            return run_array(next(iter(source)).pixels, [settings], device=device)
    return run_array(_first_frame(image, str(_HEIGHT // scale)), [settings], device=device)


def _first_frame(image: Path, size: str) -> Pixels:
    with open_source(image, size=size) as source:
        return next(iter(source)).pixels


def _labeled(pixels: Pixels, name: str) -> Pixels:
    label = np.full((_LABEL_HEIGHT, pixels.shape[1], 3), 255, np.uint8)
    cv2.putText(label, name, (6, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 0, 0), 1, cv2.LINE_AA)
    return np.vstack([pixels, label])


def _grid(tiles: Sequence[Pixels]) -> Pixels:
    """Rows of tiles of the first one's size."""
    height, width, _ = tiles[0].shape
    rows = -(-len(tiles) // _COLUMNS)
    columns = min(len(tiles), _COLUMNS)
    sheet = np.full((rows * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP, 3), 255, np.uint8)
    for index, tile in enumerate(_fitted(tiles, width, height)):
        top, left = index // _COLUMNS * (height + _GAP), index % _COLUMNS * (width + _GAP)
        sheet[top : top + height, left : left + width] = tile
    return sheet


def _fitted(tiles: Iterable[Pixels], width: int, height: int) -> Iterable[Pixels]:
    for tile in tiles:
        same = tile.shape[:2] == (height, width)
        yield (
            tile
            if same
            else np.asarray(cv2.resize(tile, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        )
