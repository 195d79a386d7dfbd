"""Scaling of frames to the window."""

import numpy as np
import pytest

from tests.live.fakes import gray_pair
from vidgan.live.window.composition import compose, content_size


@pytest.mark.parametrize("frame", [(136, 72), (160, 88), (320, 180), (1280, 720)])
def test_rounded_sides_of_adaptive_resolution_do_not_change_the_proportions(frame: tuple[int, int]) -> None:
    """Frames of all processing sizes cover a 16:9 window without black bars."""
    canvas, placement = compose(
        gray_pair(200, 0, frame), "output", 0.5, content_size((1280, 720), "output"), (640, 360), fill=False
    )
    assert canvas.shape == (360, 640, 3) and canvas.min() > 190
    assert (placement.left, placement.width) == (0, 640)


@pytest.mark.parametrize(
    ("window", "covered"), [((640, 400), (640, 360)), ((800, 360), (640, 360)), ((320, 360), (320, 180))]
)
def test_black_bars_or_crop(window: tuple[int, int], covered: tuple[int, int]) -> None:
    pair = gray_pair(200, 0, (320, 180))
    fitted, placement = compose(pair, "output", 0.5, (320, 180), window, fill=False)
    bright = fitted.max(axis=2) > 100
    assert (int(bright.any(axis=0).sum()), int(bright.any(axis=1).sum())) == covered
    assert placement.share(placement.left) == 0 and placement.share(placement.left + placement.width) == 1
    cropped, _ = compose(pair, "output", 0.5, (320, 180), window, fill=True)
    assert cropped.shape[1::-1] == window and cropped.min() > 190


def test_side_by_side_is_twice_as_wide() -> None:
    pair = gray_pair(200, 0, (64, 36))
    content = content_size((64, 36), "side by side")
    canvas, _ = compose(pair, "side by side", 0.5, content, (128, 36), fill=True)
    assert content == (128, 36) and np.all(canvas > 190)
