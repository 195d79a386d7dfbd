"""Alignment of faces by similarities, on planes of any kind."""

import cv2
import numpy as np
import pytest

from vidgan.media.face_alignment import (
    MESH_TEMPLATE,
    SIDE,
    after,
    aligned_by_mesh,
    cut_out,
    inverse,
    moved,
    similarity,
    to_generator,
)
from vidgan.media.face_guides import EYES, POINTS
from vidgan.media.image import RgbImage, YuvImage


def smooth(width: int, height: int) -> np.ndarray:
    noise = np.random.default_rng(0).uniform(0, 255, (7, 9, 3))
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)


def test_a_similarity_is_found_again() -> None:
    points = np.random.default_rng(1).uniform(0, 100, (30, 2)).astype(np.float32)
    known = np.array([[1.2, -0.5, 7], [0.5, 1.2, -3]], np.float32)
    assert np.allclose(similarity(points, moved(points, known)), known, atol=1e-4)
    noisy = points + np.random.default_rng(0).normal(0, 0.5, points.shape).astype(np.float32)
    found = similarity(points, noisy)
    assert np.allclose(found[:, :2], np.eye(2), atol=0.02) and found[0, 1] == -found[1, 0]
    assert np.allclose(moved(moved(points, known), inverse(known)), points, atol=1e-3)
    assert np.allclose(moved(points, after(known, known)), moved(moved(points, known), known), atol=1e-3)


def test_a_mesh_is_aligned_by_eyes_nose_and_mouth() -> None:
    points = np.full((POINTS, 2), 50, np.float32)
    for rim, place in zip(EYES, MESH_TEMPLATE[1::-1], strict=True):
        points[list(rim)] = place
    points[[4, 61, 291]] = MESH_TEMPLATE[2:]
    turned = np.array([[0.9, -0.3, 40], [0.3, 0.9, 5]], np.float32)
    assert np.allclose(aligned_by_mesh(moved(points, turned)), inverse(turned), atol=1e-3)


def test_a_generator_is_given_the_middle() -> None:
    placed = to_generator(64)
    corners = np.array([(7.5, 7.5), (135.5, 135.5)], np.float32)
    assert np.allclose(moved(corners, placed), [(-0.5, -0.5), (63.5, 63.5)], atol=1e-4)
    assert (to_generator(128) == np.array([[1, 0, -8], [0, 1, -8]], np.float32)).all()


@pytest.mark.parametrize("scale", [0.2, 0.45, 1.0, 2.5])
def test_a_cut_is_the_same_of_rgb_and_of_luma_with_chroma(scale: float) -> None:
    pixels = smooth(641, 481)
    placed = np.array([[scale, 0.1 * scale, -60 * scale], [-0.1 * scale, scale, -20 * scale]], np.float32)
    rgb, yuv = (cut_out(image, placed, SIDE) for image in (RgbImage(pixels), YuvImage.from_rgb(pixels)))
    assert rgb.shape == (SIDE, SIDE, 3)
    inner = np.s_[8:-8, 8:-8]
    assert np.abs(rgb[inner].astype(int) - yuv[inner]).mean() < 2.5
    # Each pixel is what the image has there.
    columns, rows = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
    there = moved(np.stack([columns.ravel(), rows.ravel()], 1).astype(np.float32), inverse(placed))
    x, y = there.reshape(SIDE, SIDE, 2).astype(np.float32).transpose(2, 0, 1)
    expected = cv2.remap(pixels, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    within = (x > 8) & (x < 632) & (y > 8) & (y < 472)
    assert within.mean() > 0.1 and np.abs(expected.astype(int) - rgb)[within].mean() < 1.5


def test_a_cut_beyond_the_border_is_mirrored() -> None:
    pixels = smooth(100, 80)
    cut = cut_out(RgbImage(pixels), np.array([[1, 0, 30], [0, 1, 0]], np.float32), 60)
    assert (cut[:60, 30:] == pixels[:60, :30]).all()
    assert (cut[:60, :30] == pixels[:60, 30:0:-1]).all()
