"""Optical flow against photos moved by known smooth warps."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.commands import SAMPLES
from tests.support.images import read_pixels
from vidgan.media.image import Pixels
from vidgan.media.optical_flow import Flow, estimate_flow, fetch, untrustworthy

PHOTOS = Path(__file__).parents[3] / "shared" / "data" / "photos"


def sample() -> Pixels:
    return np.ascontiguousarray(cv2.resize(cv2.imread(str(SAMPLES / "bunny.jpg")), (640, 360))[..., ::-1])


def images() -> list[Pixels]:
    """The sample, and real photos where they are at hand."""
    files = sorted(PHOTOS.glob("*.jpg"))[::120][:5]
    return [sample(), *(np.ascontiguousarray(read_pixels(each)[..., ::-1]) for each in files)]


def true_flow(height: int, width: int, seed: int) -> Flow:
    """Pan, zoom, rotation and local motion, as a hand-held camera's; up to about ten pixels."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    x0, y0 = x - width / 2, y - height / 2
    zoom, turn = random.uniform(-0.015, 0.015), np.radians(random.uniform(-1, 1))
    local = cv2.resize(random.uniform(-1, 1, (4, 4, 2)), (width, height), interpolation=cv2.INTER_CUBIC)
    pan = random.uniform(-4, 4, 2)
    return np.stack([zoom * x0 - turn * y0, turn * x0 + zoom * y0], 2).astype(np.float32) + np.float32(
        pan + local
    )


def moved(image: Pixels, flow: Flow) -> tuple[Pixels, Pixels]:
    """Two frames with that flow: the second is the image, the first is fetched from it."""
    return fetch(image, flow), image


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("quality", "bound"), [("fine", 0.35), ("quick", 0.8)])
def test_end_point_error_on_known_warps(quality: str, bound: float, seed: int) -> None:
    errors = []
    for image in images():
        height, width = image.shape[:2]
        target = true_flow(height, width, seed)
        found = estimate_flow(*moved(image, target), quality=quality)  # type: ignore[arg-type]
        inside = (slice(16, -16), slice(16, -16))
        errors.append(np.linalg.norm(found - target, axis=2)[inside].mean())
        assert np.linalg.norm(target, axis=2)[inside].mean() > 2 * bound  # Standing still would not do.
    assert np.mean(errors) < bound, errors


def test_estimates_do_not_depend_on_earlier_ones() -> None:
    a, b = moved(sample(), true_flow(360, 640, 0))
    before = estimate_flow(a, b)
    estimate_flow(b, a)
    assert np.array_equal(estimate_flow(a, b), before)


def test_fetching_undoes_a_pan() -> None:
    image = sample()
    flow = np.full((360, 640, 2), (3, -2), np.float32)
    second = np.roll(image, (-2, 3), axis=(0, 1))
    assert np.array_equal(fetch(second, flow)[8:-8, 8:-8], image[8:-8, 8:-8])


def test_what_is_covered_and_edges_of_motion_are_not_trusted() -> None:
    """A square of 60 pixels moves 12 to the right over still ground."""
    flow, back = (np.zeros((120, 200, 2), np.float32) for _ in range(2))
    flow[30:90, 50:110, 0] = 12
    back[30:90, 62:122, 0] = -12
    masked = untrustworthy(flow, back)
    assert masked[40:80, 111:121].all()  # About to be covered.
    assert masked[40:80, 49].all() and masked[29, 60:100].all()  # The edge of the motion.
    assert not masked[40:80, 52:105].any() and not masked[:, :45].any() and not masked[:, 130:].any()


def test_smooth_motion_is_trusted() -> None:
    flow = true_flow(120, 160, 0) / np.float32(4)
    back = -fetch(flow, -flow)
    assert untrustworthy(flow, back).mean() < 0.02


@pytest.mark.parametrize("quality", ["fine", "quick"])
@pytest.mark.parametrize("size", [(20, 320), (12, 320), (5, 320), (320, 20), (16, 16), (1, 40)])
def test_thin_images_have_a_flow_too(size: tuple[int, int], quality: str) -> None:
    """In a process of its own: OpenCV's estimator would end it."""
    program = (
        "import numpy as np; from vidgan.media.optical_flow import estimate_flow; r = np.random.default_rng(0);"
        f"a, b = (r.integers(0, 255, {(*size, 3)}, np.uint8) for _ in range(2));"
        f"assert estimate_flow(a, b, quality={quality!r}).shape == {(*size, 2)}"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
