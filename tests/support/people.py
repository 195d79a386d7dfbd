"""Paper dolls: flat people whose parts have a color each, as training data of pose transfer."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.support.doll import DOLL
from tests.support.images import write_noise
from tests.support.upscalers import random_lpips
from training.people.dataset import write_views
from training.people.person import View
from training.people.rasterizer import NOTHING, rasterize
from training.recipes.pose_transfer import PoseTransferConfig
from vidgan.media.body_parts import PARTS, segments


def moved_doll(degrees: float) -> NDArray[np.float32]:
    """The doll with its left arm raised by that much."""
    points = DOLL.copy()
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]], np.float32)
    arm = [5, 7, 9]
    points[arm, :2] = (points[arm, :2] - points[3, :2]) @ turn.T + points[3, :2]
    return points


def doll_view(points: NDArray[np.float32], colors: NDArray[np.uint8], side: int = 64) -> View:
    """An image of a doll, each part a strip of the colors ``(14, 3)``."""
    ends = segments(points)
    along = (ends[:, 1] - ends[:, 0])[:, :2]
    aside = 0.5 * np.stack([-along[:, 1], along[:, 0]], 1) / np.linalg.norm(along, axis=1, keepdims=True)
    wide = aside * np.array([6, 12, *(12 * [3])], np.float32)[:, None]
    corners = [ends[:, 0, :2] - wide, ends[:, 0, :2] + wide, ends[:, 1, :2] + wide, ends[:, 1, :2] - wide]
    flat = np.stack(corners, 1)
    # The limbs are in front of the trunk, each a little nearer than the next.
    depth = np.arange(len(PARTS), dtype=np.float32)[:, None].repeat(4, 1) * -1
    vertices = np.concatenate([flat, depth[:, :, None]], 2).reshape(-1, 3).astype(np.float32)
    fragments = rasterize(vertices + np.float32(0.5) * np.array([1, 1, 0], np.float32), faces(), (side, side))
    part = np.where(fragments.triangle == NOTHING, -1, fragments.triangle // 2)
    image = np.zeros((side, side, 4), np.uint8)
    there = part >= 0
    image[there, :3] = colors[part[there]]
    image[there, 3] = 255
    labels = (part + 1).astype(np.uint8)
    return View(image, labels, points, fragments.triangle, fragments.weights, vertices)


def faces() -> NDArray[np.int32]:
    """Two triangles for each part."""
    firsts = 4 * np.arange(len(PARTS), dtype=np.int32)
    return (firsts[:, None, None] + np.array([[0, 1, 2], [0, 2, 3]], np.int32)).reshape(-1, 3)


def write_dolls(folder: Path, count: int, views: int = 8) -> Path:
    """Dolls of random colors with an arm in several places, as ``render-people`` writes people."""
    random = np.random.default_rng(0)
    for number in range(count):
        colors = random.integers(30, 255, (len(PARTS), 3)).astype(np.uint8)
        angles = np.cumsum(random.uniform(5, 25, views))
        write_views(
            folder / f"{number:04}", [doll_view(moved_doll(each), colors) for each in angles], faces()
        )
    return folder


def pose_transfer_config(folder: Path, **changes: object) -> PoseTransferConfig:
    """Four steps on dolls, all phases of a run among them."""
    photos = folder / "photos"
    photos.mkdir(parents=True)
    for number in range(3):
        write_noise(photos / f"{number}.png", 64, 72, number)
    settings: dict[str, object] = {
        "people": str(write_dolls(folder / "people", 4)),
        "photos": [str(photos)],
        "feature_extractor": str(random_lpips(folder / "eyes.safetensors")),
        "count": 4,
        "held_out": 1,
        "size": 64,
        "quiet_steps": 2,
        "steps": 4,
        "discriminator_channels": 4,
    }
    return PoseTransferConfig(**(settings | changes))  # type: ignore[arg-type]
