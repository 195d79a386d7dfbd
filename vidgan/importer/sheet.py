"""A contact sheet of what different conventions make of a photo."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgan.importer.convention import Trial

_SIDE = 280
_TITLE = 26
_COLUMNS = 4


def contact_sheet(trials: Sequence[Trial], path: Path) -> None:
    """Writes a numbered image for each convention, the likeliest first."""
    cells = [_cell(number, trial) for number, trial in enumerate(trials, 1)]
    columns = min(_COLUMNS, len(cells))
    blank = np.full_like(cells[0], 255)
    cells += [blank] * (-len(cells) % columns)
    rows = [np.hstack(cells[start : start + columns]) for start in range(0, len(cells), columns)]
    cv2.imwrite(str(path), np.vstack(rows))


def _cell(number: int, trial: Trial) -> NDArray[np.uint8]:
    cell = np.full((_SIDE + _TITLE, _SIDE + 4, 3), 255, np.uint8)
    image = cv2.resize(trial.images[0], (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    levels = np.rint(image * 255).astype(np.uint8)
    if levels.ndim == 2:
        levels = np.repeat(levels[..., np.newaxis], 3, 2)
    cell[_TITLE:, :_SIDE] = levels[..., ::-1]
    text = f"{number}: {trial.convention}"
    cv2.putText(cell, text, (4, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (0, 0, 0), 1, cv2.LINE_AA)
    return cell
